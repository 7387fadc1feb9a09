"""Claims of the interview bank on running a service: alerts, prices, cards that share a model."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
import torch
from interview_draws import draw

from halfbits.perf.cost import hardware, llama_3

HOURS = 30 * 24


def burn_rate(bad: list[float], hours: float, target: float) -> float:
    """Of the last `hours` of shares of bad requests, one for each minute."""
    return fmean(bad[-round(60 * hours) :]) / (1 - target)


def pages(bad: list[float], target: float = 0.99) -> bool:
    windows = ((1, 5 / 60, 14.4), (6, 30 / 60, 6))
    return any(
        burn_rate(bad, long, target) > rate and burn_rate(bad, short, target) > rate
        for long, short, rate in windows
    )


def test_a_burn_rate_of_14_4_spends_a_fiftieth_of_a_month_in_an_hour() -> None:
    assert pytest.approx(1 / 50) == 14.4 / HOURS
    assert pytest.approx(50) == HOURS / 14.4  # hours until it is gone
    assert pytest.approx(0.05) == 6 * 6 / HOURS


def test_two_windows_page_for_a_lasting_fault_and_not_for_a_short_or_a_past_one() -> None:
    good = [0.0] * 600
    assert not pages(good)
    assert pages([*good, *[0.3] * 40])  # lasting
    assert not pages([*good, *[0.3] * 2])  # a blip
    assert not pages([*good, *[0.3] * 40, *[0.0] * 10])  # past: the short window has ended it
    assert pages([*good, *[0.08] * 360])  # slower, for hours


def decode_dollars(chips: int, price: float, bandwidth: float, rows: int) -> float:
    nbytes = llama_3(70).decode(rows, 2048, "int8").nbytes
    return chips * price / 3600 * nbytes / (chips * bandwidth) / rows


def test_in_decode_the_price_of_a_token_does_not_depend_on_how_many_chips_share_it() -> None:
    assert decode_dollars(2, 3, 3.35e12, 32) == pytest.approx(decode_dollars(8, 3, 3.35e12, 32))
    for chip in ("H100 SXM", "A100 SXM 80 GB"):  # bandwidth is the limit at both batches
        for rows in (32, 128):
            assert hardware()[chip].is_memory_bound(llama_3(70).decode(rows, 2048, "int8"), "int8")


def test_with_equal_prices_for_bandwidth_two_chips_cost_the_same_in_decode() -> None:
    even = 1.20 * hardware()["H100 SXM"].bandwidth / 819e9
    mine = decode_dollars(2, even, hardware()["H100 SXM"].bandwidth, 32)
    assert mine == pytest.approx(decode_dollars(8, 1.20, 819e9, 32))


def solved(price: float, tokens: float, rate: float) -> float:
    """Dollars for a task that is tried until it is solved, at a rate of success for each try."""
    return price * tokens / rate


def test_a_cheaper_token_may_make_a_dearer_task() -> None:
    full, small = solved(1.0, 1000, 0.80), solved(0.8, 1200, 0.70)
    assert small > full  # a fifth cheaper, a fifth longer, a few points worse
    assert solved(0.5, 1100, 0.78) < full
    draws = random.Random(0)
    tries = [next(n for n in range(1, 99) if draws.random() < 0.7) for _ in range(20_000)]
    assert fmean(tries) == pytest.approx(1 / 0.7, rel=0.03)


def test_columns_then_rows_need_one_sum_over_the_cards_for_two_products() -> None:
    x, up, down = draw(0, 5, 16), draw(1, 64, 16), draw(2, 16, 64)
    whole = torch.relu(x @ up.T) @ down.T
    parts = [
        torch.relu(x @ columns.T) @ rows.T
        for columns, rows in zip(up.chunk(4), down.chunk(4, dim=1), strict=True)
    ]
    torch.testing.assert_close(sum(parts), whole)
    cut_first = sum(
        torch.relu(part) for part in (x.chunk(4, 1)[i] @ up.chunk(4, 1)[i].T for i in range(4))
    )
    assert not torch.allclose(cut_first @ down.T, whole)  # rows first would need a sum in between


def ring(cards: int, chunks: int) -> tuple[list[list[int]], int]:
    """A ring all-reduce of cards x chunks ones: the sums, and the chunks that each card sent."""
    held = [[1] * chunks for _ in range(cards)]
    sent = 0
    for step in range(2 * (cards - 1)):
        add = step < cards - 1  # first reduce-scatter, then all-gather
        moves = []
        for card in range(cards):
            chunk = (card - step) % cards if add else (card + 1 - (step - cards + 1)) % cards
            moves.append((card, (card + 1) % cards, chunk, held[card][chunk]))
        for _, to, chunk, value in moves:
            held[to][chunk] = held[to][chunk] + value if add else value
        sent += 1
    return held, sent


def test_a_ring_moves_nearly_twice_the_bytes_of_what_it_sums() -> None:
    held, sent = ring(8, 8)
    assert held == [[8] * 8] * 8
    assert sent / 8 == pytest.approx(2 * 7 / 8)  # of the message


def test_the_busiest_of_many_expert_cards_has_more_than_its_share() -> None:
    draws = random.Random(0)
    loads = []
    for _ in range(20):
        cards = [0] * 32
        for _ in range(32 * 128):  # tokens; 8 experts each, 8 experts on a card
            for expert in draws.sample(range(256), 8):
                cards[expert // 8] += 1
        loads.append(max(cards) / fmean(cards))
    assert 1.02 < fmean(loads) < 1.2  # even where all experts are equally popular
