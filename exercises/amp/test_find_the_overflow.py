"""What `birthplace` and `beyond_half` must find, one claim a check."""

import torch
from torch import nn

from halfbits.course.checks import calls, cases, doubles, expect, hardened, task
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Does

again = calls.Calls("birthplace", lambda seed: (nn.Sequential(gain(0), gain(1)), loud(seed).half()))
list_again = calls.Calls("beyond_half", lambda seed: (nn.Sequential(gain(0), gain(1)), loud(seed)))


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


def gain(*columns):
    """A layer that makes some of six columns 100 times as large."""
    return Does(lambda x: x * torch.ones_like(x[0]).index_fill(0, torch.tensor(columns), 100))


def loud(seed, column=None):
    """Numbers of which one column is large: the first, or the second, by the seed."""
    at = torch.tensor(seed % 2 if column is None else column)
    return numbers(seed).float().index_fill(1, at, 60000.0)


def loud_views(seed):
    """Views of numbers of which the first column is large."""
    x = loud(seed, 0)
    return {"transposed": x.T.contiguous().T, "a part": torch.cat([x, x], 1)[:, :6]}


@task("birthplace")
def test_guilty_is_who_was_given_good_numbers(answer, seed):
    """The module with finite inputs whose output is not: infinity is bad already, before any NaN.

    What comes after it only passes on what it was given.
    """
    at = seed % 4
    for overflow in each(OVERFLOWS):
        for spread in SPREADS:
            layers = [fine() for _ in range(at)] + [overflow(), spread(), fine()]
            expect.equal(answer.birthplace(nn.Sequential(*layers), numbers(seed)), str(at))


@task("birthplace")
def test_inner_module_is_blamed_before_the_block_around_it(answer, seed):
    """Of a layer and the blocks around it, all with good inputs and a bad output, it is the layer.

    Its call ends first; its name is the whole path.
    """
    for overflow in each(OVERFLOWS):
        inner = nn.Sequential(fine(), nn.Sequential(overflow(), fine()))
        model = nn.Sequential(fine(), inner, fine())
        expect.equal(answer.birthplace(model, numbers(seed)), "1.1.0")


@task("birthplace")
def test_block_that_computes_itself_is_blamed(answer, seed):
    """Where a product between two layers overflows, it is the block, not the layer after it.

    That layer was given infinity.
    """
    model = nn.Sequential(Block(1.0), Block(30000.0), fine())
    expect.equal(answer.birthplace(model, numbers(seed)), "1")
    expect.equal(answer.birthplace(Block(30000.0), numbers(seed)), "")


@task("birthplace")
def test_numbers_of_a_view_stand_where_they_stand(answer, seed):
    """x may be a view; which layer overflows hangs on the column in which a large number stands."""
    for view in each(loud_views(seed)):
        model = nn.Sequential(gain(1, 2, 3, 4, 5), gain(0), fine())
        expect.equal(answer.birthplace(model, view.half()), "1")


@task("beyond_half")
def test_list_does_not_hang_on_the_layout(answer, seed):
    """Of a view, too, each number is looked at where it stands."""
    for view in each(loud_views(seed)):
        model = nn.Sequential(gain(1, 2, 3, 4, 5), gain(0), fine())
        expect.equal(answer.beyond_half(model, view), ["1", "2"])


@task("birthplace")
def test_healthy_model_has_none(answer, seed):
    """None where every output is finite.

    The largest number of float16 is a number.
    """
    largest = Does(lambda x: torch.full_like(x, 65504.0))
    expect.equal(answer.birthplace(nn.Sequential(fine(), largest, fine()), numbers(seed)), None)


@task("beyond_half")
def test_layers_that_would_overflow_are_listed_in_order(answer, seed):
    """Every layer whose float32 output float16 cannot hold, as its calls end; containers not.

    In float16 you would see the first alone.
    """
    grow, shrink = Does(lambda x: x * 1e5), Does(lambda x: x / 1e5)
    inner = nn.Sequential(shrink, fine(), Does(lambda x: -1e5 * x.abs()))
    model = nn.Sequential(fine(), grow, fine(), inner, Block(1.0))
    want = ["1", "2", "3.2", "4.first", "4.second"]
    expect.equal(answer.beyond_half(model, numbers(seed).float()), want)


@task("beyond_half")
def test_limit_is_where_float16_rounds_to_infinity(answer, seed):
    """Below 65,520 a number is rounded to 65,504; from there on it is infinite. Either sign.

    The limit is half a spacing above the largest number.
    """
    for value in each(cases.named(65504.0, -65519.0, 65520.0, -65520.0, 1e30)):
        model = nn.Sequential(Does(lambda x, value=value: torch.full_like(x, value)))
        want = ["0"] if abs(value) >= 65520 else []
        expect.equal(answer.beyond_half(model, torch.ones(2, 3)), want)


@task("beyond_half")
def test_both_leave_the_model_alone(answer, seed):
    """No hook remains, no type changes; a healthy model has an empty list.

    Searching must not change what you search in.
    """
    model, x = nn.Sequential(cases.linear(seed, 6, 6), Block(2.0), fine()), numbers(seed).float()
    with expect.untouched(model, x):
        expect.equal(answer.beyond_half(model, x), [])
        expect.equal(answer.birthplace(model, x), None)


@task("birthplace")
@hardened
def test_ids_are_finite_and_exceptions_leave_no_hook(answer, seed):
    """Token ids are fine inputs; when the model raises, its hooks are removed all the same.

    Whoever catches the exception goes on with the same model.
    """
    embedding = nn.Embedding(9, 4)
    embedding.weight.data[3] = torch.inf
    ids = torch.tensor([[seed % 9, 3]])
    expect.equal(answer.birthplace(nn.Sequential(embedding, fine()), ids), "0")
    model = nn.Sequential(fine(), doubles.Broken(LookupError("this model fails")))
    for search in (answer.birthplace, answer.beyond_half):
        with expect.untouched(model):
            expect.raises(LookupError, lambda: search(model, numbers(seed)))  # noqa: B023


@task("beyond_half")
@hardened
def test_layer_called_again_is_listed_once(answer, seed):
    """A layer that overflows at its second call, or at both, stands in the list once.

    Shared layers and loops call a module more than once.
    """
    twice = Does(lambda x: x * 300)
    x = numbers(seed).float()
    expect.equal(answer.beyond_half(nn.Sequential(twice, twice), x), ["0"])
    expect.equal(answer.beyond_half(nn.Sequential(twice, twice), 300 * x), ["0"])
