"""Claims of the interview bank on who runs when and where: schedulers, stages, hosts, guesses."""

from __future__ import annotations

import pytest
import torch
from interview_draws import draw
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from halfbits.perf.cost import hardware, llama_3


def attend(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return torch.softmax(query @ keys.T, -1) @ values


def test_a_cache_set_back_behind_a_rejected_guess_is_one_that_never_saw_it() -> None:
    text, guesses, query = draw(0, 6, 8), draw(1, 4, 8), draw(2, 8)
    written = torch.cat([text, guesses])  # the check writes all guesses; here key = value
    kept = written[: len(text) + 2]  # two were accepted: the length is set back
    never = torch.cat([text, guesses[:2]])
    torch.testing.assert_close(attend(query, kept, kept), attend(query, never, never))
    assert not torch.allclose(attend(query, written, written), attend(query, never, never))


def test_a_rejected_guess_inside_a_group_changes_the_scale_of_its_neighbors() -> None:
    group = draw(3, 4, 8)
    with_guess = torch.cat([group[:3], 3 * group[3:]])  # the fourth token is rejected later
    assert not torch.equal(group.abs().amax(0), with_guess.abs().amax(0))  # scales by channel


def test_independent_heads_put_a_name_of_two_words_together_half_of_the_time() -> None:
    names = torch.tensor([[0.5, 0.0], [0.0, 0.5]])  # New York, Los Angeles
    first, second = names.sum(1), names.sum(0)
    assert (torch.outer(first, second) * (names > 0)).sum() == 0.5
    following = names / first[:, None]  # what a draft that sees the first word can learn
    assert (first[:, None] * following * (names > 0)).sum() == 1


def saved(run: object, x: Tensor) -> int:
    """Tensors that autograd keeps for a backward pass."""
    count = 0

    def pack(tensor: Tensor) -> Tensor:
        nonlocal count
        count += 1
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        run(x)  # type: ignore[operator]
    return count


def test_without_a_graph_nothing_is_saved_so_checkpointing_saves_nothing() -> None:
    layers = nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.GELU()) for _ in range(4)])

    def remade(x: Tensor) -> Tensor:
        return checkpoint(layers, x, use_reentrant=True)

    x = draw(4, 2, 8).float().requires_grad_()
    assert saved(remade, x) < saved(layers, x)
    with torch.no_grad():
        assert saved(layers, x) == saved(remade, x) == 0


def served(arrivals: list[tuple[int, int]], blocks: int, reserve: int = 0) -> tuple[list[int], int]:
    """Requests (prompt, answer), a block a token, all waiting at first: who finishes in which
    order, and how often the last arrived was preempted."""
    waiting, running = [[name, p, a] for name, (p, a) in enumerate(arrivals)], []
    finished, preempted = [], 0
    while waiting or running:
        free = blocks - sum(held for _, held, _ in running)
        fits = bool(waiting) and waiting[0][1] + (reserve if running else 0) <= free
        if fits:  # a step of prefill alone; its tokens so far are computed again
            running.append(waiting.pop(0))
            continue
        for row in list(running):
            if row not in running:
                continue  # it gave its blocks back in this step
            if sum(held for _, held, _ in running) == blocks:
                preempted += 1
                waiting.insert(0, running.pop())
            if row in running:
                row[1], row[2] = row[1] + 1, row[2] - 1
        finished += [name for name, _, left in running if not left]
        running = [row for row in running if row[2]]
    return finished, preempted


def test_the_last_arrived_gives_its_blocks_back_and_the_first_finishes_first() -> None:
    finished, preempted = served([(4, 6), (4, 6)], blocks=12)
    assert finished == [0, 1] and preempted == 1
    assert served([(4, 6), (4, 6)], blocks=20) == ([0, 1], 0)


def test_without_a_reserve_a_new_prompt_is_preempted_in_the_step_after_it_came() -> None:
    without, with_one = (served([(4, 6), (8, 2)], blocks=12, reserve=r)[1] for r in (0, 2))
    assert without > with_one == 0


def passed(stages: int, groups: int, slots: int) -> list[tuple[int, int]]:
    """Which group is in which stage in each slot, when a group re-enters as soon as it is out."""
    at, busy = {group: -group for group in range(groups)}, []
    for _ in range(slots):
        inside = [(group, place % stages) for group, place in at.items() if place >= 0]
        assert len({stage for _, stage in inside}) == len(inside)  # a stage has one group at a time
        busy += inside
        at = {group: place + 1 for group, place in at.items()}
    return busy


def test_stages_idle_for_p_minus_1_of_m_plus_p_minus_1_slots() -> None:
    for pieces, stages in ((1, 4), (4, 4), (16, 4)):
        slots = pieces + stages - 1  # until the last piece has left the last stage
        busy = sum(0 <= slot - piece < stages for piece in range(pieces) for slot in range(slots))
        assert slots * stages - busy == (stages - 1) * stages  # of slots * stages


def test_stages_multiply_the_batches_in_flight_and_leave_the_time_of_a_token() -> None:
    one, four = (passed(4, groups, 4000) for groups in (1, 4))
    tokens = [sum(stage == 3 for _, stage in busy) for busy in (one, four)]
    assert tokens[0] == 1000 and 3990 < tokens[1] <= 4000
    assert sum(group == 0 and stage == 3 for group, stage in four) == 1000  # no user is faster


def test_a_tenth_of_the_layers_on_a_host_can_take_half_of_the_time() -> None:
    on_card, on_host = 0.9, 0.1 * 10  # bytes over bandwidth; the host reads ten times slower
    assert 0.5 < on_host / (on_card + on_host) < 0.55


def test_streaming_weights_over_a_link_pays_for_itself_with_rows() -> None:
    nbytes, link, memory, peak = 1e9, 25e9, 80e9, 2e12  # of a host that does 2 TFLOP/s

    def on_cpu(rows: int) -> float:
        return max(nbytes / memory, 4 * nbytes * rows / peak)  # two weights a byte

    streamed = nbytes / link  # whatever the rows, while the GPU keeps up
    assert on_cpu(1) < streamed < on_cpu(2048)


def waits(rate: float, requests: int) -> list[float]:
    """Of one server whose service takes 1 on average: exponential arrivals and services."""
    gaps, services = torch.empty(2, requests, dtype=torch.float64).exponential_(
        generator=torch.Generator().manual_seed(0)
    )
    now, free, found = 0.0, 0.0, []
    for gap, service in zip((gaps / rate).tolist(), services.tolist(), strict=True):
        now += gap
        found.append(max(free - now, 0.0))
        free = max(free, now) + service
    return found


def test_waiting_grows_with_the_odds_of_being_busy_and_without_end_above_capacity() -> None:
    half, ninety = (torch.tensor(waits(rate, 200_000)).mean() for rate in (0.5, 0.9))
    assert half == pytest.approx(1, rel=0.05)  # u / (1 - u) at 50%
    assert ninety == pytest.approx(9, rel=0.15)  # and at 90%
    over = waits(2.0, 20_000)
    assert over[-1] > 1.8 * over[len(over) // 2] > 1000  # it grows with time


def test_a_batch_hides_load_until_its_cache_is_full() -> None:
    card, sizes = hardware()["H100 SXM"], llama_3(8)
    step = {rows: card.seconds(sizes.decode(rows, 2048, "bf16"), "bf16") for rows in (1, 64)}
    assert step[64] < 2.2 * step[1]
    room = 0.9 * card.memory - sizes.stored("bf16").total
    assert 200 < room / (2048 * sizes.kv_bytes("bf16")) < 256
