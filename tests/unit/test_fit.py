"""What fits a card: bytes, rows and speed at best, and what would fit instead."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from halfbits.course.cli.main import app
from halfbits.perf import records
from halfbits.perf.architecture.published import model, published
from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.cost import hardware, llama_3
from halfbits.perf.fit import Fit, Load
from halfbits.perf.recorded import Recorded

H100 = hardware()["H100 SXM"]


def fit(name: str, weights: str = "bf16", **load) -> Fit:
    return Fit(model(name).sizes, scheme(weights), H100, Load(**load))


def command(*words: str) -> str:
    done = CliRunner().invoke(app, ["fit", *words])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


@pytest.mark.parametrize("billions", [8, 70])
@pytest.mark.parametrize("weights", ["bf16", "int4", "int8 everything"])
def test_a_llama_costs_what_the_lessons_count(billions: int, weights: str) -> None:
    """Two countings of one model: by its config, and by the Decoder of the lessons."""
    found = fit(f"Llama-3.1-{billions}B", weights, batch=3, context=4096)
    base, ends = weights.removesuffix(" everything"), weights if " " not in weights else "int8"
    want = llama_3(billions).stored(base, ends if " " in weights else "")
    work = llama_3(billions).decode(3, 4096, base, ends=ends if " " in weights else "")
    # The scales of whole rows, 16 bits in 4096 weights and more, are counted by the Decoder alone.
    assert found.weight_bytes == pytest.approx(want.total, rel=16 / 4096 / 8 + 1e-9)
    assert found.decode().nbytes == pytest.approx(work.nbytes, rel=16 / 4096 / 8 + 1e-4)
    assert found.decode().flops == pytest.approx(work.flops, rel=1e-4)
    prompt = llama_3(billions).prefill(1, 4096, base)
    assert found.prefill().flops == pytest.approx(prompt.flops, rel=1e-4)


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "gpt-oss-120b"])
@pytest.mark.parametrize("tokens", [1, 100, 1000])
def test_a_prompt_is_each_of_its_tokens_with_those_before_it(name: str, tokens: int) -> None:
    cache = fit(name).sizes.cache
    one_by_one = sum(cache.score_flops(seen) for seen in range(1, tokens + 1))
    assert cache.prompt_flops(tokens) == one_by_one


def test_windows_and_latents_decide_the_rows_that_fit() -> None:
    windowed = fit("gpt-oss-120b", "mxfp4 experts", context=131_072)
    assert windowed.row_bytes == 4_836_556_800
    assert windowed.full_row_bytes == 131_072 * 36 * 2048
    assert (
        windowed.rows == int((windowed.budget - windowed.weight_bytes) // windowed.row_bytes) == 2
    )


def test_state_of_a_hybrid_is_counted_once_a_row_in_float32() -> None:
    hybrid = fit("Nemotron-3-Nano-30B-A3B", context=1)
    state = 4 * hybrid.sizes.cache.state
    assert hybrid.row_bytes == state + 6144
    assert hybrid.tokens == int((hybrid.budget - hybrid.weight_bytes - state) // 6144)


def test_a_step_of_many_rows_reads_nearly_all_experts() -> None:
    sizes = model("Mixtral-8x7B").sizes
    read = [fit("Mixtral-8x7B", batch=batch).read_counts()["experts"] for batch in (1, 8, 10_000)]
    assert read[0] == sizes.active["experts"] == sizes.parts["experts"] / 4
    assert read[1] == pytest.approx(sizes.parts["experts"] * (1 - 0.75**8))
    assert read[2] == pytest.approx(sizes.parts["experts"])


def test_the_first_thing_that_does_not_fit_is_named() -> None:
    assert fit("Llama-3.1-70B").what_fails() == "the weights"
    assert fit("Llama-3.1-70B", "int8", context=131_072).what_fails() == "the cache of one row"
    assert "rows: 1 fit" in fit("Llama-3.1-70B", "int8", batch=2).what_fails()
    assert fit("Llama-3.1-8B").what_fails() == ""


def test_every_choice_fits_and_none_is_given_twice() -> None:
    for name in ("Llama-3.1-70B", "Llama-3.1-405B", "gpt-oss-120b", "DeepSeek-V3"):
        found = list(fit(name, batch=8).choices())
        assert found and all(one.fits for one in found)
        keys = [(one.weights.name, one.load, one.count) for one in found]
        assert len(set(keys)) == len(keys)


def test_choices_differ_in_more_than_a_smaller_cache() -> None:
    found = [(one.weights.name, one.count) for one in fit("gpt-oss-120b", "bf16").choices()]
    assert len(set(found)) == len(found) > 3
    long = list(fit("Llama-3.1-70B", "int8", context=32_768).choices())
    assert (long[0].weights.name, long[0].load.cache) == ("int4", "bf16")


def test_speeds_are_the_rooflines() -> None:
    one = fit("Llama-3.1-8B")
    assert one.tokens_a_second() == pytest.approx(H100.bandwidth / one.decode().nbytes)
    long = fit("Llama-3.1-8B", context=4096)
    assert long.first_token_seconds() == pytest.approx(long.prefill().flops / H100.peak["bf16"])
    two = replace(long, count=2)
    assert two.first_token_seconds() == pytest.approx(long.first_token_seconds() / 2)


def test_a_format_that_the_card_multiplies_raises_the_roof_of_a_prompt() -> None:
    """fp8 weights: the layers' products at 1,979 TFLOPS, the scores and the head at 989."""
    plain, fast = (fit("Llama-3.1-8B", name, context=8192) for name in ("bf16", "fp8"))
    layers = 2 * 8192 * (plain.sizes.read - plain.sizes.active["head"])
    rest = plain.prefill().flops - layers
    roof = layers / H100.peak["fp8"] + rest / H100.peak["bf16"]
    assert fast.first_token_seconds() == pytest.approx(roof, rel=1e-3)  # norms stay in bf16
    assert fit("Llama-3.1-8B", "int4", context=8192).first_token_seconds() == pytest.approx(
        plain.first_token_seconds()
    )


