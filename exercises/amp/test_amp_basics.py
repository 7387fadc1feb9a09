"""What mixed precision by hand and by autocast must do, one claim a check.

The suites hold what is true of every matrix product, every function that runs a model under
autocast, every report on lost precision, and every Keras classifier: read their claims in
halfbits/course/checks/, products.py, autocast.py, inference.py, precision.py and keras_models.py.
"""

import math

import torch

from halfbits.course.checks import (
    autocast,
    calls,
    cases,
    expect,
    keras_models,
    precision,
    products,
    task,
)
from halfbits.course.checks.cases import each

fp32 = products.Product("matmul_fp32", torch.float32)
lowp = products.Product("matmul_lowp", torch.float16, torch.bfloat16)
report = precision.Report("precision_report")
amp = autocast.Autocast("amp_forward")
tf = keras_models.Product("tf_matmul")
build = keras_models.PolicyClassifier("tf_build")
again = calls.Calls("matmul_fp32", lambda seed: matrices(seed))
lowp_again = calls.Calls("matmul_lowp", lambda seed: (*matrices(seed), torch.bfloat16))
amp_again = calls.Calls("amp_forward", lambda seed: (cases.linear(seed, 8, 3), matrices(seed)[0]))
tf_again = calls.Calls("tf_matmul", lambda seed: (*arrays(seed), "float32"))
report_again = calls.Calls(
    "precision_report", lambda seed: matrices(seed, 10.0 ** (seed % 2)), room=0.5
)


def arrays(seed):
    """Two numpy arrays that can be multiplied."""
    return [matrix.numpy() for matrix in matrices(seed)]


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
