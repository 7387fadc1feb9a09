"""`course.py why` predicts layers that it was not fitted to, and says what decides."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from halfbits.course.cli import why, why_roofline
from halfbits.course.cli.asked import ask, card_of
from halfbits.errors import CourseError
from halfbits.perf import bench, records
from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.cost import hardware
from halfbits.perf.fit import Fit, Load
from halfbits.perf.gap import gap
from halfbits.perf.predict import FITTED_LAYERS, MODELS, Predictor, between, median_error


@pytest.fixture(scope="module", params=["h100", "h200"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return Predictor(records.load(request.param))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))


def asked(device: str, weights: str, batch: int, kernel: str, model: str, context: int):
    """The question of one command, from a record."""
    known = ask(why.SHORT.get(model.lower(), model), weights)
    return why.Question.of(known, device, Load(batch, context), kernel)


def said(device: str, weights: str, batch: int, kernel: str, model: str, context: int) -> str:
    return "\n".join(why.report(asked(device, weights, batch, kernel, model, context)))


DEVICES = ("h100", "h200")


def test_the_median_error_on_layers_not_fitted_to_is_at_most_7_percent(
    predictor: Predictor,
) -> None:
    assert 0 < median_error(predictor) <= 0.07


def test_the_median_error_of_every_way_is_at_most_15_percent(predictor: Predictor) -> None:
    errors = predictor.errors()
    assert {
        implementation: e
        for implementation, e in errors.items()
        if not statistics.median(e) <= 0.15
    } == {}
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
    for implementation in predictor.implementations():
        for batch in (1, 16, 64):
            terms = predictor.decode(implementation, MODELS["70B"], batch, 512)
            assert terms.weights > 0.95 * max(
                predictor.floors(implementation, MODELS["70B"], batch)
            ), implementation


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
@pytest.mark.parametrize("device", DEVICES)
def test_the_cause_is_named(device: str, words: tuple[str, int, str], cause: str) -> None:
    assert cause in said(device, *words, "70B", 512)


@pytest.mark.parametrize("device", DEVICES)
def test_what_does_not_fit_the_card_is_said_first(device: str) -> None:
    first, *rest = why.report(asked(device, "int4", 64, "fused", "70B", 131_072))
    assert "does not fit: the weights are 39.5 GB and the KV cache 2,748.8 GB" in first
    memory = records.load(device)["hardware"]["memory_bytes"] / 1e9
    assert f"the driver reports {memory:.1f} GB" in first and rest
    assert "does not fit" not in said(device, "int4", 1, "fused", "8B", 512)


@pytest.mark.parametrize("device", DEVICES)
def test_bf16_is_not_compared_with_itself(device: str) -> None:
    lines = said(device, "bf16", 1, "fused", "8B", 512)
    assert "compared with; name another" in lines and "1.00 times" not in lines


@pytest.mark.parametrize(
    ("device", "words", "known"),
    [
        ("h100", ("int8", 1, "converted"), "--kernel fused"),
        ("h200", ("int4", 64, "torch"), "--kernel fused"),
        ("h100", ("int4", 32, "fused"), "Version 7 of these kernels loses less"),
        ("h200", ("int4", 32, "fused"), "such as Marlin"),
    ],
)
def test_a_loss_says_whether_a_better_kernel_is_known(
    device: str, words: tuple[str, int, str], known: str
) -> None:
    assert known in said(device, *words, "70B", 512)


@pytest.mark.parametrize("device", DEVICES)
def test_a_long_context_makes_the_cache_decide(device: str) -> None:
    assert "KV cache decides" in said(device, "fp8", 64, "fused", "8B", 8192)


def test_a_model_of_the_same_build_is_predicted_from_the_record() -> None:
    lines = said("h200", "int4", 8, "fused", "Qwen3-32B", 4096)
    assert "One layer of Qwen3-32B on NVIDIA H200" in lines and "From the record." in lines


def test_a_readers_card_is_not_taken_for_one_whose_name_begins_alike(tmp_path: Path) -> None:
    """A record of an H20 has its own memory and rates, not those of the H200."""
    record = records.load("h100")
    record["hardware"] |= {"device": "NVIDIA H20", "memory_bytes": 10**11}
    (tmp_path / "bench_h20.json").write_text(json.dumps(record), encoding="utf-8")
    question = asked("my h20", "fp8", 1, "fused", "8B", 512)
    card = question.fit.card
    assert (card.name, card.memory, card.bandwidth) == (
        "NVIDIA H20",
        10**11,
        question.predictor.bandwidth,
    )


def test_the_recorded_models_are_predicted_as_their_own_layers() -> None:
    """The 8B of the published table is the 8B that the records measured."""
    question = asked("h100", "fp8", 4, "fused", "Llama-3.1-8B", 512)
    layer = question.layer[0]
    assert layer == MODELS["8B"]


def test_a_model_with_windows_is_predicted_with_its_widest() -> None:
    assert asked("h100", "bf16", 1, "fused", "Mistral-7B-v0.1", 9000).layer[2] == 4096
    assert asked("h100", "bf16", 1, "fused", "Gemma-2-9B", 9000).layer[2] == 9000


def printed(capsys, *words: object) -> str:
    assert why.run(*words) == 0  # type: ignore[arg-type]
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("int4", 1, "b200", "8B", 128, "fused"), "no record of the B200 has layers"),
        (("fp8", 1, "h100", "DeepSeek-V3", 128, "fused"), "a Llama's, without latent attention"),
        (("nvfp4", 1, "h200", "8B", 128, "fused"), "no record has a fused kernel for 'nvfp4'"),
        (("int4", 65, "h100", "8B", 128, "fused"), "measured for 1 to 64 rows"),
    ],
)
def test_without_a_record_the_roofline_answers_with_its_error(
    words: tuple[str, int, str, str, int, str], missing: str, capsys
) -> None:
    lines = printed(capsys, *words)
    assert lines.startswith("From the roofline alone: ") and missing in lines.splitlines()[0]
    assert "at best" in lines and "times the roofline's time" in lines
    assert "From the record" not in lines


def test_the_roofline_gives_the_step_of_every_model_on_every_card(capsys) -> None:
    for card in hardware():
        for model in ("8B", "gpt-oss-120b", "Nemotron-3-Nano-30B-A3B", "DeepSeek-V3"):
            fit = Fit(ask(why.SHORT.get(model.lower(), model), "int4").sizes, scheme("int4"),
                      card_of(card), Load(4, 1000))  # fmt: skip
            weights, cache, arithmetic = why_roofline.parts(fit).values()
            assert fit.step_seconds() == pytest.approx(max(weights + cache, arithmetic))


@pytest.mark.parametrize("weights", ["bf16", "fp8", "int8", "int4"])
def test_no_recorded_layer_is_faster_than_the_roofline(weights: str) -> None:
    found = gap(weights)
    assert found is not None and len(found.slower) >= 80
    assert 1 < found.slower[0] <= found.typical <= found.slower[-1]


def test_the_roofline_errs_more_than_the_record(predictor: Predictor) -> None:
    for weights, implementation in (
        ("fp8", "fp8"),
        ("int8", "int8, ours"),
        ("int4", "int4 g128, ours"),
    ):
        from_roof = statistics.median(gap(weights).errors)  # type: ignore[union-attr]
        assert from_roof > 2 * statistics.median(predictor.errors()[implementation])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("int3", 1, "h100", "8B", 128, "fused"), "no format is called 'int3'"),
        (("int4", 257, "h100", "8B", 128, "torch"), "measured for 1 to 256 rows"),
        (("int4", 0, "h100", "8B", 128, "fused"), "--batch is 0"),
        (("int4", 1, "b300x", "8B", 128, "fused"), "no record of 'b300x'; there are .*, h100"),
        (("int4", 1, "cpu_avx2", "8B", 128, "fused"), "holds products but no layers"),
        (("int4", 1, "b200", "8B", 128, "converted"), "no record of the B200 has layers"),
        (("int4", 1, "h100", "9B", 128, "fused"), "no published model '9B'"),
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
        ("A100 SXM 80 GB", "a100"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
    ],
)
def test_a_card_has_a_short_name(device: str, name: str) -> None:
    assert records.short_name(device) == name


def test_a_record_of_a_gpu_names_the_version_of_the_kernels() -> None:
    kept = {name: records.load(name) for name in ("h100", "h200")}
    assert {name: record["kernels"] for name, record in kept.items()} == {"h100": 1, "h200": 7}
    assert "NVIDIA H200 (kernels of version 7)" in said("h200", "fp8", 1, "fused", "8B", 128)


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
    assert bench.run(Path("x.json"), cpu=True, minutes=2.5) == 3
    assert seen[0][1:5] == ["-m", "benchmarks.bench", "--cpu", "--output"]
    assert seen[0][-2:] == ["--minutes", "2.5"]
