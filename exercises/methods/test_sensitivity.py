"""What `sensitivity` must do, one claim a check."""

import copy

import torch
from torch import nn

from halfbits.course.checks import calls, cases, expect, hardened, leaves, tolerance
from halfbits.course.checks.cases import each

TASK = "sensitivity"
left = leaves.Leaves("sensitivity", lambda model, x: (model, x, halves))
again = calls.Calls("sensitivity", lambda seed: (Nested(seed), cases.normal(seed, 5, 6), halves))


class Projection(nn.Linear):
    """A linear layer of a class of its own."""


class Nested(nn.Module):
    """Linear layers at several depths, one without a bias, beside a norm; louder in training."""

    def __init__(self, seed):
        super().__init__()
        self.stem = cases.linear(seed, 6, 10)
        self.stem.__class__ = Projection
        linear = cases.linear(seed + 2, 10, 10, bias=False)
        self.block = nn.Sequential(nn.LayerNorm(10), nn.Sequential(linear, nn.GELU()))
        self.ends = nn.ModuleDict({"head": cases.linear(seed + 4, 10, 4)})

    def forward(self, x):
        hidden = self.stem(x)
        return (3 if self.training else 1) * self.ends["head"](hidden + self.block(hidden))


def halves(w):
    """A coarse quantizer: multiples of 1/2."""
    return torch.round(2 * w) / 2


def exact(model, name, x, quantize):
    """Logits of the original, and of a copy in which one layer is quantized."""
    other = copy.deepcopy(model)
    layer = other.get_submodule(name)
    with torch.no_grad():
        layer.weight.copy_(quantize(layer.weight))
        return model(x), other(x)


def right(answer, model, x, quantize):
    """Every linear layer has the KL that it causes alone."""
    found = answer.sensitivity(model, x, quantize)
    names = [name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    expect.equal(sorted(found), sorted(names), of="names")
    for name in names:
        logits, other = (t.flatten(0, -2) for t in exact(model, name, x, quantize))
        p, q = (t.double().log_softmax(-1) for t in (logits, other))
        want = (p.exp() * (p - q)).sum(-1).mean().item()
        expect.close(found[name], want, atol=tolerance.divergence(logits, other), of=name)


def test_each_layer_is_quantized_alone(answer, seed):
    """A layer's number is the KL of the output from the original's, with all other layers exact.

    What an earlier layer left behind would be counted again in every later one; and an error of
    the weights does not say what the rest of the model does with them.
    """
    several = [cases.linear(seed + i, *size) for i, size in enumerate([(6, 9), (9, 9), (9, 5)])]
    model = nn.Sequential(several[0], nn.Tanh(), several[1], nn.Tanh(), several[2])
    for quantize in each({"multiples of 1/2": halves, "zeros": torch.zeros_like}):
        right(answer, model, 2 * cases.normal(seed + 9, 30, 6), quantize)


def test_layers_are_found_at_any_depth(answer, seed):
    """Every nn.Linear is there under its whole name, and nothing else: neither norm nor block.

    A bias stays as it is; a layer may have none.
    """
    for model in each({"nested": Nested(seed), "a layer alone": cases.linear(seed, 6, 4)}):
        right(answer, model, cases.normal(seed, 20, 6), halves)


def test_mean_is_over_all_but_the_classes(answer, seed):
    """Logits [batch, tokens, classes] give the mean over all tokens of all rows.

    A sum grows with the text, so that two measurements could not be compared.
    """
    several = {str(s): cases.normal(seed, *s) for s in ((3, 7, 6), (1, 1, 6), (2, 2, 3, 6))}
    for x in each({**several, "transposed": cases.normal(seed, 6, 20).T}):
        right(answer, Nested(seed), x, halves)


@hardened
def test_model_comes_back_after_an_exception(answer, seed):
    """If `quantize` raises, or is interrupted, the caller gets that, and the model is as it was.

    A notebook goes on after an error or Ctrl-C, with whatever is left of the model.
    """
    for kind in each({"an error": ArithmeticError, "Ctrl-C": KeyboardInterrupt}):
        model, x = Nested(seed), cases.normal(seed, 5, 6)
        given = model, x, leaves.failing_later(halves, kind)
        with expect.untouched(model):
            expect.raises(kind, lambda: answer.sensitivity(*given))  # noqa: B023