def test_a_type_that_a_card_multiplies_slower_than_bf16_is_not_used() -> None:
    b300 = hardware()["B300"]  # int8 at 150 TOPS, bf16 at 2,250
    made = replace(fit("Llama-3.1-8B", "int8"), card=b300)
    assert made.arithmetic == "bf16"


def test_recorded_speed_is_below_the_roof_and_names_its_card() -> None:
    for row in json.loads(
        command("Qwen3-8B", "--card", "h100", "--card", "h200", "--weights", "fp8", "--json")
    ):
        found = row["recorded"]
        assert 0.2 < found["tokens_per_second"] / row["tokens_per_second_at_most"] < 1
        assert 1 < found["first_token_seconds"] / row["first_token_seconds_at_least"] < 4
        assert found["device"].split()[1] in row["card"] and 0 < found["error"] < 0.15


@pytest.mark.parametrize(
    ("name", "words", "missing"),
    [
        ("Llama-3.1-8B", ("--card", "b200"), "no record of the B200 has layers"),
        ("gpt-oss-120b", ("--card", "h200"), "a Llama's, without experts"),
        ("Llama-3.1-8B", ("--cache", "fp8"), "bf16 cache alone"),
        ("Llama-3.1-8B", ("--weights", "nvfp4"), "no record has a fused kernel for 'nvfp4'"),
        ("Llama-3.1-8B", ("--cards", "2"), "of one card alone"),
        ("Llama-3.1-8B", ("--context", "65536"), "prompts were measured up to 8,192 tokens"),
        ("Llama-3.1-8B", ("--context", "128", "--batch", "300"), "measured for 1 to 256 rows"),
    ],
)
def test_what_no_record_tells_is_said(name: str, words: tuple[str, ...], missing: str) -> None:
    assert missing in command(name, *words)


def test_a_recorded_layer_is_what_fit_predicts_for_its_model() -> None:
    """Layers of the record times their number, within the error that is printed beside."""
    card, record = H100, records.load("h100")
    for implementation, weights in (("bf16", "bf16"), ("fp8", "fp8"), ("int4 g128, ours", "int4")):
        for batch in (4, 32):
            same = {"stage": "decode", "model": "8B", "batch": batch, "context": 2048}
            [row] = records.rows(record, "layers", way=implementation, **same)
            one = Fit(model("Llama-3.1-8B").sizes, scheme(weights), card, Load(batch, 2048))
            found = Recorded.of(one, model("Llama-3.1-8B").config)
            head = found.predictor.product("bf16", batch, 4096, 128_256)
            layers = (found.step_seconds() - head) / 32
            assert layers == pytest.approx(row["seconds"]["median"], rel=0.15)


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "gpt-oss-120b", "Nemotron-3-Nano-30B-A3B"])
def test_what_fit_cannot_know_is_said(name: str) -> None:
    text = command(name)
    assert "Not known from a config, and assumed:" in text
    assert ("router spreads tokens evenly" in text) == model(name).sizes.has_experts
    assert ("kept in fp32" in text) == bool(model(name).sizes.cache.state)
    assert "sending costs nothing" in command(name, "--cards", "2")


def test_command_prints_lines_of_at_most_a_hundred_columns_for_every_model() -> None:
    for name in published():
        lines = command(name, "--card", "h100", "--card", "b200", "--batch", "16").splitlines()
        assert max(map(len, lines)) <= 100, name
        assert "parameters in" in lines[0]


def test_command_answers_programs_in_json() -> None:
    found = json.loads(command("gpt-oss-120b", "--card", "h100", "--card", "h200", "--json"))
    assert [row["card"] for row in found] == ["H100 SXM", "H200 SXM"]
    assert found[0]["checkpoint_bytes"] == 65_248_815_744
    assert found[0]["fits"] and found[0]["weights"] == "mxfp4 experts"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lama",), "no published model 'lama'; there is Llama"),
        (("Llama-3.1-8B", "--card", "h1000"), "no card here is called 'h1000'; there are A100"),
        (("Llama-3.1-8B", "--card", "h20"), "no card here is called 'h20'"),
        (("Llama-3.1-8B", "--card", "rtx"), "several cards here are called 'rtx'"),
        (("Llama-3.1-8B", "--card", ""), "no card here is called ''"),
        (("Llama-3.1-8B", "--weights", "int5"), "no format is called 'int5'"),
        (("Llama-3.1-8B", "--cache", "int5"), "no format is called 'int5'"),
    ],
)
def test_what_is_not_known_is_one_sentence(words: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(app, ["fit", *words])
    assert done.exit_code != 0
    assert says in str(done.exception)
    assert "\n" not in str(done.exception)
