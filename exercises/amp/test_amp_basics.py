"""Checks of amp/amp_basics: what each function promises, one claim a check.

u(dtype) below is the unit roundoff, eps / 2: one rounding moves a value x by at most u * |x|.
"""

import contextlib

import numpy as np
import pytest
import torch
from torch import nn

from halfbits.course.grading.expect import expect, expect_close, expect_dtype, expect_untouched

LOW = (torch.float16, torch.bfloat16)
ROUND_FIRST = "the hardware reads 16-bit operands, so the rounding happens before the product"


def product_bound(a: torch.Tensor, b: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Largest error of a dot product of length k whose every step rounds to `dtype`.

    k products, k - 1 sums and one store round once each: at most (k + 1) * 2u * |a| @ |b| while
    (k + 1) * u < 1/2, plus a subnormal step each where the result underflows.
    """
    info = torch.finfo(dtype)
    size = a.double().abs() @ b.double().abs()
    return (a.shape[-1] + 1) * (info.eps * size + info.smallest_normal * info.eps)


def draw(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed % 2**31))


@pytest.mark.task("matmul_fp32")
def test_fp32_returns_float32_for_every_input_dtype(answer):
    """matmul_fp32 returns float32, whatever dtypes come in."""
    a, b = torch.ones(2, 3), torch.ones(3, 4)
    dtypes = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
    for left in dtypes:
        for right in (left, torch.float32):
            called = f"matmul_fp32({left} [2, 3], {right} [3, 4])"
            got = answer.matmul_fp32(a.to(left), b.to(right))
            why = "the caller asked for float32 and mixes dtypes on purpose"
            expect_close(got, torch.full((2, 4), 3.0), atol=0, called=called, why=why)


@pytest.mark.task("matmul_fp32")
def test_fp32_multiplies_in_float32_not_in_the_input_dtype(answer):
    """matmul_fp32 converts before the product: float16 inputs neither overflow nor lose digits."""
    big = torch.full((1, 8), 300.0)
    for dtype in LOW:
        called = f"matmul_fp32(300 * ones [1, 8], 300 * ones [8, 1]), both {dtype}"
        got = answer.matmul_fp32(big.to(dtype), big.T.to(dtype))
        why = f"720000 is exact in float32; a product in {dtype} cannot hold it"
        expect_close(got, torch.tensor([[720000.0]]), atol=0, called=called, why=why)


@pytest.mark.task("matmul_fp32")
def test_fp32_stays_within_the_float32_error_bound(answer, seed):
    """matmul_fp32 is accurate to float32 on random, tiny, huge, batched and strided inputs."""
    k = 64
    base, other = draw((5, k), seed), draw((k, 3), seed + 1)
    cases = {
        "random": (base, other),
        "values near 1e-30": (base * 1e-30, other),
        "values near 1e15": (base * 1e15, other * 1e15),
        "a transposed view": (draw((k, 5), seed + 2).T, other),
        "a batch [2, 4, 64] @ [2, 64, 3]": (draw((2, 4, k), seed), draw((2, k, 3), seed + 3)),
        "float64 inputs": (base.double(), other.double() / 3),
    }
    for name, (a, b) in cases.items():
        want = (a.double() @ b.double()).float()
        called = f"matmul_fp32 on {name}"
        why = "the sum of k float32 products has error at most (k + 1) * eps * |a| @ |b|"
        atol = product_bound(a, b, torch.float32)
        expect_close(answer.matmul_fp32(a, b), want, atol=atol, called=called, why=why)


@pytest.mark.task("matmul_fp32")
def test_fp32_accepts_empty_and_all_zero_inputs(answer):
    """matmul_fp32 of an empty batch is empty; of k = 0 or of zeros it is zero."""
    for m, k, n in ((0, 3, 2), (2, 0, 3), (2, 3, 2)):
        got = answer.matmul_fp32(torch.zeros(m, k), torch.zeros(k, n))
        called = f"matmul_fp32(zeros [{m}, {k}], zeros [{k}, {n}])"
        expect_close(got, torch.zeros(m, n), atol=0, called=called, why="a sum of nothing is zero")


@pytest.mark.task("matmul_fp32")
def test_fp32_leaves_its_inputs_as_they_were(answer, seed):
    """matmul_fp32 does not write into a or b."""
    for dtype in (torch.float16, torch.float32):
        a, b = draw((2, 3), seed).to(dtype), draw((3, 2), seed + 1).to(dtype)
        with expect_untouched(a, b, called=f"matmul_fp32(a, b), both {dtype}"):
            answer.matmul_fp32(a, b)


@pytest.mark.task("matmul_lowp")
def test_lowp_returns_the_dtype_it_was_asked_for(answer):
    """matmul_lowp(a, b, dtype) returns `dtype` for every floating-point input."""
    for dtype in LOW:
        for source in (*LOW, torch.float32, torch.float64):
            got = answer.matmul_lowp(
                torch.ones(2, 3).to(source), torch.ones(3, 4).to(source), dtype
            )
            called = f"matmul_lowp({source} [2, 3], {source} [3, 4], {dtype})"
            want = torch.full((2, 4), 3.0).to(dtype)
            expect_close(got, want, atol=0, called=called, why="the next layer expects this dtype")


@pytest.mark.task("matmul_lowp")
def test_lowp_rounds_the_operands_before_the_product(answer):
    """matmul_lowp rounds a and b first: what the operands lose, the product cannot have."""
    for dtype in LOW:
        lost = torch.finfo(dtype).eps / 2
        row = torch.tensor([[1 + lost, -1.0]])
        for a, b, side in (
            (row, torch.ones(2, 1), "a"),
            (torch.tensor([[1.0, -1.0]]), row.abs().T, "b"),
        ):
            got = answer.matmul_lowp(a, b, dtype)
            called = f"matmul_lowp(…, {dtype}) with 1 + {lost} in {side}, minus 1"
            why = f"1 + {lost} is a tie that rounds to 1 in {dtype}; {ROUND_FIRST}"
            expect_close(got, torch.zeros(1, 1).to(dtype), atol=0, called=called, why=why)


@pytest.mark.task("matmul_lowp")
def test_lowp_loses_what_random_operands_lose(answer, seed):
    """matmul_lowp of [x, -round(x)] and [1, 1] is 0 for random x, exactly."""
    x = draw((64, 1), seed)
    for dtype in LOW:
        a = torch.cat([x, -x.to(dtype).float()], 1)
        got = answer.matmul_lowp(a, torch.ones(2, 1), dtype)
        called = f"matmul_lowp([x, -round(x)], ones [2, 1], {dtype}), 64 random x"
        expect_close(got, torch.zeros(64, 1).to(dtype), atol=0, called=called, why=ROUND_FIRST)


@pytest.mark.task("matmul_lowp")
def test_lowp_multiplies_what_is_left_correctly(answer, seed):
    """matmul_lowp is the product of the rounded operands, also tiny, batched or strided ones."""
    k = 8
    base, other = draw((5, k), seed), draw((k, 3), seed + 1)
    cases = {
        "random": (base, other),
        "values near 2**-18": (base * 2.0**-18, other),
        "float64 inputs": (base.double(), other.double()),
        "a transposed view": (draw((k, 5), seed + 2).T, other),
        "a batch [2, 4, 8] @ [2, 8, 3]": (draw((2, 4, k), seed), draw((2, k, 3), seed + 3)),
        "an outlier column": (base * torch.tensor([100.0] + [1.0] * (k - 1)), other),
    }
    for dtype in LOW:
        for name, (a, b) in cases.items():
            low_a, low_b = a.to(dtype), b.to(dtype)
            want = (low_a.double() @ low_b.double()).to(dtype)
            called = f"matmul_lowp on {name}, {dtype}"
            why = "after the operands are rounded, it is an ordinary product"
            atol = product_bound(low_a, low_b, dtype)
            expect_close(answer.matmul_lowp(a, b, dtype), want, atol=atol, called=called, why=why)


@pytest.mark.task("matmul_lowp")
def test_lowp_overflows_to_infinity(answer):
    """matmul_lowp returns inf where a float16 result passes 65504: neither clamped nor an error."""
    inf = float("inf")
    big = torch.full((1, 8), 300.0)
    cases = {
        "a sum of 720000": (big, big.T, inf),
        "a sum of -720000": (big, -big.T, -inf),
        "an operand of 1e5": (torch.tensor([[1e5]]), torch.ones(1, 1), inf),
    }
    for name, (a, b, value) in cases.items():
        got = answer.matmul_lowp(a, b, torch.float16)
        want = torch.tensor([[value]]).half()
        why = "float16 ends at 65504; hiding that hides the bug"
        expect_close(got, want, atol=0, called=f"matmul_lowp, {name}, float16", why=why)
    got = answer.matmul_lowp(big, big.T, torch.bfloat16)
    finite = bool(torch.isfinite(got).all())
    why = "bfloat16 has float32's range: it loses digits instead"
    called = "matmul_lowp, a sum of 720000, bfloat16"
    expect(finite, called=called, expected="a finite number", got=got, why=why)


@pytest.mark.task("matmul_lowp")
def test_lowp_accepts_empty_and_all_zero_inputs(answer):
    """matmul_lowp of an empty batch is empty; of k = 0 or of zeros it is zero."""
    for dtype in LOW:
        for m, k, n in ((0, 3, 2), (2, 0, 3), (2, 3, 2)):
            got = answer.matmul_lowp(torch.zeros(m, k), torch.zeros(k, n), dtype)
            called = f"matmul_lowp(zeros [{m}, {k}], zeros [{k}, {n}], {dtype})"
            want = torch.zeros(m, n).to(dtype)
            expect_close(got, want, atol=0, called=called, why="a sum of nothing is zero")


@pytest.mark.task("matmul_lowp")
def test_lowp_leaves_its_inputs_as_they_were(answer, seed):
    """matmul_lowp does not write into a or b, and does not change their dtype."""
    for source in (torch.float32, torch.float16):
        a, b = draw((2, 3), seed).to(source), draw((3, 2), seed + 1).to(source)
        for dtype in LOW:
            with expect_untouched(a, b, called=f"matmul_lowp({source}, {source}, {dtype})"):
                answer.matmul_lowp(a, b, dtype)


class Probe(nn.Module):
    """A linear layer that writes down the circumstances of its call."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.seen: dict[str, object] = {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = {
            "input": x.dtype,
            "autocast": torch.is_autocast_enabled("cpu"),
            "autocast dtype": torch.get_autocast_dtype("cpu"),
            "weight": self.linear.weight.dtype,
        }
        return self.linear(x)


