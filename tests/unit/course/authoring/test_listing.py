"""Running a printed listing: unchanged, alone, offline, with its outcome told in words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from halfbits.course.authoring.listing import run_listing, without_path

LISTINGS = Path(__file__).parents[4] / "notebooks" / "faq_listings"
# SHA-256 of each listing as the FAQ printed it.
PRINTED = {
    "keras_training": "e6c495de96ca73238500b62cae3a1662e40f37e5fd648bbe71e6a4d8efe34a3e",
    "fp16_conversion": "154d86cbb76b5f6df525c8739649bf44e2f9257ff960a8c31d4939c9a7fc9755",
    "quantized_layer": "7801b731ff9034803c9280bf99bf07eef76d7acd492958934066709f5b10a2ec",
    "accuracy_report": "c0c824095428415c51a9db4e9ce38faf8f7a416dd962ccc5b937a79ad9f1e604",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_listings_are_kept_as_the_faq_printed_them(name: str) -> None:
    text = (LISTINGS / f"{name}.py").read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == PRINTED[name]


def test_output_result_and_warnings_come_back() -> None:
    code = "import warnings\nwarnings.warn('careful')\nprint('done')\nvalue = 2"
    outcome = run_listing(code, after="result = value + 1")
    assert (outcome.error, outcome.printed, outcome.result) == (None, "done\n", 3)
    assert outcome.warned("careful") and not outcome.warned("other")


def test_an_exception_is_told_with_its_type() -> None:
    assert run_listing("1 / 0").error == "ZeroDivisionError: division by zero"


def test_the_network_is_off() -> None:
    outcome = run_listing("import urllib.request\nurllib.request.urlopen('http://localhost')")
    assert outcome.error is not None and "the network is off in this run" in outcome.error


def test_before_runs_in_the_same_namespace() -> None:
    assert run_listing("print(given)", before="given = 'here'").printed == "here\n"


def test_a_process_that_dies_is_reported() -> None:
    with pytest.raises(RuntimeError, match="died with status 3"):
        run_listing("import os\nos._exit(3)")


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ("ImportError: no name 'a' (/usr/lib/a.py)", "ImportError: no name 'a'"),
        ("ImportError: no name 'a' (C:\\lib\\a.py)", "ImportError: no name 'a'"),
        ("ValueError: too many values (expected 2)", "ValueError: too many values (expected 2)"),
        (None, None),
    ],
)
def test_a_machines_path_is_dropped_from_an_error(error: str | None, kept: str | None) -> None:
    assert without_path(error) == kept
