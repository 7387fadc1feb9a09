"""The question bank's files: what is read from them, and how a broken one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_bank import GOOD

from halfbits.course.interview.bank.bank import load_bank, main
from halfbits.course.interview.bank.expression import BadExpressionError, evaluate
from halfbits.course.interview.bank.links import circles, link_problems
from halfbits.course.interview.bank.parse import read_question
from halfbits.course.interview.bank.question import Proof
from halfbits.errors import CourseError
from halfbits.perf.cost import BITS, weight_bytes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout of one good question and all that it points at."""
    task = 'key = "topic/task"\ntitle = "A"\nminutes = 5\ndifficulty = 1\nimportance = 1\n'
    task += 'tasks = ["half"]\npreload = []\ntime_limit = 5\n'
    files = {
        "book/interview/questions/size.md": GOOD,
        "book/references.bib": "@misc{someone2020,\n  title = {A}\n}\n",
        "book/data/a.json": '{"rows": [0, {"name": "b", "per.cent": 3}]}',
        "notebooks/a_lesson.ipynb": '{"cells": [{"id": "first", "cell_type": "code"}]}',
        "exercises/course.toml": f"[[exercise]]\n{task}",
        "exercises/topic/test_task.py": "def test_half(): ...\n",
        "tests/unit/test_a.py": "class TestA:\n    def test_it(self): ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def write(root: Path, text: str, name: str = "size.md") -> Path:
    path = root / "book" / "interview" / "questions" / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_question_is_read_whole(root: Path) -> None:
    question = load_bank(root).find("size")
    assert (question.level, question.kind, question.minutes, question.seed) == (
        "onsite", "estimate", 5, 3,
    )  # fmt: skip
    assert question.topic == "performance" and question.topics == ("performance", "systems")
    assert question.proofs[1] == Proof("check", "topic/task::test_half")
    assert (question.proofs[0].place, question.proofs[0].name) == (
        "notebooks/a_lesson.ipynb", "first",
    )  # fmt: skip
    assert question.sources[0].cite == "someone2020"
    assert question.sources[1].url == "https://example.org/x"
    assert not question.sources[0].says
    assert question.sources[1].says == {"en": "Caches are bf16", "zh": "缓存是 bf16"}
    assert question.points[0] == {"en": "Says 128 KiB.", "zh": "说出 128 KiB。"}


def test_both_languages_are_read_with_numbers_in_place(root: Path) -> None:
    english, chinese = (load_bank(root).find("size").texts[name] for name in ("en", "zh"))
    assert english.question == "How large is it for 128?"
    assert english.short == "It is 131,072 bytes, $2 L H d$."
    assert "# no heading" in english.full
    assert english.follow_ups[1] == ("Why not all heads?", "GQA\nshares them.")
    assert english.red_flags == (
        ("All heads.", "GQA has fewer."),
        ("No factor.", "There are two."),
    )
    assert chinese.question == "它有多大？" and "131,072" in chinese.short


def test_the_seed_comes_first_and_the_rest_by_topic_level_and_slug(root: Path) -> None:
    plain = GOOD.replace("seed: 3\n", "")
    write(root, GOOD.replace("seed: 3", "seed: 1"), "zz.md")
    write(root, plain.replace("topics: [performance", "topics: [formats"), "b.md")
    write(root, plain.replace("level: onsite", "level: staff"), "a.md")
    write(root, plain, "c.md")
    assert [question.slug for question in load_bank(root).questions] == [
        "zz",
        "size",
        "b",
        "c",
        "a",
    ]


def test_an_unknown_slug_is_named(root: Path) -> None:
    with pytest.raises(CourseError, match="no question called 'none'"):
        load_bank(root).find("none")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("level: onsite", "level: junior", "size.md:2: level: expected one of screening, onsite"),
        ("kind: estimate", "kind: [a]", "size.md:3: kind: expected one of explain"),
        ("minutes: 5", "minutes: 31", "size.md:4: minutes: expected a whole number from 1 to 30"),
        ("minutes: 5", "minutes: true", "size.md:4: minutes: expected a whole number"),
        ("performance, systems", "performance, speed", "size.md:5: topics[2]: expected one of"),
        ("performance, systems", "systems, systems", "size.md:5: topics[2]: 'systems' stands"),
        ("seed: 3", "seeds: 3", "size.md:6: seeds: is unknown; did you mean seed?"),
        ("level: onsite\n", "", "size.md:1: level: is missing"),
        ("lessons: [a_lesson]", "lessons: a", "size.md:9: lessons: expected a list of 0 to 5"),
        ("- check: topic", "- checks: topic", "size.md:13: proof[2]: expected one of cell, check"),
        ("#first", "", "size.md:12: proof[1].cell: expected a place and a name joined by '#'"),
        ("numbers:\n", "numbers: 3\nn:\n", "size.md:16: numbers: expected names with"),
        ("cache / 1024", "cache / 0", "size.md:18: numbers.kib: 'cache / 0' fails"),
        ("cache / 1024", "open('x')", "size.md:18: numbers.kib: unknown name 'open'"),
        ("- cite: someone2020", "- site: x", "size.md:20: sources[1]: expected cite, or title"),
        ("https://example", "http://example", "size.md:21: sources[2].url: expected a URL"),
        (', zh: "缓存是 bf16"', "", "size.md:21: sources[2].says: expected exactly the fields en"),
        ("url: \"https://example.org/x\", says", "says", "size.md:21: sources[2]: expected cite"),
        (', zh: "提到', ', cn: "提到', "size.md:24: points[2]: expected exactly"),
        (', zh: "提到 GQA。"}', "}", "size.md:24: points[2]: expected exactly the fields en, zh"),
        ('  - {en: Counts two., zh: "乘 2。"}\n', "", "size.md:22: points: expected a list of 3"),
        ("level: onsite", "level: [", "front matter: cannot be read"),
        ("---\nlevel", "level", "size.md:1: front matter: expected it between two lines ---"),
        ("# zh: 它", "# cn: 它", "size.md:1: headings: expected # en: and then # zh:, got"),
        ("## Red flags", "## Flags", "size.md:27: en: expected the sections Answer in 30 seconds"),
        ("First.\n", "### First\n", "size.md:33: en, Full answer: unexpected heading"),
        ("{{kib:.0f}}?", "{{kb:.0f}}?", "size.md:27: en, question: {{kb:.0f}} names no entry"),
        ("{{kib:.0f}}?", "{{kib:.0q}}?", "size.md:27: en, question: {{kib:.0q}} has a bad format"),
        (
            "Says {{kib",
            "Says {{kb",
            "size.md:23: points[1].en: {{kb:.0f}} names no entry of numbers",
        ),
        ("说出 {{kib:.0f}}", "说出", "size.md:18: numbers.kib: is not used in zh"),
        ("- **Why two?** Keys", "- Why two? Keys", "size.md:41: en, Follow-ups: expected lines"),
        ("- **No factor.** There are two.\n", "", "size.md:45: en, Red flags: expected at least 2"),
        ("First.\n", "First {cite:p}`a`.\n", "size.md:33: en, Full answer: roles such as"),
        ("First.\n", "[First](a.md).\n", "size.md:33: en, Full answer: only links that begin"),
        ("First.\n", "<b>First</b>\n", "size.md:33: en, Full answer: HTML does not work"),
        ("First.\n", "第一\n", "size.md:33: en, Full answer: Chinese characters"),
        ("公式如下", "公式１如下", "size.md:55: zh, 完整回答: full-width digits"),
        ("公式如下", "公式FP16如下", "size.md:55: zh, 完整回答: put a space between"),
        ("公式如下。", "公式, 如下。", "size.md:55: zh, 完整回答: use Chinese punctuation"),
        ("公式如下。", "First.", "size.md:54: zh, 完整回答: expected a Chinese text"),
        ("公式如下。", "", "size.md:54: zh, 完整回答: is empty"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_line_and_field(
    root: Path, old: str, new: str, says: str
) -> None:
    assert old in GOOD
    write(root, GOOD.replace(old, new, 1))
    with pytest.raises(CourseError) as caught:
        load_bank(root)
    assert says in str(caught.value)


def test_every_problem_of_a_file_is_found_in_its_order(root: Path) -> None:
    text = GOOD.replace("minutes: 5", "minutes: 0").replace("seed: 3", "seed: 11")
    question, problems = read_question(write(root, text))
    assert question is None
    assert [(problem.line, problem.field) for problem in problems] == [(4, "minutes"), (6, "seed")]


def test_a_file_that_is_no_utf8_is_named(root: Path) -> None:
    write(root, "").write_bytes(b"\xff")
    with pytest.raises(CourseError, match=r"size\.md:1: file: cannot be read as UTF-8"):
        load_bank(root)


def test_a_name_that_is_no_slug_is_refused(root: Path) -> None:
    write(root, GOOD.replace("seed: 3\n", ""), "Two-Words.md")
    with pytest.raises(CourseError, match=r"Two-Words\.md:1: file: expected a name"):
        load_bank(root)


def test_two_files_cannot_be_the_same_seed_question(root: Path) -> None:
    write(root, GOOD, "other.md")
    with pytest.raises(CourseError, match="seed: 3 is taken by other"):
        load_bank(root)


def test_an_estimate_needs_a_number_and_a_code_question_an_exercise(root: Path) -> None:
    without = (
        GOOD.replace("numbers:\n", "numbers: {}\n")
        .replace("  cache:", "# ")
        .replace("  kib:", "# ")
    )
    assert "numbers: an estimate question needs" in str(read_question(write(root, without))[1][0])
    code = GOOD.replace("kind: estimate", "kind: code").replace("[topic/task]", "[]")
    assert "exercises: a code question needs" in str(read_question(write(root, code))[1][0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("weight_bytes(70e9, 4, group=128) / 1e9", weight_bytes(70e9, 4, group=128) / 1e9),
        ("round(max(2**10, -3) % 7, 1)", 2),
        ("BITS['int4'] / 8", BITS["int4"] / 8),
        ("hardware()['H100 SXM'].ridge('bf16')", 989e12 / 3.35e12),
        ("linear(1, 4096, 4096, 'int8').flops", 2 * 4096 * 4096),
        ("Machine('m', 100, {'fp32': 50}).ridge('fp32')", None),
        ("x + 1", 4),
    ],
)
def test_arithmetic_over_the_cost_model_is_evaluated(text: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(BadExpressionError, match="not allowed"):
            evaluate(text)
    else:
        assert evaluate(text, {"x": 3}) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "open('x')",
        "().__class__",
        "hardware.__globals__",
        "hardware()['H100 SXM'].__class__",
        "hardware()['H100 SXM'].peak.keys()",
        "'a'.join('b')",
        "[x for x in (1, 2)]",
        "(lambda: 1)()",
        "(x := 1)",
        "f'{1}'",
        "max(*BITS)",
        "max(**BITS)",
        "2 ** 100000",
        "9 ** 9 ** 9",
        "1 / 0",
        "1e308 * 10",
        "weight_bytes",
        "'1'",
        "1j",
        "1 == 1",
        "import os",
        "",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadExpressionError):
        evaluate(text)


def test_everything_that_a_good_question_names_exists(root: Path) -> None:
    assert not list(link_problems(load_bank(root).questions, root))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("#first", "#second", "11: proof: notebooks/a_lesson.ipynb has no code cell 'second'"),
        ("a_lesson.ipynb#", "b.ipynb#", "proof: there is no file notebooks/b.ipynb"),
        ("::test_half", "::test_whole", "has no check 'test_whole'"),
        ("rows[name=b].per.cent", "rows.1", "2 entries of a list need fields in brackets"),
        ("rows[name=b]", "rows[name=c]", "0 entries of rows have name=c; name is 'b'"),
        ("per.cent", "x", "there is no 'x'; there is per.cent, name"),
        ("per.cent", "per.cent.x", "there is no 'x'; there is a plain value"),
        ("::test_it", "::test_none", "tests/unit/test_a.py has no function"),
        ("[a_lesson]", "[b_lesson]", "9: lessons: there is no 'b_lesson'"),
        ("[topic/task]", "[topic/other]", "10: exercises: there is no 'topic/other'"),
        ("follow_ups: []", "follow_ups: [other]", "8: follow_ups: there is no 'other'"),
        ("follow_ups: []", "follow_ups: [size]", "8: follow_ups: a question cannot name itself"),
        ("prerequisites: []", "prerequisites: [size]", "7: prerequisites: lead back to the"),
        ("someone2020", "nobody", "19: sources: references.bib has no 'nobody'"),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_told(root: Path, old: str, new: str, says: str) -> None:
    write(root, GOOD.replace(old, new, 1))
    problems = [str(found) for found in link_problems(load_bank(root).questions, root)]
    assert any(says in problem for problem in problems), problems


def test_prerequisites_that_go_round_are_found(root: Path) -> None:
    plain = GOOD.replace("seed: 3\n", "")
    write(root, plain.replace("prerequisites: []", "prerequisites: [b]"), "a.md")
    write(root, plain.replace("prerequisites: []", "prerequisites: [a, size]"), "b.md")
    found = list(circles(load_bank(root).questions))
    assert sorted(problem.path.stem for problem in found) == ["a", "b"]


def test_the_command_prints_every_problem_and_the_count(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(root))
    assert main([]) == 0
    assert "1 of 1 questions are whole; 0 problems." in capsys.readouterr().out
    bad = write(root, GOOD.replace("minutes: 5", "minutes: x").replace("seed: 3\n", ""), "bad.md")
    write(root, GOOD.replace("[a_lesson]", "[none]"))
    assert main([]) == 1
    said = capsys.readouterr().out
    assert "bad.md:4: minutes" in said and "size.md:9: lessons" in said
    assert "1 of 2 questions are whole; 2 problems." in said
    assert main([str(bad)]) == 1
    assert "0 of 1 questions are whole; 1 problems." in capsys.readouterr().out
