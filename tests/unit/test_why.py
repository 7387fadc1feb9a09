"""`course.py why` predicts layers that it was not fitted to, and says what decides."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from halfbits.course.cli import why
from halfbits.errors import CourseError
from halfbits.perf import bench, records
from halfbits.perf.predict import FITTED_LAYERS, MODELS, Predictor, between, median_error


@pytest.fixture(scope="module", params=["h100", "h200"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return Predictor(records.load(request.param))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))


def test_the_median_error_on_layers_not_fitted_to_is_at_most_7_percent(
    predictor: Predictor,
) -> None:
    assert 0 < median_error(predictor) <= 0.07


def test_the_median_error_of_every_way_is_at_most_15_percent(predictor: Predictor) -> None:
    errors = predictor.errors()
    assert {way: e for way, e in errors.items() if not statistics.median(e) <= 0.15} == {}
    assert len(errors) == 6 and min(len(e) for e in errors.values()) >= 30


def test_products_of_other_shapes_are_predicted(predictor: Predictor) -> None:
    errors = predictor.product_errors()
    assert len(errors) > 50 and 0 < statistics.median(errors) < 0.15


def test_rows_that_were_fitted_to_are_not_judged(predictor: Predictor) -> None:
    layers = records.rows(predictor.record, "layers", stage="decode")
    fitted = [row for row in layers if FITTED_LAYERS.items() <= row.items()]
    judged = sum(map(len, predictor.errors().values()))
    assert fitted and judged == len([r for r in layers if r["way"] != "bf16" and r not in fitted])


def test_no_prediction_is_below_the_roofline(predictor: Predictor) -> None:
    for way in predictor.ways():
        for batch in (1, 16, 64):
            terms = predictor.decode(way, MODELS["70B"], batch, 512)
            assert terms.weights > 0.95 * max(predictor.floors(way, MODELS["70B"], batch)), way


def test_more_rows_and_more_context_never_take_less_time(predictor: Predictor) -> None:
    model = MODELS["8B"]
    spread = 0.03  # what is flat in the batch is recorded with that much noise
    for batch, context in ((1, 128), (16, 2048)):
        now = predictor.decode("bf16", model, batch, context).total
        assert predictor.decode("bf16", model, 4 * batch, context).total >= (1 - spread) * now
        assert predictor.decode("bf16", model, batch, 4 * context).total >= now


def test_rates_between_two_batches_lie_between_their_rates() -> None:
    assert between(4, [1.0, 16.0], [1.0, 4.0]) == pytest.approx(2)
    assert between(1, [1.0, 16.0], [1.0, 4.0]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("int4", 1, "fused"), "Reading the weights decides"),
        (("int4", 32, "fused"), "The kernel decides"),
        (("int8", 1, "converted"), "The kernel decides"),
    ],
)
def test_the_cause_is_named(predictor: Predictor, words: tuple[str, int, str], cause: str) -> None:
    weights, batch, kernel = words
    way = why.way_of(predictor, weights, kernel, batch)
    assert cause in "\n".join(why.report(predictor, way, "70B", batch, 512))


def test_what_does_not_fit_the_card_is_said_first(predictor: Predictor) -> None:
    way = why.way_of(predictor, "int4", "fused", 64)
    first, *rest = why.report(predictor, way, "70B", 64, 131_072)
    assert "does not fit: the weights are 39.5 GB and the KV cache 2,748.8 GB" in first
    memory = predictor.record["hardware"]["memory_bytes"] / 1e9
    assert f"the driver reports {memory:.1f} GB" in first and rest
    assert "does not fit" not in "\n".join(why.report(predictor, way, "8B", 1, 512))


def test_bf16_is_not_compared_with_itself(predictor: Predictor) -> None:
    said = "\n".join(why.report(predictor, "bf16", "8B", 1, 512))
    assert "compared with; name another" in said and "1.00 times" not in said


@pytest.mark.parametrize(
    ("device", "words", "known"),
    [
        ("h100", ("int8", 1, "converted"), "--kernel fused"),
        ("h200", ("int4", 64, "torch"), "--kernel fused"),
        ("h100", ("int4", 32, "fused"), "Version 2 of these kernels loses less"),
        ("h200", ("int4", 32, "fused"), "such as Marlin"),
    ],
)
def test_a_loss_says_whether_a_better_kernel_is_known(
    device: str, words: tuple[str, int, str], known: str
) -> None:
    weights, batch, kernel = words
    record = Predictor(records.load(device))
    way = why.way_of(record, weights, kernel, batch)
    assert known in "\n".join(why.report(record, way, "70B", batch, 512))


def test_a_long_context_makes_the_cache_decide(predictor: Predictor) -> None:
    assert "KV cache decides" in "\n".join(why.report(predictor, "fp8", "8B", 64, 8192))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("int3", 1, "h100", "8B", 128, "fused"), "no kernel 'fused' for 'int3'"),
        (("int4", 65, "h100", "8B", 128, "fused"), "measured for 1 to 64 rows"),
        (("int4", 1, "b200", "8B", 128, "fused"), "no record of 'b200'"),
        (("int4", 1, "h100", "9B", 128, "fused"), "no model '9B'"),
    ],
)
def test_what_was_not_measured_is_refused_in_a_sentence(
    words: tuple[str, int, str, str, int, str], message: str
) -> None:
    with pytest.raises(CourseError, match=message):
        why.run(*words)


def test_a_readers_record_stands_beside_the_h100s(tmp_path: Path) -> None:
    ours = records.load("h100")
    (tmp_path / "bench_mine.json").write_text(json.dumps(ours), encoding="utf-8")
    lines = records.beside(records.load("my mine"), ours)
    assert any(line.startswith("bf16 8192x8192") for line in lines)
    assert all(len(set(line.split()[-2:])) == 1 for line in lines[1:])  # the same machine


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA A100-SXM4-40GB", "a100"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
    ],
)
def test_a_card_has_a_short_name(device: str, name: str) -> None:
    assert records.short_name(device) == name


def test_a_record_of_a_gpu_names_the_version_of_the_kernels() -> None:
    kept = {name: records.load(name) for name in ("h100", "h200")}
    assert {name: record["kernels"] for name, record in kept.items()} == {"h100": 1, "h200": 2}
    lines = why.report(Predictor(kept["h200"]), "fp8", "8B", 1, 128)
    assert "NVIDIA H200 (kernels of version 2)" in lines[0]


def test_no_row_of_the_h200_is_faster_than_its_floor_but_for_the_spread() -> None:
    rows = records.rows(records.load("h200"), "gemv", "gemv_more", "kv_cache", "ablation")
    below = [row for row in rows if not row["seconds"]["high"] >= 0.97 * row["floor"]]
    assert len(rows) > 400 and below == []


def test_records_state_their_hardware_versions_and_command() -> None:
    for name in records.known():
        record = records.load(name)
        assert record["hardware"]["device"] and record["versions"]["torch"]
        assert record["command"] == "python course.py bench" and record["samples"] >= 9


def test_the_command_runs_the_benchmarks_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def started(command: list[str], cwd: Path, **_: object) -> object:
        seen.append(command)
        assert (cwd / "benchmarks" / "bench.py").is_file()
        return type("Done", (), {"returncode": 3})()

    monkeypatch.setattr(bench.subprocess, "run", started)
    assert bench.run(Path("x.json"), cpu=True) == 3
    assert seen[0][1:5] == ["-m", "benchmarks.bench", "--cpu", "--output"]
