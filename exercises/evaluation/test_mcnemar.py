"""What `discordant` and `mcnemar` must do, one claim a check."""

from fractions import Fraction
from itertools import accumulate

import torch

from halfbits.course.checks import calls, cases, expect, hardened, quantizers, task
from halfbits.course.checks.cases import each

ACCURACY = 1e-9  # of the p-value, as the specification promises
again = calls.Calls("discordant", lambda seed: answers(seed, [5, 4 + seed % 5, 3, 5 - seed % 5]))


def answers(seed, kinds):
    """Answers of two models with so many items of each kind (both, first, second, neither)."""
    pattern = torch.tensor([[True, True], [True, False], [False, True], [False, False]])
    items = pattern.repeat_interleave(torch.tensor(kinds), dim=0)
    return items[cases.shuffled(seed, len(items))].unbind(1)


def probability(lost, gained):
    """The two-sided p-value, as a fraction, by Pascal's rule from one term to the next."""
    d = lost + gained
    ways = accumulate(range(min(lost, gained)), lambda w, k: w * (d - k) // (k + 1), initial=1)
    return float(min(Fraction(1), Fraction(2 * sum(ways), 2**d)))


def right(answer, *several):
    """The p-value of each pair of counts, and of the same pair turned round."""
    for lost, gained in each({f"{pair}": pair for pair in several}):
        want = probability(lost, gained)
        for counts in ((lost, gained), (gained, lost)):
            got = answer.mcnemar(*counts)
            expect.equal(type(got).__name__, "float", of="type")
            expect.close(got, want, atol=ACCURACY * want)


@task("discordant")
def test_items_with_one_right_answer_are_counted(answer, seed):
    """The items right in the first model only, then those right in the second only, as ints.

    Both right and both wrong say nothing about which model is better.
    """
    some = torch.randint(1, 40, (4,), generator=cases.generator(seed)).tolist()
    kinds = {"all kinds": some, "more gained": [20, 3, 9, 5], "more lost": [500, 90, 30, 50]}
    kinds |= {"none right in the first": [0, 0, 4, 3], "none right in the second": [0, 4, 0, 3]}
    for many in each(kinds):
        first, second = answers(seed, many)
        got = quantizers.several(answer.discordant(first, second), "lost, gained")
        expect.equal([type(count).__name__ for count in got], ["int", "int"], of="types")
        expect.equal(tuple(got), (many[1], many[2]))


@task("discordant")
def test_models_that_agree_differ_nowhere(answer, seed):
    """The same answers give (0, 0), and opposite ones count every item on its side."""
    first, _ = answers(seed, [12, 8, 0, 7])
    expect.equal(tuple(answer.discordant(first, first.clone())), (0, 0))
    expect.equal(tuple(answer.discordant(first, ~first)), (20, 7))


@task("discordant")
def test_other_lengths_are_refused(answer, seed):
    """Two lengths raise ValueError, also where one of the models has a single answer.

    A single answer broadcasts: it would be compared with all items of the other model.
    """
    first, second = answers(seed, [5, 4, 3, 2])
    for short in each({"one less": second[1:], "one item": second[:1]}):
        expect.raises(ValueError, lambda: answer.discordant(first, short))  # noqa: B023
        expect.raises(ValueError, lambda: answer.discordant(short, first))  # noqa: B023


@task("mcnemar")
def test_p_value_is_both_tails_of_a_fair_coin(answer, seed):
    """p is twice the probability of at most min(lost, gained) heads in lost + gained throws.

    The tail includes the split that was seen. A chi-squared value is an approximation to it.
    """
    some = torch.randint(1, 60, (6, 2), generator=cases.generator(seed)).tolist()
    right(answer, (8, 2), (1, 9), (30, 12), (3, 60), *((a + b, a) for a, b in some))


@task("mcnemar")
def test_one_side_alone_counts_too(answer):
    """With nothing on one side p is 2 / 2**d: 1 for one item, less than 0.05 from six on.

    One tail alone, half of that, would call five losses in a row significant.
    """
    right(answer, *((0, d) for d in range(1, 12)))


@task("mcnemar")
def test_even_split_and_no_change_are_no_evidence(answer):
    """Equal sides give 1.0, not more, and so do two models that differ nowhere.

    Both tails hold the middle, so that twice the tail is more than 1.
    """
    right(answer, (0, 0), (1, 1), (5, 5), (40, 40), (7, 8))


@task("mcnemar")
@hardened
def test_large_counts_stay_exact(answer):
    """More than a thousand changed items have a p-value that is neither 0, nor NaN, nor an error.

    0.5**1100 underflows, and 2.0**1100 overflows: whole numbers or logarithms do neither.
    """
    right(answer, (540, 560), (500, 600))