class Residual(nn.Module):
    """x + linear(x): under autocast the sum of float32 and bfloat16 is float32."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.linear(x)


class TwoOutputs(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"twice": 2 * x, "shape": torch.tensor(x.shape)}


class Broken(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise LookupError("this model always fails")


def autocast_state() -> tuple[bool, torch.dtype]:
    return torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")


@pytest.mark.task("amp_forward")
def test_amp_computes_in_bfloat16_unless_told_otherwise(answer):
    """amp_forward runs the model under autocast, in bfloat16 by default and in `dtype` if given."""
    for given, dtype in (((), torch.bfloat16), ((torch.float16,), torch.float16)):
        model = Probe()
        got = answer.amp_forward(model, torch.zeros(2, 8), *given)
        called = f"amp_forward(model, x{''.join(f', {d}' for d in given)})"
        why = f"a Linear that comes last under autocast({dtype}) returns {dtype}"
        expect_dtype(got, dtype, called=called, why=why)
        seen = {"autocast": True, "autocast dtype": dtype}
        same = {key: model.seen.get(key) for key in seen} == seen
        why = "autocast has to be on while the model runs"
        expect(same, called=called, expected=str(seen), got=model.seen, why=why)


@pytest.mark.task("amp_forward")
def test_amp_lets_autocast_do_the_casting(answer):
    """amp_forward hands the model x and the float32 weights as they are."""
    model = Probe()
    answer.amp_forward(model, torch.zeros(2, 8))
    seen = {"input": torch.float32, "weight": torch.float32}
    same = {key: model.seen.get(key) for key in seen} == seen
    why = "autocast chooses a dtype for each operation; casting by hand takes that choice away"
    called = "amp_forward(model, x), seen inside the model"
    expect(same, called=called, expected=str(seen), got=model.seen, why=why)


@pytest.mark.task("amp_forward")
def test_amp_accepts_token_ids(answer):
    """amp_forward works for a model whose input is integers."""
    model = nn.Sequential(nn.Embedding(5, 8), nn.Linear(8, 3))
    got = answer.amp_forward(model, torch.tensor([[0, 4, 2]]))
    want = torch.zeros(1, 3, 3, dtype=torch.bfloat16)
    called = "amp_forward(Embedding -> Linear, int64 ids [1, 3])"
    why = "token ids are indices: cast to a float they cannot index a table"
    expect_close(got, want, atol=torch.finfo(torch.bfloat16).max, called=called, why=why)


@pytest.mark.task("amp_forward")
def test_amp_returns_the_raw_output(answer):
    """amp_forward returns the model's own output: float32 where autocast leaves float32."""
    got = answer.amp_forward(Residual(), torch.zeros(2, 8))
    called = "amp_forward(x + linear(x), x)"
    why = "float32 + bfloat16 is float32: the output dtype is the model's affair"
    expect_dtype(got, torch.float32, called=called, why=why)
    got = answer.amp_forward(TwoOutputs(), torch.zeros(2, 8))
    called = "amp_forward(a model that returns a dict, x)"
    why = "many models return a dict or a tuple"
    expect(isinstance(got, dict), called=called, expected="that dict", got=got, why=why)


