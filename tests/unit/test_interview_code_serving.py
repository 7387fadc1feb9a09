"""The Python that answers on requests and tokens show: streams, samplers, trees of prefixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from interview_draws import draw
from test_interview_code import defined


def bytes_to_text(ids: list[int]) -> str:
    """A tokenizer whose tokens are bytes, so that most characters of Chinese are three."""
    return bytes(ids).decode("utf-8", errors="replace")


def pieces(text: str, stop: str) -> list[str]:
    stream: Callable[..., Iterable[str]] = defined("from_http_to_token")["stream"]
    return list(stream(list(text.encode("utf-8")), bytes_to_text, stop))


@pytest.mark.parametrize("text", ["plain text", "\u91cf\u5316 and \u00e9", "ends in <e", ""])
def test_the_stream_that_the_answer_shows_never_sends_half_a_character_or_a_part_of_the_stop(
    text: str,
) -> None:
    sent = pieces(text, "<end>")
    assert "".join(sent) == text
    assert "\ufffd" not in "".join(sent)
    assert not any("<" in piece for piece in sent[:-1])  # it may have been the stop's beginning


def test_a_stop_string_is_found_across_tokens_and_nothing_after_it_is_sent() -> None:
    assert "".join(pieces("an answer<end>more", "<end>")) == "an answer"
    assert "".join(pieces("\u7b54<end>", "<end>")) == "\u7b54"


LOGITS = torch.tensor([0.5, 0.25, 0.15, 0.07, 0.03]).log()


def kept(**parameters: float) -> list[int]:
    sampler = defined("sampling_parameters")["token_probabilities"]
    p = sampler(LOGITS, **parameters)
    torch.testing.assert_close(p.sum(), torch.tensor(1.0))
    return [place for place, one in enumerate(p.tolist()) if one > 0]


def test_the_sampler_that_the_answer_shows_keeps_the_tokens_that_each_parameter_says() -> None:
    assert kept() == [0, 1, 2, 3, 4]
    assert kept(temperature=0) == [0]
    assert kept(top_k=2) == [0, 1]
    assert kept(top_p=0.7) == [0, 1] and kept(top_p=0.8) == [0, 1, 2]
    assert kept(top_p=0.1) == [0]  # one at least
    assert kept(min_p=0.2) == [0, 1, 2]  # 0.1 and more
    assert kept(min_p=0.2, top_k=2) == [0, 1]


def test_a_hot_temperature_before_top_p_keeps_more_tokens_than_after_it() -> None:
    assert len(kept(temperature=2, top_p=0.8)) > len(kept(top_p=0.8))
    assert kept(temperature=2, min_p=0.2) != kept(min_p=0.2)


def test_a_mask_of_the_grammar_leaves_allowed_tokens_their_ratios() -> None:
    sampler = defined("sampling_parameters")["token_probabilities"]
    allowed = torch.tensor([False, True, False, True, False])
    p = sampler(LOGITS, allowed=allowed)
    assert p[~allowed].eq(0).all()
    torch.testing.assert_close(p[1] / p[3], torch.tensor(0.25 / 0.07))


class Tree:
    """A radix tree of tokens: an edge holds a run of them, a node splits where runs part."""

    def __init__(self, run: tuple[int, ...] = ()) -> None:
        self.run, self.children, self.used = run, dict[int, Tree](), 0

    def insert(self, tokens: tuple[int, ...], time: int) -> int:
        """Tokens that were there already."""
        self.used = time
        shared = next(
            (i for i, (a, b) in enumerate(zip(self.run, tokens, strict=False)) if a != b),
            min(len(self.run), len(tokens)),
        )
        if shared < len(self.run):
            below = Tree(self.run[shared:])
            below.children, below.used = self.children, self.used
            self.run, self.children = self.run[:shared], {below.run[0]: below}
        rest = tokens[shared:]
        if not rest:
            return shared
        if rest[0] not in self.children:
            self.children[rest[0]] = Tree(rest)
            self.children[rest[0]].used = time
            return shared
        return shared + self.children[rest[0]].insert(rest, time)

    def leaves(self) -> list[Tree]:
        if not self.children:
            return [self]
        return [leaf for child in self.children.values() for leaf in child.leaves()]

    def stored(self) -> int:
        return len(self.run) + sum(child.stored() for child in self.children.values())


def test_a_tree_of_tokens_shares_up_to_the_token_and_gives_the_oldest_leaf_back_first() -> None:
    root = Tree()
    system = tuple(range(21))
    assert root.insert((*system, 100, 101), 1) == 0
    assert root.insert((*system, 200), 2) == 21  # blocks of 16 would share 16
    assert root.insert((*system, 100, 101, 102), 3) == 23
    assert root.stored() == 21 + 3 + 1
    oldest = min(root.leaves(), key=lambda leaf: leaf.used)
    assert oldest.run == (200,)


def computed(order: list[tuple[int, ...]], room: int) -> int:
    """Tokens that are run when the cache holds the last prefix of `room` tokens alone."""
    run, cached = 0, ()
    for request in order:
        hit = 0
        while hit < min(len(request), len(cached)) and request[hit] == cached[hit]:
            hit += 1
        run, cached = run + len(request) - hit, request[:room]
    return run


def test_requests_in_the_order_of_their_prefixes_compute_each_prefix_once() -> None:
    first, second = tuple(range(100)), tuple(range(500, 600))
    arrived = [(*prefix, 1000 + i) for i in range(4) for prefix in (first, second)]
    grouped = sorted(arrived)
    assert computed(grouped, 100) == 100 + 100 + 8
    assert computed(arrived, 100) == 8 * 101


def heavy_hitters(weights: list[list[float]], room: int) -> list[int]:
    """H2O: the newest half of `room`, and of the older ones those with the largest sums so far."""
    kept: list[int] = []
    sums: dict[int, float] = {}
    for now, row in enumerate(weights):
        kept.append(now)
        total = sum(row[i] for i in kept)
        for i in kept:
            sums[i] = sums.get(i, 0) + row[i] / total
        if len(kept) > room:
            old = kept[: -room // 2]
            kept.remove(min(old, key=lambda i: sums[i]))
    return kept


def test_heavy_hitters_keep_what_was_looked_at_and_lose_for_good_what_is_asked_later() -> None:
    tokens = 40
    weights = [[0.01] * tokens for _ in range(tokens)]
    for row in weights:
        row[3] = 1.0  # all look at it
    for row in weights[30:]:
        row[7] = 5.0  # a fact that is asked for at the end
    kept = heavy_hitters(weights, 8)
    assert len(kept) == 8 and 3 in kept and kept[-4:] == [36, 37, 38, 39]
    assert 7 not in kept


def test_a_few_tokens_hold_most_of_a_peaked_attention() -> None:
    scores = 3 * draw(0, 200)
    top = scores.softmax(0).sort(descending=True).values
    assert top[:20].sum() > 0.8  # a tenth of the tokens
