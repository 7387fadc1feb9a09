"""What `make_islands` must do, one claim a check."""

import torch
from torch import nn

from halfbits.course.checks import calls, cases, doubles, expect, hardened, own_numbers, spies
from halfbits.course.checks.cases import each

TASK = "make_islands"
again = calls.Calls(
    "make_islands",
    lambda seed: (nn.Sequential(cases.linear(seed, 4, 3), nn.Tanh()), ["1"], torch.float16),
)
own = own_numbers.OwnNumbers("make_islands", torch.bfloat16, lambda *both: with_a_norm(*both))
LOW = cases.named(*cases.LOW)


class Square(nn.Module):
    """x * x * gain for the last of its inputs: 300 squared is beyond float16."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(doubles.THIRD))

    def forward(self, *inputs):
        return inputs[-1] * inputs[-1] * self.gain


class Pair(nn.Module):
    """Hands its part two numbers."""

    def __init__(self):
        super().__init__()
        self.part = Square()

    def forward(self, x):
        return self.part(x, x)


class Reader(nn.Module):
    """Ids to logits: an embedding, two norms whose names begin alike, a block, a head."""

    def __init__(self):
        super().__init__()
        self.embedding, self.norm = nn.Embedding(3000, 8), nn.LayerNorm(8)
        self.norm2, self.block = spies.ListeningLayerNorm(8), doubles.Block()
        self.head = nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 4)))
        for parameter in self.parameters():
            parameter.data += doubles.THIRD

    def forward(self, ids):
        return self.head(self.block(self.norm2(self.norm(self.embedding(ids)))))


ISLANDS = {
    "a norm": ["norm"],
    "a block with buffers": ["block"],
    "a container": ["head"],
    "several, one of them deep inside": ["embedding", "norm2", "head.1.1"],
}
TINY = 2.0**-30
IDS = torch.tensor([[0, 2999, 2049, 7]])


def with_a_norm(make_islands, model):
    """The model in bfloat16 with one of its norms as an island."""
    name = "norm" if hasattr(model, "norm") else "1"
    return make_islands(model.eval(), [name], torch.bfloat16)


def is_inside(name, islands):
    """Whether the tensor or module `name` belongs to an island."""
    return any(name == one or name.startswith(f"{one}.") for one in islands)


def tensors(model):
    """All parameters and buffers by name, those that no checkpoint holds too."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def test_islands_keep_the_bits_of_the_source(answer):
    """Inside an island all parameters and buffers are the source's, bit by bit.

    float32 that was in 16 bits before has lost its digits.
    """
    for islands in each(ISLANDS):
        model = Reader()
        made = answer.make_islands(model, islands, torch.bfloat16)
        expect.equal(sorted(made.state_dict()), sorted(model.state_dict()), of="names")
        for name, tensor in tensors(model).items():
            if is_inside(name, islands):
                expect.same(tensors(made)[name], tensor, of=name)


def test_rest_is_converted(answer):
    """Outside, what is floating-point has `dtype` and the rounded numbers; other types stay.

    `norm2` is not below `norm`, and indices in 16 bits would be other indices.
    """
    for islands in each(ISLANDS):
        model = Reader()
        for dtype in cases.LOW:
            made = tensors(answer.make_islands(model, islands, dtype))
            for name, tensor in tensors(model).items():
                if not is_inside(name, islands):
                    want = tensor.to(dtype) if tensor.is_floating_point() else tensor
                    expect.same(made[name], want, of=name)


def test_islands_compute_in_float32(answer, seed):
    """What an island gets is float32, and its numbers are those of a float32 computation.

    300 squared, a third of it: in float16 the square is infinite.
    """
    x = 290 + 10 * cases.normal(seed, 4, 5).abs().half()
    want = (x.float() * x.float() * doubles.THIRD).half()
    for model, name in ((nn.Sequential(nn.Identity(), Square()), "1"), (Pair(), "part")):
        got = answer.make_islands(model, [name], torch.float16)(x)
        expect.close(got, want, atol=want.double() * 2.0**-10)
    made = answer.make_islands(Reader(), ["norm2"], torch.bfloat16)
    made(IDS)
    expect.equal(made.norm2.heard, [torch.float32], of="what the island hears")


def test_what_leaves_an_island_has_the_type_of_the_rest(answer):
    """The caller gets `dtype` from an island that comes last; the next layer hears it as well.

    A float32 tensor that leaves an island is refused by the next layer, or makes it float32.
    """
    for dtype in each(LOW):
        last = answer.make_islands(nn.Sequential(nn.Identity(), Square()), ["1"], dtype)
        expect.dtype(last(torch.ones(2, dtype=dtype)), dtype, of="the output")
        for islands in ISLANDS.values():
            made = answer.make_islands(Reader(), islands, dtype)
            expect.dtype(made(IDS), dtype, of="the output")
            want = torch.float32 if "norm2" in islands else dtype
            expect.equal(made.norm2.heard, [want], of="what norm2 hears")


def test_source_stays_as_it_is(answer):
    """The model keeps its tensors, types, hooks and modes, and shares no memory with the result.

    It is what you compare with.
    """
    for islands in each(ISLANDS):
        model = Reader()
        model.head.eval()
        with expect.untouched(model):
            made = answer.make_islands(model, list(islands), torch.float16)
        places = {tensor.data_ptr() for tensor in tensors(model).values()}
        shared = [name for name, tensor in tensors(made).items() if tensor.data_ptr() in places]
        expect.equal(shared, [], of="tensors in the source's memory")


@hardened
def test_islands_keep_what_float16_cannot_hold(answer):
    """1e6, 1e-9, infinity and NaN stay in an island; an empty list is the plain conversion.

    Such numbers are why somebody asked for an island.
    """
    model = Reader()
    model.norm.weight.data[:4] = torch.tensor([1e6, TINY, torch.inf, torch.nan])
    kept = tensors(answer.make_islands(model, ["norm"], torch.float16))["norm.weight"]
    expect.equal([*kept.tolist()[:3], bool(kept[3].isnan())], [1e6, TINY, torch.inf, True])
    plain = tensors(answer.make_islands(model, [], torch.bfloat16))
    expect.dtype(plain["norm.weight"], torch.bfloat16, of="norm.weight")
