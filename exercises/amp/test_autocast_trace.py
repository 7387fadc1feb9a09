"""What `autocast_trace` must report, one claim a check."""

import torch
from torch import nn

from halfbits.course.checks import cases, doubles, expect, hardened, leaves, spies
from halfbits.course.checks.cases import each

TASK = "autocast_trace"
trace = leaves.Leaves("autocast_trace", lambda model, x: (model, x, torch.bfloat16))
LOW = cases.named(*cases.LOW)


class Reader(nn.Module):
    """Token ids, two blocks with a sum, a norm that runs twice; the head is defined first."""

    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(8, 20), nn.Softmax(-1))
        self.blocks = nn.ModuleList([doubles.Residual(), doubles.Residual()])
        self.norm, self.embedding = nn.LayerNorm(8), nn.Embedding(20, 8)

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(self.norm(x))
        return self.head(x)


FLOATS, IDS = torch.linspace(-1, 1, 24).view(3, 8), torch.arange(6).view(2, 3)
MODELS = {
    "a chain": lambda: (nn.Sequential(nn.Linear(8, 6), nn.GELU(), nn.LayerNorm(6)), FLOATS),
    "a reader of tokens": lambda: (Reader(), IDS),
    "one layer": lambda: (nn.Linear(8, 3), FLOATS),
    "a layer without weights": lambda: (nn.Tanh(), FLOATS),
    "a view of its input": lambda: (nn.Linear(3, 2), FLOATS.T),
    "a layer that runs another": lambda: (doubles.adapted(), FLOATS),
    "one vector": lambda: (nn.Sequential(nn.Linear(8, 3), nn.Tanh()), FLOATS[0]),
    "three axes": lambda: (nn.Sequential(nn.Linear(8, 3), nn.Tanh()), FLOATS[None]),
}


def wanted(model, x, dtype):
    """The rows, of every call of a module that has no children."""
    autocast = torch.autocast("cpu", dtype=dtype)
    with spies.calls_of_layers(model) as made, torch.no_grad(), autocast:
        model(x)
    kept = {name: next((p.dtype for p in layer.parameters()), None) for name, layer, *_ in made}
    return [(name, given.dtype, kept[name], out.dtype) for name, _, given, out in made]


def right(answer, model, x, dtype, columns=(0, 1, 2, 3)):
    """The answer's rows, in the given columns."""
    got, want = answer.autocast_trace(model, x, dtype), wanted(model, x, dtype)
    form = isinstance(got, list) and all(isinstance(row, tuple) and len(row) == 4 for row in got)
    expect.true(form, expected="a list of tuples of four", got=got)
    expect.equal(*([tuple(row[c] for c in columns) for row in rows] for rows in (got, want)))


def test_layers_stand_in_the_order_of_their_calls(answer):
    """A row for each call of a layer without children, named as in `named_modules`.

    A layer may be called twice, and before one that was defined earlier; containers are no layers.
    """
    for make in each(MODELS):
        right(answer, *make(), torch.bfloat16, columns=(0,))


def test_types_are_those_that_autocast_chose(answer):
    """Input, first parameter and output have the types that they have under autocast.

    The weights stay float32, and what comes out of one layer need not be what went in.
    """
    for dtype in each(LOW):
        for make in MODELS.values():
            right(answer, *make(), dtype)


def test_model_sees_autocast_and_its_own_input(answer):
    """The model runs once, in autocast of the given type, with float32 weights and x as it is.

    A model that was converted shows another table than autocast's.
    """
    for dtype in each(LOW):
        model = spies.Probe()
        right(answer, model, torch.ones(2, 8), dtype)
        want = {"input": torch.float32, "autocast": True, "autocast dtype": dtype}
        expect.equal(model.seen, want | {"weight": torch.float32}, of="what the model saw")


def test_each_table_is_of_the_model_as_it_is(answer):
    """A layer that joins the model has its row in the next table, and the first table stays.

    The same model with other layers is another model; a list that is filled anew is the caller's.
    """
    model = nn.Sequential(nn.Linear(8, 3))
    first = answer.autocast_trace(model, FLOATS, torch.bfloat16)
    second = answer.autocast_trace(model.append(nn.Tanh()), FLOATS, torch.bfloat16)
    expect.equal([len(first), len(second)], [1, 2], of="rows of both tables")


@hardened
def test_shared_layer_has_its_first_name(answer):
    """A layer that stands under two names has the first of them in all its rows.

    `named_modules` gives each module once.
    """
    layer = nn.Linear(8, 8)
    right(answer, nn.Sequential(layer, nn.ReLU(), layer), FLOATS, torch.float16)
