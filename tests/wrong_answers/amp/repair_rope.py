"""Wrong and right answers to amp/repair_rope: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

FREQUENCY = "base ** (-torch.arange(half, dtype=torch.float32) / half)"
POSITION = "positions.float()[:, None]"
ANGLE = "angle.cos().to(x.dtype), angle.sin().to(x.dtype)"
RESULT = "torch.cat([a * cos - b * sin, b * cos + a * sin], dim=1)"

EQUIVALENT = {
    "frequency = base ** (-torch.arange(half) / half)": "a quotient of integers is a float32",
    "frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)": "more exact",
    "angle = positions[:, None] * frequency": "an integer times a float32 is a float32",
}

WRONG = {
    "test_product_depends_on_the_distance_alone": [
        (
            "as it came",
            "breaks it",
            FREQUENCY,
            FREQUENCY.replace("torch.float32", "x.dtype"),
            POSITION,
            "positions.to(x.dtype)[:, None]",
        ),
        ("rounded positions", "breaks it", POSITION, "positions.to(x.dtype)[:, None].float()"),
        (
            "rounded angles",
            "breaks it",
            ANGLE,
            "angle.to(x.dtype).cos(), angle.to(x.dtype).sin()",
        ),
        ("float16 instead", "breaks it", POSITION, "positions.half()[:, None]"),
    ],
    "test_every_position_has_its_angles": [
        ("rounded frequencies", "expected", FREQUENCY, f"({FREQUENCY}).to(x.dtype).float()"),
        ("positions that start again at 256", "expected", POSITION, "(positions % 256)[:, None]"),
        ("positions clamped", "expected", POSITION, "positions.clamp(max=2048)[:, None]"),
        ("from the first position on", "expected", POSITION, "(positions - positions[0])[:, None]"),
    ],
    "test_short_prompts_stay_as_they_were": [
        (
            "rotated the other way",
            "has to stay right",
            RESULT,
            RESULT.replace("- b", "+ b").replace("+ a", "- a"),
        ),
        (
            "neighbors as pairs",
            "has to stay right",
            "x[:, :half], x[:, half:]",
            "x[:, ::2], x[:, 1::2]",
        ),
        ("twice the frequency", "has to stay right", "/ half)", "/ (2 * half))"),
        (
            "the index for the position",
            "has to stay right",
            POSITION,
            "torch.arange(len(x))[:, None]",
        ),
    ],
    "test_base_sets_the_frequencies": [
        ("always 10000", "models differ", FREQUENCY, FREQUENCY.replace("base", "10000.0")),
    ],
    "test_inputs_are_left_as_they_were": [
        ("a float32 result", "float32", ANGLE, "angle.cos(), angle.sin()"),
        ("rotates in place", "left as it was", RESULT, f"x.copy_({RESULT})"),
    ],
}

COMPLEX = """
import torch
def rotary(x, positions, base=10000.0):
    half = x.size(-1) // 2
    inverse = 1.0 / torch.pow(base, torch.arange(0, 2 * half, 2).float() / (2 * half))
    angles = torch.outer(positions.to(torch.float32), inverse)
    turned = torch.complex(x[:, :half].float(), x[:, half:].float())
    turned = turned * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1).type_as(x)
"""
AS_IN_LLAMA = """
import torch
def rotary(x, positions, base=10000.0):
    dim = x.shape[-1]
    inverse = 1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.int64).float() / dim))
    half = positions[:, None].float() * inverse[None, :]
    angles = torch.cat((half, half), dim=-1)
    cos, sin = angles.cos().to(dtype=x.dtype), angles.sin().to(dtype=x.dtype)
    turned = torch.cat((-x[..., dim // 2 :], x[..., : dim // 2]), dim=-1)
    return (x * cos) + (turned * sin)
"""
NUMPY = """
import numpy as np
import torch
def rotary(x, positions, base=10000.0):
    rows = x.to(torch.float64).numpy()
    half = rows.shape[1] // 2
    angle = np.outer(positions.numpy(), base ** (-np.arange(half) / half))
    a, b = rows[:, :half], rows[:, half:]
    cos, sin = np.cos(angle), np.sin(angle)
    out = np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=1)
    return torch.from_numpy(out).to(x.dtype)
"""

RIGHT = [
    RightAnswer("complex numbers", COMPLEX),
    RightAnswer("as the Llama of transformers", AS_IN_LLAMA),
    RightAnswer("numpy in float64", NUMPY),
    RightAnswer(
        "converted at the end",
        swap("rotary", ANGLE, "angle.cos(), angle.sin()", RESULT, f"{RESULT}.to(x.dtype)"),
    ),
]
