"""What `accept_probability`, `residual` and `verify` must do, one claim a check."""

import numbers
import random

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

# A few float64 operations on numbers up to 1, and a sum of at most 3,000 of them: 3,000 * 2**-53.
ROOM = 2.0**-41
VOCABULARIES = {"three tokens": 3, "a hundred tokens": 100, "3,000 tokens": 3000}
again = calls.Calls("accept_probability", lambda seed: pair(seed, 9))
residual_again = calls.Calls("residual", lambda seed: pair(seed, 9))
verify_again = calls.Calls("verify", lambda seed: step(seed), room=0.0)


def distributions(seed, rows, vocab):
    """Rows of probabilities, float64."""
    return (0.7 * cases.normal(seed, rows, vocab).double()).softmax(1)


def pair(seed, vocab):
    """The target's and the draft's probabilities, some of them 0 in one or in both."""
    p, q = distributions(seed, 2, vocab)
    if vocab > 3:
        p[-2:], q[-3:-1] = 0, 0
    return p / p.sum(), q / q.sum()


def pairs(seed):
    """Pairs of every size; and two columns of a table, each entry beside one of the other."""
    drawn = {name: pair(seed, vocab) for name, vocab in VOCABULARIES.items()}
    return {**drawn, "columns of a table": torch.stack(pair(seed, 20), 1).unbind(1)}


def step(seed):
    """The arguments of a step in which three drafted tokens are all kept."""
    p = distributions(seed, 4, 8)
    return [(seed + i) % 8 for i in range(3)], p, p[:-1].clone(), [0.5] * 4


def ratio(p, q):
    """The chance to keep each token."""
    return torch.where(q > 0, p / q, 1.0).clamp(max=1)


def missing(p, q):
    """What a replacement is drawn from."""
    gap = (p - q).clamp(min=0)
    return gap / gap.sum() if gap.sum() > 0 else p


def wanted(drafted, p, q, uniforms):
    """The tokens of one step."""
    for i, token in enumerate(drafted):
        if uniforms[i] >= ratio(p[i], q[i])[token]:
            drafted, source = drafted[:i], missing(p[i], q[i])
            break
    else:
        source = p[-1]
    return [*drafted, next(i for i, c in enumerate(source.cumsum(0)) if c > uniforms[-1])]


def right(answer, drafted, p, q, uniforms):
    """The answer's tokens are those."""
    got = answer.verify(list(drafted), p, q, list(uniforms))
    whole = isinstance(got, list) and all(isinstance(token, numbers.Integral) for token in got)
    expect.true(whole, expected="a list of ints", got=got)
    shown = [f"{u:.3g}" for u in uniforms]
    expect.equal(got, wanted(drafted, p, q, uniforms), of=f"drafted {drafted}, uniforms {shown}")


@task("accept_probability")
def test_chance_is_p_over_q_at_most_one(answer, seed):
    """A drafted token is kept with min(1, p / q), and with 1 where the draft never gives it.

    Drafted with q and kept with p / q makes p.
    """
    for p, q in each(pairs(seed)):
        expect.close(answer.accept_probability(p, q), ratio(p, q), atol=ROOM)


@task("residual")
def test_kept_and_replaced_tokens_together_are_the_target(answer, seed):
    """q * chance + (1 - sum of q * chance) * residual is p: nobody can tell that there was a draft.

    Replacements drawn from p would give tokens that the draft overrates too often.
    """
    for p, q in each(pairs(seed)):
        kept = q * ratio(p, q)
        expect.close(kept + (1 - kept.sum()) * answer.residual(p, q), p, atol=2 * ROOM)


@task("verify")
def test_tokens_are_kept_up_to_the_first_rejection(answer, seed):
    """Kept tokens, then one replacement from the residual of the place that failed, then nothing.

    A replacement drawn from p, or with another number, is another token; and what was drafted
    behind a rejected one followed a text that does not exist.
    """
    some = random.Random(seed)
    for k in each(cases.named(1, 2, 5)):
        p, q = distributions(seed, k + 1, 8), distributions(seed + 1, k, 8).T.contiguous().T
        for _ in range(40):
            drafted = [some.choices(range(8), row.tolist())[0] for row in q]
            right(answer, drafted, p, q, [some.random() for _ in range(k + 1)])


@task("verify")
def test_one_more_token_comes_when_all_are_kept(answer, seed):
    """If every draft is kept, k + 1 tokens come out, the last one drawn from the last row of p.

    The target has computed that row anyway; without it speculation loses its best case.
    """
    some = random.Random(seed)
    for k in each(cases.named(1, 4)):
        p = distributions(seed, k + 1, 8).T.contiguous().T
        drafted = [some.randrange(8) for _ in range(k)]
        for _ in range(12):
            right(answer, drafted, p, p[:-1].clone(), [some.random() for _ in range(k + 1)])


@hardened
@task("residual")
def test_equal_models_have_a_residual_too(answer, seed):
    """Where p and q are equal, the residual is p, not 0 / 0.

    Rows are often handled together, rejected or not, and a NaN spreads.
    """
    p, _ = pair(seed, 20)
    expect.close(answer.residual(p, p.clone()), p, atol=ROOM)


@hardened
@task("verify")
def test_impossible_tokens_never_come_out(answer):
    """At a uniform number of 0, a token to which the target gives 0 is neither kept nor drawn.

    Random numbers include 0, and "less or equal" lets an impossible token through.
    """
    p = torch.tensor([[0, 0, 1, 0], [0, 1, 0, 0]], dtype=torch.float64)
    q = torch.tensor([[0.5, 0, 0.5, 0]], dtype=torch.float64)
    for drafted in ([0], [2]):
        right(answer, drafted, p, q, [0.0, 0.0])
