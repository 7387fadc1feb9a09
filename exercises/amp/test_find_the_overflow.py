"""What `birthplace` and `beyond_half` must find, one claim a check."""

import torch
from torch import nn

from halfbits.course.checks import calls, cases, expect, hardened, leaves, task
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Does

birth = leaves.Leaves("birthplace")
beyond = leaves.Leaves("beyond_half")
again = calls.Calls("birthplace", lambda seed: (gains(0, 1), loud(seed, seed % 2).half()))
list_again = calls.Calls("beyond_half", lambda seed: (gains(0, 1), loud(seed, seed % 2)))


def fine():
    """A layer that keeps numbers as large as they are."""
    return Does(lambda x: -x)


OVERFLOWS = {
    "too large a product": lambda: Does(lambda x: x * 30000 * 30000),
    "a logarithm of zero": lambda: Does(lambda x: (x - x).log()),
    "one number of many": lambda: Does(lambda x: torch.where(x == x.max(), torch.nan, x)),
}
# Infinity becomes NaN, or zero, or is passed on.
SPREADS = (lambda: Does(lambda x: x - x.mean()), lambda: Does(lambda x: 1 / x), fine)


class Block(nn.Module):
    """Layers `first` and `second`, and a product between them that is the block's own."""

    def __init__(self, factor):
        super().__init__()
        self.second, self.first, self.factor = fine(), fine(), factor

    def forward(self, x):
        return self.second(self.first(x) * self.factor * self.factor)


def numbers(seed):
    """Float16 numbers between 1 and 8 in magnitude."""
    x = cases.normal(seed, 4, 6)
    return (x.sign() * (1 + 7 * x.sigmoid())).half()


def gains(*columns):
    """A layer for each entry that makes one of six columns, or several, 100 times as large."""
    factors = [torch.ones(6).index_fill(0, torch.tensor(one), 100) for one in columns]
    return nn.Sequential(*(Does(lambda x, by=by: x * by.to(x.dtype)) for by in factors))


def loud(seed, column):
    """Numbers of which one column is large."""
    return numbers(seed).float().index_fill(1, torch.tensor(column), 60000.0)


def loud_views(seed):
    """A model whose second layer makes the first column larger, and views with a large one."""
    x, model = loud(seed, 0), gains([1, 2, 3, 4, 5], 0, 1)
    return {"transposed": (model, x.T.contiguous().T), "a part": (model, x.repeat(1, 2)[:, :6])}


@task("birthplace")
def test_guilty_is_who_was_given_good_numbers(answer, seed):
    """The module with finite inputs whose output is not: infinity is bad already, before any NaN.

    What comes after it only passes on what it was given; numbers of a view stand where they stand.
    """
    for overflow in each(OVERFLOWS):
        for at, spread in enumerate(SPREADS, seed % 2):
            layers = [fine() for _ in range(at)] + [overflow(), spread(), fine()]
            expect.equal(answer.birthplace(nn.Sequential(*layers), numbers(seed)), str(at))
    for model, view in each(loud_views(seed)):
        expect.equal(answer.birthplace(model, view.half()), "1")


@task("birthplace")
def test_inner_module_is_blamed_before_the_block_around_it(answer, seed):
    """Of a layer and the blocks around it, all with good inputs and a bad output, it is the layer.

    Its call ends first; its name is the whole path.
    """
    for overflow in each(OVERFLOWS):
        inner = nn.Sequential(fine(), nn.Sequential(overflow(), fine()))
        expect.equal(
            answer.birthplace(nn.Sequential(fine(), inner, fine()), numbers(seed)), "1.1.0"
        )


@task("birthplace")
def test_block_that_computes_itself_is_blamed(answer, seed):
    """Where a product between two layers overflows, it is the block, not the layer after it.

    That layer was given infinity.
    """
    model = nn.Sequential(Block(1.0), Block(30000.0), fine())
    for block, name in ((model, "1"), (Block(30000.0), "")):
        expect.equal(answer.birthplace(block, numbers(seed)), name)


@task("birthplace")
def test_healthy_model_has_none(answer, seed):
    """None where every output is finite, for x of any shape.

    The largest number of float16 is a number.
    """
    model = nn.Sequential(fine(), Does(lambda x: torch.full_like(x, 65504.0)), fine())
    for x in (numbers(seed)[0, 0], numbers(seed)[0], numbers(seed), numbers(seed)[None]):
        expect.equal(answer.birthplace(model, x), None)


@task("beyond_half")
def test_layers_that_would_overflow_are_listed_in_order(answer, seed):
    """Every layer whose float32 output float16 cannot hold, as its calls end; containers not.

    In float16 you would see the first alone. Numbers of a view are looked at where they stand.
    """
    grow, shrink = Does(lambda x: x * 1e5), Does(lambda x: x / 1e5)
    inner = nn.Sequential(shrink, fine(), Does(lambda x: -1e5 * x.abs()))
    model = nn.Sequential(fine(), grow, fine(), inner, Block(1.0))
    want = ["1", "2", "3.2", "4.first", "4.second"]
    expect.equal(answer.beyond_half(model, numbers(seed).float()), want)
    for model, view in each(loud_views(seed)):
        expect.equal(answer.beyond_half(model, view), ["1", "2"])


@task("beyond_half")
def test_limit_is_where_float16_rounds_to_infinity(answer, seed):
    """Below 65,520 a number is rounded to 65,504; from there on it is infinite. Either sign.

    The limit is half a spacing above the largest number, in x of any shape.
    """
    for value in each(cases.named(65504.0, -65519.0, 65520.0, -65520.0, 1e30)):
        model = nn.Sequential(Does(lambda x, value=value: torch.full_like(x, value)))
        for shape in ((), (3,), (2, 3), (2, 1, 3)):
            want = ["0"] if abs(value) >= 65520 else []
            expect.equal(answer.beyond_half(model, torch.ones(shape)), want)


@task("birthplace")
@hardened
def test_ids_are_finite_inputs(answer, seed):
    """Token ids are fine inputs: it is the embedding with an infinite row that is to blame.

    Integers hold neither infinity nor NaN.
    """
    embedding, ids = nn.Embedding(9, 4), torch.tensor([[seed % 9, 3]])
    embedding.weight.data[3] = torch.inf
    expect.equal(answer.birthplace(nn.Sequential(embedding, fine()), ids), "0")


@task("beyond_half")
@hardened
def test_layer_called_again_is_listed_once(answer, seed):
    """A layer that overflows at its second call, or at both, stands in the list once.

    Shared layers and loops call a module more than once.
    """
    twice = Does(lambda x: x * 300)
    for x in (numbers(seed).float(), 300 * numbers(seed).float()):
        expect.equal(answer.beyond_half(nn.Sequential(twice, twice), x), ["0"])
