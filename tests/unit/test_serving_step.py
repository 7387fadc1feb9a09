"""Steps and their times, and what a report counts: equal to what the course computes elsewhere."""

from __future__ import annotations

import math

import pytest

from halfbits.perf.cost import hardware, llama_3
from halfbits.serving import Linear, Replica, Served, Step, load_report, percentile, poisson
from halfbits.serving.request import Request, exponential, fixed

H100, SIZES = hardware()["H100 SXM"], llama_3(8)


@pytest.mark.parametrize("weights", ["bf16", "int4"])
@pytest.mark.parametrize("cache", ["bf16", "fp8", "int4 g32"])
def test_a_decode_step_and_a_prompt_are_the_works_of_the_cost_model(
    weights: str, cache: str
) -> None:
    replica = Replica(SIZES, H100, weights, cache)
    decode = Step.of([(1, 2047, True)] * 64)
    prompt = Step.of([(2048, 0, True)])
    for step, work in (
        (decode, SIZES.decode(64, 2048, weights, cache)),
        (prompt, SIZES.prefill(1, 2048, weights, cache)),
    ):
        assert replica.work(step) == work
        assert replica.seconds(step) == pytest.approx(H100.seconds(work, "bf16"), rel=1e-12)


def test_eight_bits_on_both_sides_shorten_a_prompt_and_four_bit_weights_do_not() -> None:
    prompt = Step.of([(2048, 0, True)])
    took = {w: Replica(SIZES, H100, w).seconds(prompt) for w in ("bf16", "fp8", "int4")}
    assert took["int4"] == took["bf16"] > 1.8 * took["fp8"]


def test_chunks_look_at_the_same_pairs_as_the_whole_prompt() -> None:
    whole = Step.of([(1000, 0, True)])
    parts = [Step.of([(min(96, 1000 - at), at, at + 96 >= 1000)]) for at in range(0, 1000, 96)]
    for name in ("tokens", "answers", "pairs"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)
    assert sum(part.context for part in parts) > whole.context  # the cache is read again


def test_smaller_weights_and_caches_leave_room_for_more_blocks() -> None:
    fit = {
        (w, c): Replica(SIZES, H100, w, c).blocks()
        for w in ("bf16", "int4")
        for c in ("bf16", "fp8")
    }
    assert fit["bf16", "fp8"] // 2 == fit["bf16", "bf16"] < fit["int4", "bf16"] < fit["int4", "fp8"]
    room = 0.9 * H100.memory - SIZES.stored("bf16").total
    assert fit["bf16", "bf16"] == int(room / (16 * SIZES.kv_bytes("bf16")))
    assert Replica(llama_3(70), H100).blocks() == 0


def test_a_fit_finds_the_terms_that_made_the_times() -> None:
    made = Linear(3e-3, 2e-4, 5e-5, 1e-7)
    steps = [Step.of([(n, 0, True)]) for n in (8, 64, 200)]
    steps += [Step.of([(1, seen, True)] * rows) for rows in (1, 4, 8) for seen in (16, 300)]
    found = Linear.fit(steps, [made.seconds(step) for step in steps])
    for name in ("fixed", "token", "answer", "pair"):
        assert getattr(found, name) == pytest.approx(getattr(made, name), rel=1e-6)


def test_a_fit_has_no_term_below_zero() -> None:
    steps = [Step.of([(n, 0, True)]) for n in (1, 10, 100, 1000)]
    found = Linear.fit(steps, [1.0, 1.1, 2.0, 5.0])  # grows more slowly than any straight line
    assert min(found.fixed, found.token, found.answer, found.pair) >= 0
    with pytest.raises(ValueError, match="at least four"):
        Linear.fit(steps[:3], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="above 0"):
        Linear.fit(steps, [1.0, 1.0, math.nan, 1.0])


def test_arrivals_of_a_seed_are_stretched_by_the_rate_and_keep_their_lengths() -> None:
    slow, fast = (poisson(r, 50, exponential(300, 2048), fixed(9), seed=3) for r in (1, 8))
    for one, other in zip(slow, fast, strict=True):
        assert one.arrival == pytest.approx(8 * other.arrival)
        assert (one.prompt, one.answer) == (other.prompt, 9)
    assert poisson(1, 50, exponential(300, 2048), fixed(9), seed=4) != slow


def test_the_mean_gap_of_many_arrivals_is_one_over_the_rate() -> None:
    count = 4000
    last = poisson(5.0, count, fixed(1), fixed(1))[-1].arrival
    # A sum of n exponential gaps has the standard deviation sqrt(n) / rate.
    assert abs(last - count / 5) < 4 * math.sqrt(count) / 5


@pytest.mark.parametrize("rate", [0, -1, math.nan])
def test_a_rate_has_to_be_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        poisson(rate, 1, fixed(1), fixed(1))


def test_a_request_has_a_prompt_an_answer_and_a_time() -> None:
    for wrong in ((-1.0, 1, 1), (math.nan, 1, 1), (0.0, 0, 1), (0.0, 1, 0)):
        with pytest.raises(ValueError, match="negative arrival or an empty"):
            Request(*wrong)
    with pytest.raises(ValueError, match="shares more"):
        Request(0.0, 5, 1, "system", 6)


def test_a_report_counts_as_the_exercise_does() -> None:
    served = [Served(0.0, [0.25, 0.5, 0.75, 1.0]), Served(0.0, [1.25, 1.5, 1.75, 2.0])]
    failed, single = Served(0.5, []), Served(0.0, [0.5])
    report = load_report([*served, failed, single], 0.5, 0.25)
    assert report["ttft_p50"] == 0.5 and report["ttft_p99"] == 1.25
    assert report["tpot_p50"] == report["tpot_p99"] == 0.25
    assert report["tokens_per_second"] == 9 / 2
    assert report["goodput"] == 2 / 2 and report["attainment"] == 2 / 4
    nothing = load_report([failed], 1, 1)
    assert nothing["goodput"] == nothing["tokens_per_second"] == 0
    assert math.isnan(nothing["ttft_p50"]) and math.isnan(percentile([], 50))


def test_tokens_that_came_together_count_each() -> None:
    assert Served(0.0, [1.0, 3.0], tokens=5).tpot == 0.5
    assert math.isnan(Served(0.0, [1.0]).tpot)
