"""What `bootstrap_interval` must do, one claim a check."""

import numpy as np
import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers
from halfbits.course.checks.cases import each

TASK = "bootstrap_interval"
DRAWS = 37  # so that no quantile is the value of one resample
again = calls.Calls("bootstrap_interval", lambda seed: (*scores(seed, 30), drawn(seed, 4)))


def scores(seed, n, sizes=None):
    """Two columns of a table of scores, and clusters of different sizes, in any order."""
    draw = cases.generator(seed)
    hard = torch.randn(n, generator=draw, dtype=torch.float64)
    table = hard[:, None] + torch.randn(n, 2, generator=draw, dtype=torch.float64)
    sizes = sizes or [1, 2, n // 3, n - 3 - n // 3]
    names = torch.randperm(1000, generator=draw)[: len(sizes)] - 500
    order = torch.randperm(sum(sizes), generator=draw)
    groups = names.repeat_interleave(torch.tensor(sizes))[order]
    return *table.unbind(1), torch.stack([groups, -groups], 1)[:, 0]


def drawn(seed, clusters, resamples=DRAWS):
    """int64 [resamples, clusters]: the clusters that each resample holds; no two neighbors."""
    return torch.randint(clusters, (clusters, resamples), generator=cases.generator(seed + 1)).T


def exact(first, second, groups, draws):
    """The interval, resample by resample and item by item."""
    difference, groups = (second - first).numpy(), groups.numpy()
    names = sorted(set(groups.tolist()))
    values = []
    for row in draws.tolist():
        items = np.concatenate([difference[groups == names[place]] for place in row])
        values.append(items.mean())
    return np.quantile(values, [0.025, 0.975])


def right(answer, *arguments):
    """Two numbers, low and high, that the items of all resamples give."""
    got = quantizers.several(answer.bootstrap_interval(*arguments), "low, high")
    want = exact(*arguments)
    # Sums of some hundred float64 numbers of about 1, in another order, and a difference of two.
    room = 1e-12 * float((arguments[0].abs() + arguments[1].abs()).max())
    for name, one, wish in zip(("low", "high"), got, want.tolist(), strict=True):
        expect.close(one, wish, atol=room, of=name)


def test_each_item_its_own_cluster_is_the_plain_bootstrap(answer, seed):
    """With clusters of one item the values are means of drawn differences, second minus first.

    The quantiles are those of the values, 2.5 % at each end; a loss is a negative number.
    """
    for n in each(cases.named(5, 20)):
        first, second, groups = scores(seed + n, n, [1] * n)
        right(answer, first, second, groups.sort().values, drawn(seed, n))


def test_clusters_are_drawn_whole_and_items_weigh_alike(answer, seed):
    """A draw names a cluster with all its items, each time; the value is the mean of all items.

    The items of a text are alike: drawn one by one they look like many texts. A mean of the
    clusters' means weighs a text of one item like one of forty. And to draw a text twice is what
    with replacement means.
    """
    for n in each(cases.named(12, 60)):
        right(answer, *scores(seed + n, n), drawn(seed, 4))
    right(answer, *scores(seed, 40), torch.tensor([[0, 0, 0, 0], [3, 1, 3, 3], [0, 1, 2, 3]]))


def test_names_may_be_any_numbers_in_any_order(answer, seed):
    """Place `k` in a draw is the k-th smallest name in groups, wherever its items stand.

    Names of documents are seldom 0, 1, 2, and items are seldom sorted by them.
    """
    first, second, _ = scores(seed, 20)
    kinds = {"gaps": [40, 7, 19, 3, 8], "negative": [-1, 3, -9, 2, 0]}
    for names in each(kinds | {"large": [10**12, 5, 8, 1, 9]}):
        groups = torch.tensor(names).repeat(4)
        right(answer, first, second, groups, drawn(seed, 5, resamples=4))


def test_what_is_hard_for_both_cancels(answer, seed):
    """The same number added to both scores of an item changes nothing.

    The two scores of an item stay together: drawn apart, what is common to both is noise.
    """
    first, second, groups = scores(seed, 40)
    hard = 100 * cases.normal(seed + 5, 40).double().round()
    right(answer, first + hard, second + hard, groups, drawn(seed, 4))


@hardened
def test_largest_and_smallest_data_have_their_interval(answer, seed):
    """Thousands of items, and a single item, cluster or resample, have their interval too.

    Of one resample it is its value, twice; axes of length 1 are no reason to drop them.
    """
    sizes = {"3,000 items": ([1, 999, 2000], DRAWS), "one item": ([1], 3), "one cluster": ([9], 5)}
    for clusters, resamples in each(sizes | {"one resample": ([2, 5, 1], 1)}):
        n = sum(clusters)
        right(answer, *scores(seed, n, clusters), drawn(seed, len(clusters), resamples))