@pytest.mark.task("amp_forward")
def test_amp_agrees_with_the_model(answer, seed):
    """amp_forward's numbers are the model's, with an error of 16 bits and not of 32."""
    model = nn.Linear(8, 16)
    with torch.no_grad():
        model.weight.copy_(draw((16, 8), seed))
        model.bias.zero_()
    x = draw((32, 8), seed + 1)
    exact = x.double() @ model.weight.detach().double().T
    size = x.double().abs() @ model.weight.detach().double().abs().T
    for dtype in LOW:
        eps = torch.finfo(dtype).eps
        got = answer.amp_forward(model, x, dtype)
        called = f"amp_forward(Linear(8, 16), random x [32, 8], {dtype})"
        # Two operand roundings, eight products, eight sums and a store: each at most eps * size.
        why = "a 16-bit product stays close to the float32 one"
        expect_close(got, exact.to(dtype), atol=19 * eps * size, called=called, why=why)
        # The operands alone move 512 sums by about u; all of them within u / 64 is not chance.
        worst = float((got.double() - exact).abs().max())
        why = "no rounding error at all means that nothing was computed in 16 bits"
        expected = f"an error above {eps / 128:.1e}"
        expect(worst > eps / 128, called=called, expected=expected, got=f"{worst:.1e}", why=why)


