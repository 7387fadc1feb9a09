"""What mixed precision by hand and by autocast must do, one claim a check.

The suites hold what is true of every matrix product, every function that runs a model under
autocast, and every Keras classifier: read their claims in halfbits/course/checks/, products.py,
autocast.py, inference.py and keras_models.py.
"""

import math

import torch

from halfbits.course.checks import (
    autocast,
    calls,
    cases,
    expect,
    hardened,
    keras_models,
    products,
    task,
)
from halfbits.course.checks.cases import each

fp32 = products.Product("matmul_fp32", torch.float32)
lowp = products.Product("matmul_lowp", torch.float16, torch.bfloat16)
amp = autocast.Autocast("amp_forward")
tf = keras_models.Product("tf_matmul")
build = keras_models.PolicyClassifier("tf_build")
again = calls.Calls("matmul_fp32", lambda seed: matrices(seed))
lowp_again = calls.Calls("matmul_lowp", lambda seed: (*matrices(seed), torch.bfloat16))
amp_again = calls.Calls("amp_forward", lambda seed: (cases.linear(seed, 8, 3), matrices(seed)[0]))
report_again = calls.Calls(
    "precision_report", lambda seed: matrices(seed, 10.0 ** (seed % 2)), room=0.5
)


def matrices(seed, size=1.0):
    """Two matrices that can be multiplied."""
    return size * cases.normal(seed, 5, 8), cases.normal(seed + 1, 8, 3)


@task("matmul_fp32")
def test_fp32_multiplies_in_float32_not_in_the_input_dtype(answer):
    """matmul_fp32 converts before the product: 16-bit inputs neither overflow nor lose digits.

    720000 is exact in float32; a product in 16 bits cannot hold it.
    """
    big = products.overflowing()
    for dtype in cases.LOW:
        got = answer.matmul_fp32(big.to(dtype), big.T.to(dtype))
        expect.same(got, torch.tensor([[720000.0]]))


@task("matmul_fp32")
def test_fp32_converts_integers_before_the_product(answer):
    """matmul_fp32 multiplies integers as float32 numbers: the product may exceed their own range.

    64 * 64 is beyond int8, and wraps around there without an error.
    """
    for dtype in each(cases.named(*cases.INTEGERS)):
        big = (torch.iinfo(dtype).max + 1) // 2  # a power of two, so that all is exact
        a = torch.full((1, 4), big, dtype=dtype)
        expect.same(answer.matmul_fp32(a, a.T), torch.tensor([[4 * float(big) ** 2]]))


@task("matmul_lowp")
def test_lowp_rounds_the_operands_before_the_product(answer):
    """matmul_lowp rounds a and b first: what the operands lose, the product cannot have.

    1 + u is a tie that rounds to 1; the hardware reads 16-bit operands, so the rounding happens
    before the product.
    """
    for dtype in cases.LOW:
        row = torch.tensor([[1 + torch.finfo(dtype).eps / 2, -1.0]])
        in_a, in_b = (row, torch.ones(2, 1)), (torch.tensor([[1.0, -1.0]]), row.abs().T)
        for a, b in each({"1 + u in a": in_a, "1 + u in b": in_b}):
            expect.same(answer.matmul_lowp(a, b, dtype), torch.zeros(1, 1).to(dtype))


@task("matmul_lowp")
def test_lowp_loses_what_random_operands_lose(answer, seed):
    """matmul_lowp of [x, -round(x)] and [1, 1] is 0 for random x, exactly.

    Each x is rounded to the nearest number of the dtype before anything is multiplied.
    """
    x = cases.normal(seed, 64, 1)
    for dtype in cases.LOW:
        a = torch.cat([x, -x.to(dtype).float()], 1)
        expect.same(answer.matmul_lowp(a, torch.ones(2, 1), dtype), torch.zeros(64, 1).to(dtype))


