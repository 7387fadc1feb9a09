"""Right answers of unusual form: the grader judges what they compute, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_course import CATALOG, COUNTER, DOUBLE, cell, make_course, notebook, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.judge.time_limit import AVAILABLE
from halfbits.course.grading.report import NOT_RUN, Report
from halfbits.course.grading.runner import grade, grade_answers
from halfbits.course.grading.submission import named
from halfbits.errors import CourseError

timed = pytest.mark.skipif(not AVAILABLE, reason="this system has no timer for a process")
HELPED = "def double(x):\n    return FACTOR * x\n"
TORCH = CATALOG.replace("preload = []", 'preload = ["torch"]').replace("limit = 5", "limit = 90")


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path / "course"))


def graded(course: Catalog, *cells: str) -> Report:
    return grade_answers(course, course.find("double"), list(cells))


def graded_file(course: Catalog, name: str, content: object) -> Report:
    path = write(course.root / "exercises" / "numbers" / name, content)  # type: ignore[arg-type]
    return grade_answers(course, course.find("double"), path)


@pytest.mark.parametrize(
    "code",
    [
        "import torch._dynamo",
        "torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])",
        'torch.compile(torch.nn.Linear(2, 2), backend="eager")(torch.ones(1, 2))',
    ],
)
def test_what_torch_replaces_in_itself_is_not_the_answers_doing(tmp_path: Path, code: str) -> None:
    root = make_course(tmp_path)
    write(root / "exercises" / "course.toml", TORCH)
    inside = f"import torch\ndef double(x):\n    {code}\n    return 2 * x"
    for cells in ((inside, COUNTER), (f"import torch\n{code}", DOUBLE, COUNTER)):
        report = graded(load_catalog(root), *cells)
        assert report.all_pass, report.failures
        assert report.notes == []


def test_what_an_answer_replaces_in_torch_is(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    write(root / "exercises" / "course.toml", TORCH)
    inside = (
        "import torch\ndef double(x):\n    torch.manual_seed = lambda s: None\n    return 2 * x"
    )
    report = graded(load_catalog(root), inside, COUNTER)
    assert "the answer replaced torch.manual_seed" in report.failures["test_doubles_numbers"]


def test_objects_of_the_checks_and_of_the_answer_can_be_pickled(course: Catalog) -> None:
    checks = course.root / "exercises" / "numbers" / "test_double.py"
    asks = "\n\nclass Number:\n    value = 4\n\n\n@pytest.mark.task('double')\n"
    asks += "def test_doubles_objects(answer):\n    assert answer.double(Number()) == 8\n"
    write(checks, checks.read_text("utf-8") + asks)
    code = (
        "import pickle\nclass Box: pass\ndef double(x):\n    pickle.loads(pickle.dumps(Box()))\n"
        "    x = pickle.loads(pickle.dumps(x))\n    return 2 * getattr(x, 'value', x)"
    )
    assert graded(course, code, COUNTER).all_pass
    assert graded_file(course, "double.py", f"{code}\n{COUNTER}").all_pass


def test_script_is_imported_and_knows_its_file(course: Catalog) -> None:
    script = (
        "from pathlib import Path\nFACTOR = len(Path(__file__).name) - 7\n"
        f"{HELPED}{COUNTER}\nif __name__ == '__main__':\n    raise SystemExit(FACTOR)\n"
    )
    report = graded_file(course, "double.py", script)
    assert report.all_pass, (report.problem, report.failures)


@timed
def test_slow_demonstration_is_stopped_and_the_answer_judged(course: Catalog) -> None:
    slow = "import time\nfor _ in range(600):\n    time.sleep(0.1)"
    for cells in ((DOUBLE, COUNTER, slow), (slow, DOUBLE, COUNTER)):
        report = graded(course, *cells)
        assert report.all_pass, (report.problem, report.failures)
        # Two thirds of three quarters of 5 s, less what the cells above took.
        assert re.search(r"cell \d, line [23] was stopped after 2[.\d]* s", " ".join(report.notes))


@timed
def test_endless_function_leaves_the_other_functions_their_verdicts(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    while True:\n        pass", COUNTER)
    assert report.passed == 1
    assert "double.ipynb, cell 1, line" in report.failures["test_doubles_numbers"]


def test_helper_in_a_free_cell_is_found_and_told(course: Catalog) -> None:
    helper = cell("FACTOR = BASE + 1", "skip-grading")
    base, other = cell("BASE = 1", "skip-grading"), cell("1 / 0", "skip-grading")
    report = graded_file(course, "double.ipynb", notebook(other, base, helper, HELPED, COUNTER))
    assert report.all_pass, report.failures
    told = " ".join(report.notes)
    assert "cell 3 is a free cell" in told and "FACTOR" in told and "cell 1 " not in told


def test_answer_in_a_free_cell_is_not_dropped_without_a_word(course: Catalog) -> None:
    stub = "def double(x):\n    raise NotImplementedError"
    report = graded_file(
        course, "double.ipynb", notebook(stub, COUNTER, cell(DOUBLE, "skip-grading"))
    )
    assert report.unwritten_tasks() == ["double"]
    assert "cell 3 is a free cell (tag skip-grading): its double was not graded." in report.notes


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_answer_cell_of_another_type_is_graded_and_told(course: Catalog, kind: str) -> None:
    turned = cell(DOUBLE, "answer", kind=kind)
    report = graded_file(course, "double.ipynb", notebook(turned, COUNTER))
    assert report.all_pass, report.failures
    assert f"cell 1 is a {kind} cell" in " ".join(report.notes)
    wins = notebook("def double(x): return x + x", turned | {"source": "def double(x): ?"}, COUNTER)
    assert graded_file(course, "double.ipynb", wins).notes == []


def test_file_that_is_named_is_the_file_that_is_graded(course: Catalog, tmp_path: Path) -> None:
    own = course.root / "exercises"
    write(own / "numbers" / "double.ipynb", notebook("def double(x): return x", COUNTER))
    elsewhere = write(tmp_path / "elsewhere" / "double.ipynb", notebook(DOUBLE, COUNTER))
    assert grade(named(course, str(elsewhere), own)).all_pass
    assert grade(named(course, "double", own)).passed == 1
    assert grade(named(course, "exercises/numbers/double.ipynb", own)).passed == 1
    with pytest.raises(CourseError, match=r"There is no file nowhere/double\.ipynb"):
        named(course, "nowhere/double.ipynb", own)


def test_tasks_without_tensorflow_are_judged_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_course(tmp_path / "course")
    catalog = root / "exercises" / "course.toml"
    write(catalog, CATALOG.replace("preload = []", 'preload = ["tensorflow"]'))
    absent = 'raise ModuleNotFoundError("No module named {0!r}", name={0!r})'
    for name in ("tensorflow", "keras"):
        write(tmp_path / "path" / f"{name}.py", absent.format(name))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    for code in (
        "def double(x):\n    import tensorflow as tf\n    return 2 * x",
        "import tensorflow as tf\ndef double(x):\n    return tf.add(x, x)",
    ):
        report = graded(load_catalog(root), code, COUNTER)
        assert report.problem is None
        assert [verdict.kind for verdict in report.verdicts] == [NOT_RUN, NOT_RUN, "passed"]
        assert "TensorFlow is not installed here; `python course.py start`" in str(report.failures)
        assert report.summary() == "1 of 3 checks pass; 2 not judged"