@pytest.mark.task("amp_forward")
def test_amp_builds_no_graph(answer):
    """amp_forward records nothing for a backward pass, even if x requires a gradient."""
    x = torch.zeros(2, 8, requires_grad=True)
    got = answer.amp_forward(nn.Linear(8, 4), x)
    called, why = "amp_forward(model, x)", "a recorded graph keeps every activation in memory"
    expect_dtype(got, torch.bfloat16, called=called, why="autocast was to compute this")
    expected = "requires_grad False"
    got = f"requires_grad {got.requires_grad}"
    expect(got == expected, called=called, expected=expected, got=got, why=why)


@pytest.mark.task("amp_forward")
def test_amp_leaves_model_and_input_as_they_were(answer, seed):
    """amp_forward changes no parameter, dtype, requires_grad or training flag."""
    for training in (True, False):
        model, x = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)), draw((2, 8), seed)
        model.train(training)
        for dtype in LOW:
            called = f"amp_forward(model, x, {dtype}), model.training is {training}"
            why = "autocast casts copies; the float32 parameters are the model"
            with expect_untouched(model, x, called=called, why=why):
                answer.amp_forward(model, x, dtype)


@pytest.mark.task("amp_forward")
def test_amp_leaves_autocast_as_it_was(answer):
    """amp_forward restores the autocast state: off, or what an outer region had set."""
    outer = torch.autocast("cpu", dtype=torch.float16)
    for name, region in (("no region", contextlib.nullcontext()), ("autocast(float16)", outer)):
        with region:
            before = autocast_state()
            got = answer.amp_forward(nn.Linear(8, 4), torch.zeros(2, 8))
            after = autocast_state()
        called = f"amp_forward(model, x) inside {name}"
        why = "whoever calls next must not find another precision"
        expect(after == before, called=called, expected=str(before), got=after, why=why)
        expect_dtype(got, torch.bfloat16, called=called, why="the default dtype still holds there")


