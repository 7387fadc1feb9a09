"""The small mistakes that are proposed for a solution, and what is said of those nobody notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import make_course, write

from halfbits.course.authoring import mutate
from halfbits.course.authoring.mutants import mutants_of
from halfbits.course.grading.process import fork_pool

PROPOSED = [
    ("w.clamp(-127, 127)", "w"),
    ("w.detach().float()", "w.detach()"),
    ("w.detach().float()", "w.float()"),
    ("torch.round(w)", "torch.floor(w)"),
    ("torch.round(w)", "w"),
    ("w.amax(dim=1, keepdim=True)", "w.amin(dim=1, keepdim=True)"),
    ("w.amax(dim=1, keepdim=True)", "w.amax(dim=0, keepdim=True)"),
    ("w.amax(dim=1, keepdim=True)", "w.amax(dim=1)"),
    ("amax / 127", "amax / 128"),
    ("amax / 127", "amax * 127"),
    ("x < top", "(x <= top)"),
    ("x is None", "(x is not None)"),
    ("a and b", "a"),
    ("a if c else b", "(b)"),
    ("max(a, b)", "min(a, b)"),
    ("max(a, b)", "a"),
    ("(a, b)", "(b,)"),
    ("torch.no_grad()", "torch.enable_grad()"),
    ("torch.int8", "torch.int16"),
    ("~a & b", "a & b"),
    ("~a & b", "~a | b"),
    ("True", "False"),
    ("-1", "1"),
]


@pytest.mark.parametrize(("before", "after"), PROPOSED, ids=lambda text: str(text))
def test_a_mistake_is_proposed(before: str, after: str) -> None:
    assert f"y = {after}" in [mutant.name for mutant in mutants_of(f"y = {before}")]


def test_statements_are_left_out_and_sums_overwritten() -> None:
    names = [m.name for m in mutants_of("def f(m, x):\n    m.eval()\n    n += x\n    raise E\n")]
    assert {"pass", "n = x"} <= set(names) and names.count("pass") == 2


def test_a_mutant_keeps_the_rest_of_the_text_and_tells_its_line() -> None:
    source = "# why\ndef f(x: int = 3) -> int:\n    '''Doc 1.'''\n    return x + 1  # one\n"
    mutants = list(mutants_of(source))
    added = next(mutant for mutant in mutants if mutant.name == "return x + 2 # one")
    assert added.source == source.replace("x + 1", "x + 2") and added.line == 4
    assert not any("Doc 2" in mutant.source for mutant in mutants)


def test_no_mutant_is_proposed_twice_or_is_the_program_itself() -> None:
    source = "y = abs(x) if (x.float()) < 1 else -x\n"
    sources = [mutant.source for mutant in mutants_of(source)]
    assert len(sources) == len(set(sources)) and source not in sources


def explain(root: Path, equivalent: dict[str, str]) -> None:
    """Give the exercise halve no answers, and these explanations of its mutants."""
    place = Path("numbers") / "halve.py"
    write(root / "tests" / "wrong_answers" / place, f"WRONG = {{}}\nEQUIVALENT = {equivalent}\n")
    write(root / "tests" / "right_answers" / place, "RIGHT = {}\n")


@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="needs workers that fork")
def test_a_survivor_is_named_until_it_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_course(tmp_path)
    solution = root / "solutions" / "numbers" / "halve.ipynb"
    text = solution.read_text(encoding="utf-8")
    assert "return x / 2" in text
    write(solution, text.replace("return x / 2", "return x / 2 if x > 0 else 0"))
    explain(root, {})
    monkeypatch.setattr(mutate, "find_root", lambda: root)
    assert mutate.mutate("halve") == 1
    said = capsys.readouterr().out
    assert "+ return x / 2 if (x >= 0) else 0\n" in said and "without a check" in said
    survivors = [line[4:] for line in said.splitlines() if line.startswith("  + ")]
    explain(root, dict.fromkeys(survivors, "one case"))
    assert mutate.mutate("halve") == 0
    assert f"{len(survivors)} equivalent, 0 without a check" in capsys.readouterr().out


@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="needs workers that fork")
def test_an_explanation_of_no_survivor_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_course(tmp_path)
    explain(root, {"return x / 3": "three is two"})
    monkeypatch.setattr(mutate, "find_root", lambda: root)
    assert mutate.mutate("halve") == 1
    assert "EQUIVALENT explains what is no survivor: return x / 3\n" in capsys.readouterr().out