@task("matmul_lowp")
def test_lowp_overflows_to_infinity(answer):
    """matmul_lowp returns inf where a float16 result passes 65504: neither clamped nor an error.

    float16 ends at 65504, and hiding that hides the bug; bfloat16 has float32's range.
    """
    operand, big = torch.tensor([[1e5]]), products.overflowing()
    sums = {"720000": (big, big.T, math.inf), "-720000": (big, -big.T, -math.inf)}
    for a, b, want in each(sums | {"an operand of 1e5": (operand, torch.ones(1, 1), math.inf)}):
        expect.same(answer.matmul_lowp(a, b, torch.float16), torch.tensor([[want]]).half())
    got = answer.matmul_lowp(big, big.T, torch.bfloat16)
    expect.true(torch.isfinite(got).all(), expected="a finite number in bfloat16", got=got)


def report_of(answer, a, b):
    """The answer's report, which has to be a dict of three Python floats; a and b stay."""
    with expect.untouched(a, b):
        got = answer.precision_report(a, b)
    kinds = {key: type(value).__name__ for key, value in got.items()} if got else got
    why = "the report goes into a table or a JSON file, with three columns"
    expect.equal(kinds, {"fp32": "float", "fp16": "float", "bf16": "float"}, why=why)
    return got


@task("precision_report")
def test_report_measures_against_a_float64_reference(answer, seed):
    """precision_report gives the largest absolute error against the product in float64.

    The reference is float64, from the inputs as given; float32 has an error too.
    """
    a, b = cases.normal(seed, 40, 1), cases.normal(seed + 1, 1, 40)
    got, exact = report_of(answer, a, b), a.double() @ b.double()
    dtypes = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    for name, dtype in dtypes.items():
        # One product an entry: nothing is summed, so each error is known.
        product = (a.to(dtype).double() @ b.to(dtype).double()).to(dtype).double()
        want = (product - exact).abs().max().item()
        expect.close(got[name], want, atol=1e-6 * want, of=name)


@task("precision_report")
def test_report_keeps_float64_inputs_in_the_reference(answer):
    """precision_report's reference uses a and b as given: a float64 input is not rounded first.

    float32 rounds 1 + 2**-30 to 1, and the report has to say so in 'fp32'.
    """
    one = torch.ones(1, 1).double()
    for a, b in ((one + 2.0**-30, one), (one, one + 2.0**-30)):
        expect.same(report_of(answer, a, b)["fp32"], 2.0**-30, of="fp32")


@task("precision_report")
def test_report_takes_the_largest_error_of_all_entries(answer):
    """precision_report takes the maximum of |error|, wherever it is and whatever its sign.

    In 'bf16' one entry in three is off by 2**-10; a mean or a signed error hides it.
    """
    for sign, row in ((1.0, 1), (-1.0, 1), (1.0, 0), (-1.0, 2)):
        a = torch.ones(3, 1)
        a[row] = sign * (1 + 2.0**-10)
        expect.same(report_of(answer, a, torch.ones(1, 2))["bf16"], 2.0**-10, of="bf16")


@task("precision_report")
def test_report_shows_overflow_as_inf(answer):
    """precision_report says inf where float16 overflows, and never NaN; the others stay finite.

    inf - inf is NaN, and a NaN in a report compares as false with everything.
    """
    big = products.overflowing()
    cancel = torch.tensor([[1e5, 1e5]]), torch.tensor([[1.0], [-1.0]])
    for a, b in each({"a sum of 720000": (big, big.T), "operands of 1e5 that cancel": cancel}):
        got = report_of(answer, a, b)
        expect.same(got["fp16"], math.inf, of="fp16")
        expect.true(max(got["fp32"], got["bf16"]) < math.inf, expected="finite", got=got)


@task("precision_report")
@hardened
def test_report_of_exact_or_empty_products_is_zero(answer):
    """precision_report is 0.0 where every format is exact, and for a product without entries.

    No entry is wrong, so the largest error is zero.
    """
    zeros, empty = (torch.zeros(2, 3), torch.zeros(3, 2)), (torch.zeros(0, 3), torch.zeros(3, 2))
    small = torch.arange(4.0).reshape(2, 2), torch.eye(2).bfloat16()
    for a, b in each({"zeros": zeros, "small integers": small, "an empty batch [0, 3]": empty}):
        got = report_of(answer, a, b)
        expect.equal(got, dict.fromkeys(got, 0.0))