@pytest.mark.task("amp_forward")
def test_amp_lets_the_models_error_through(answer):
    """amp_forward passes the model's own exception on, with autocast and grad mode as before."""
    before = (*autocast_state(), torch.is_grad_enabled())
    called, why = "amp_forward(a model that raises LookupError, x)", "an error is not a state"
    raised: object = "nothing raised"
    try:
        answer.amp_forward(Broken(), torch.zeros(2, 8))
    except Exception as error:
        raised = type(error).__name__
    expect(raised == "LookupError", called=called, expected="LookupError", got=raised, why=why)
    after = (*autocast_state(), torch.is_grad_enabled())
    expect(after == before, called=called, expected=str(before), got=after, why=why)


def outer_errors(a: torch.Tensor, b: torch.Tensor) -> dict[str, float]:
    """The report for a [m, 1] and b [1, n]: one product an entry, so each error is known."""
    exact = a.double() @ b.double()
    names = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    errors = {}
    for name, dtype in names.items():
        got = (a.to(dtype).double() @ b.to(dtype).double()).to(dtype).double()
        errors[name] = float((got - exact).abs().max())
    return errors


def report_of(answer, a: torch.Tensor, b: torch.Tensor, called: str) -> dict[str, float]:
    """The answer's report, which has to be a dict with the three keys."""
    got = answer.precision_report(a, b)
    complete = isinstance(got, dict) and set(got) == {"fp32", "fp16", "bf16"}
    expected = "a dict with the keys fp32, fp16, bf16"
    expect(complete, called=called, expected=expected, got=got, why="the table has three columns")
    return got


@pytest.mark.task("precision_report")
def test_report_has_three_python_floats(answer, seed):
    """precision_report returns a dict with the keys fp32, fp16, bf16 and Python floats."""
    called = "precision_report(a, b)"
    got = report_of(answer, draw((3, 4), seed), draw((4, 2), seed + 1), called)
    kinds = {key: type(value).__name__ for key, value in got.items()}
    want = dict.fromkeys(got, "float")
    why = "a report goes into a table or a JSON file"
    expect(kinds == want, called=called, expected=str(want), got=str(kinds), why=why)


@pytest.mark.task("precision_report")
def test_report_measures_against_a_float64_reference(answer, seed):
    """precision_report gives the largest absolute error against the product in float64."""
    a, b = draw((40, 1), seed), draw((1, 40), seed + 1)
    called = "precision_report(a [40, 1], b [1, 40])"
    got = report_of(answer, a, b, called)
    for key, value in outer_errors(a, b).items():
        # One product an entry: nothing is summed, so each error is known.
        why = "the reference is float64, from the inputs as given; float32 has an error too"
        expect_close(got[key], value, atol=1e-6 * value, called=f"{called}[{key!r}]", why=why)


@pytest.mark.task("precision_report")
def test_report_keeps_float64_inputs_in_the_reference(answer):
    """precision_report's reference uses a and b as given: a float64 input is not rounded first."""
    a, b = torch.tensor([[1 + 2.0**-30]], dtype=torch.float64), torch.ones(1, 1).double()
    called = "precision_report([[1 + 2**-30]] in float64, [[1]])"
    got = report_of(answer, a, b, called)["fp32"]
    why = "float32 rounds 1 + 2**-30 to 1, and the report has to say so in 'fp32'"
    expect_close(got, 2.0**-30, atol=0, called=called, why=why)


@pytest.mark.task("precision_report")
def test_report_takes_the_largest_error_of_all_entries(answer):
    """precision_report takes the maximum of |error|, wherever it is and whatever its sign."""
    for sign in (1.0, -1.0):
        a = torch.ones(3, 1)
        a[1] = sign * (1 + 2.0**-10)
        called = f"precision_report([[1], [{float(a[1])}], [1]], ones [1, 2])"
        got = report_of(answer, a, torch.ones(1, 2), called)["bf16"]
        why = "in 'bf16' one entry in three is off by 2**-10; a mean or a signed error hides it"
        expect_close(got, 2.0**-10, atol=0, called=called, why=why)


@pytest.mark.task("precision_report")
def test_report_shows_overflow_as_inf(answer):
    """precision_report says inf where float16 overflows, and never NaN."""
    inf = float("inf")
    big = torch.full((1, 8), 300.0)
    mixed = torch.tensor([[1e5, 1e5]])
    cases = {
        "a sum of 720000": (big, big.T),
        "operands of 1e5 that cancel": (mixed, torch.tensor([[1.0], [-1.0]])),
    }
    for name, (a, b) in cases.items():
        called = f"precision_report, {name}"
        got = report_of(answer, a, b, called)
        why = "inf - inf is NaN, and a NaN in a report compares as false with everything"
        expect_close(got["fp16"], inf, atol=0, called=f"{called}['fp16']", why=why)
        finite = got["fp32"] < inf and got["bf16"] < inf
        why = "only float16 overflows here"
        expect(finite, called=called, expected="fp32 and bf16 finite", got=got, why=why)


@pytest.mark.task("precision_report")
def test_report_of_exact_or_empty_products_is_zero(answer):
    """precision_report is 0.0 where every format is exact, and for a product without entries."""
    cases = {
        "zeros": (torch.zeros(2, 3), torch.zeros(3, 2)),
        "small integers": (torch.arange(4.0).reshape(2, 2), torch.eye(2)),
        "an empty batch [0, 3]": (torch.zeros(0, 3), torch.zeros(3, 2)),
    }
    for name, (a, b) in cases.items():
        called = f"precision_report of {name}"
        for key, error in report_of(answer, a, b, called).items():
            why = "no entry is wrong, so the largest error is zero"
            expect_close(error, 0.0, atol=0, called=f"{called}[{key!r}]", why=why)


@pytest.mark.task("precision_report")
def test_report_leaves_its_inputs_as_they_were(answer, seed):
    """precision_report does not write into a or b."""
    a, b = draw((3, 4), seed), draw((4, 2), seed + 1)
    with expect_untouched(a, b, called="precision_report(a, b)"):
        answer.precision_report(a, b)


@pytest.mark.task("tf_matmul")
def test_tf_returns_the_dtype_it_was_asked_for(answer):
    """tf_matmul returns a tensor of `dtype`, from arrays or tensors, by name or as tf.DType."""
    import tensorflow as tf

    ones = np.ones((2, 2))
    for source in (ones, ones.astype(np.float32), tf.ones((2, 2))):
        for dtype in ("float32", "float16", "bfloat16", tf.bfloat16):
            got = answer.tf_matmul(source, source, dtype)
            called = f"tf_matmul({type(source).__name__}, …, {dtype!r})"
            want = tf.cast(tf.fill((2, 2), 2.0), dtype)
            tensor = isinstance(got, tf.Tensor)
            expect(
                tensor, called=called, expected="a tf.Tensor", got=got, why="it stays in TensorFlow"
            )
            expect_close(got, want, atol=0, called=called, why="the next layer expects this dtype")


@pytest.mark.task("tf_matmul")
def test_tf_rounds_the_operands_before_the_product(answer):
    """tf_matmul rounds a and b to dtype first, as matmul_lowp does."""
    import tensorflow as tf

    for dtype, lost in (("float16", 2.0**-11), ("bfloat16", 2.0**-8)):
        row, ones = np.array([[1 + lost, -1.0]], np.float32), np.ones((2, 1), np.float32)
        got = answer.tf_matmul(tf.constant(row), tf.constant(ones), dtype)
        called = f"tf_matmul([[1 + {lost}, -1]], ones [2, 1], {dtype!r})"
        why = f"1 + {lost} is a tie that rounds to 1; {ROUND_FIRST}"
        expect_close(got, tf.zeros((1, 1), dtype), atol=0, called=called, why=why)


@pytest.mark.task("tf_matmul")
def test_tf_multiplies_what_is_left_correctly(answer, seed):
    """tf_matmul is the product of the rounded operands; float16 overflows to inf."""
    import tensorflow as tf

    draws = np.random.default_rng(seed)
    a, b = draws.standard_normal((5, 8)), draws.standard_normal((8, 3))
    for dtype, eps in (("float32", 2.0**-23), ("float16", 2.0**-10), ("bfloat16", 2.0**-7)):
        low_a, low_b = (tf.cast(tf.cast(x, dtype), tf.float64).numpy() for x in (a, b))
        got = answer.tf_matmul(a, b, dtype)
        called = f"tf_matmul(random [5, 8], random [8, 3], {dtype!r})"
        # Eight products, seven sums, one store; eps, not eps / 2, as some kernels truncate.
        atol = 16 * eps * (np.abs(low_a) @ np.abs(low_b)) + 2.0**-24
        why = "after the operands are rounded, it is an ordinary product"
        expect_close(got, tf.cast(low_a @ low_b, dtype), atol=atol, called=called, why=why)
    big = np.full((1, 8), 300.0, np.float32)
    got = answer.tf_matmul(big, big.T, "float16")
    called, why = "tf_matmul, a sum of 720000, 'float16'", "float16 ends at 65504 here too"
    expect_close(got, tf.constant([[np.inf]], tf.float16), atol=0, called=called, why=why)


# exp, a sum and a division round some ten times, by at most 2**-24 each; a fast exp adds a few.
SOFTMAX_ROUNDINGS = 64 * 2.0**-24
POLICIES = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@contextlib.contextmanager
def global_policy(name: str):
    """The Keras policy `name` for a while, then the one before."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.task("tf_build")
def test_build_has_two_dense_layers_in_the_policys_precision(answer):
    """tf_build's layers with weights compute in the policy's dtype and keep float32 variables."""
    for policy, compute in POLICIES.items():
        model = answer.tf_build(6, 5, 3, policy)
        called = f"tf_build(6, 5, 3, {policy!r})"
        expect(
            bool(model.weights),
            called=called,
            expected="a built model, with its variables",
            got="a model that has no variables yet",
            why="a layer makes them when it learns its input's size; keras.Input tells it",
        )
        shapes = [(tuple(v.shape), str(v.dtype)) for v in model.weights]
        want = [((6, 5), "float32"), ((5,), "float32"), ((5, 3), "float32"), ((3,), "float32")]
        why = "a mixed policy keeps float32 variables and casts them for the computation"
        expect(shapes == want, called=called, expected=str(want), got=str(shapes), why=why)
        dtypes = [layer.compute_dtype for layer in model.layers if layer.weights]
        expected = f"compute dtypes {[compute] * 2}"
        why = "the policy is there so that the two large products run in it"
        expect(dtypes == [compute] * 2, called=called, expected=expected, got=str(dtypes), why=why)


@pytest.mark.task("tf_build")
def test_build_returns_float32_probabilities(answer, seed):
    """tf_build's model is relu between two dense layers, then softmax, with a float32 result."""
    draws = np.random.default_rng(seed)
    x, w1, b1, w2, b2 = (
        draws.integers(-2, 3, shape).astype(np.float64)
        for shape in ((9, 6), (6, 5), (5,), (5, 3), (3,))
    )
    # Integers below 256, and sixteenths of them, are exact in every format: so are the logits.
    logits = np.maximum(x @ w1 + b1, 0) @ (w2 / 16) + b2
    power = np.exp(logits - logits.max(1, keepdims=True))
    want = (power / power.sum(1, keepdims=True)).astype(np.float32)
    for policy in POLICIES:
        model = answer.tf_build(6, 5, 3, policy)
        model.set_weights([w1, b1, w2 / 16, b2])
        called, why = f"tf_build(6, 5, 3, {policy!r})(x)", "the logits are exact: softmax is left"
        got = model(x.astype(np.float32))
        expect_close(got, want, atol=SOFTMAX_ROUNDINGS, called=called, why=why)


@pytest.mark.task("tf_build")
def test_build_computes_softmax_in_float32(answer):
    """tf_build's softmax runs in float32: a probability of 1e-8 survives and rows sum to 1."""
    logits = np.array([0.0, -12.0, -17.0, -18.0])
    want = (np.exp(logits) / np.exp(logits).sum()).astype(np.float32)[None]
    for policy in POLICIES:
        model = answer.tf_build(2, 3, 4, policy)
        weights = [np.zeros(v.shape, np.float32) for v in model.weights]
        weights[-1] = logits.astype(np.float32)
        model.set_weights(weights)
        called = f"tf_build(2, 3, 4, {policy!r}) with logits {logits.tolist()}"
        why = "softmax in 16 bits and a cast afterwards: the output is float32, its digits are not"
        got = model(np.zeros((1, 2), np.float32))
        expect_close(got, want, atol=SOFTMAX_ROUNDINGS * want, called=called, why=why)


@pytest.mark.task("tf_build")
def test_build_leaves_the_global_policy_as_it_was(answer):
    """tf_build neither changes the global policy nor depends on it."""
    import keras

    for outside, policy in (
        ("float32", "mixed_float16"),
        ("mixed_bfloat16", "float32"),
        ("mixed_bfloat16", "mixed_float16"),
    ):
        with global_policy(outside):
            model = answer.tf_build(2, 3, 4, policy)
            after = keras.config.dtype_policy().name
        called = f"tf_build(2, 3, 4, {policy!r}) under global policy {outside!r}"
        why = "a changed policy changes every layer that anyone builds afterwards"
        expected = f"global policy {outside!r}"
        got = f"global policy {after!r}"
        expect(got == expected, called=called, expected=expected, got=got, why=why)
        dtypes = [layer.compute_dtype for layer in model.layers if layer.weights]
        expected = f"compute dtypes {[POLICIES[policy]] * 2}"
        why = "the argument decides, not what happened to be set before"
        same = dtypes == [POLICIES[policy]] * 2
        expect(same, called=called, expected=expected, got=dtypes, why=why)


@pytest.mark.task("tf_build")
def test_build_leaves_the_global_policy_after_an_error(answer):
    """tf_build raises ValueError for an unknown policy or a negative size, and the policy stays."""
    import keras

    for arguments in ((2, 3, 4, "mixed_float8"), (2, -3, 4, "mixed_float16")):
        called = f"tf_build{arguments}"
        with global_policy("float32"):
            raised: object = "nothing raised"
            try:
                answer.tf_build(*arguments)
            except Exception as error:
                raised = type(error).__name__
            after = keras.config.dtype_policy().name
        why = "an error on the way must not leave the policy behind"
        expect(raised == "ValueError", called=called, expected="ValueError", got=raised, why=why)
        expected = "global policy 'float32'"
        got = f"global policy {after!r}"
        expect(got == expected, called=called, expected=expected, got=got, why=why)
