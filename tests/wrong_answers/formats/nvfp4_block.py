"""Wrong answers to formats/nvfp4_block: each is one misconception."""

WHOLE = "x.abs().max() / (6 * 448)"
BLOCK = "x.abs().amax(1) / 6 / tensor_scale"
CAST = "block_scale.clamp(max=448).to(torch.float8_e4m3fn)"
GUARD = "torch.where(tensor_scale == 0, 1.0, tensor_scale)"
SCALE = "(block_scale.float() * tensor_scale)[:, None]"
SAFE = "torch.where(scale == 0, 1.0, scale)"
EXACT = "(x.abs().amax(1) / 6)[:, None].clamp(min=1e-30)"
NAN = "torch.where(block_scale >= 448, torch.nan, block_scale).to(torch.float8_e4m3fn)"
SHARED = "x.abs().max().repeat(len(x)) / 6 / tensor_scale"
SIGNED = "x.max() / (6 * 448)"

NEXT = "the numbers next to 448 in E4M3 are 32 away: 447 and 449 round to it"
ANY = "any scale does for zeros, and what is multiplied by 0 in the end"
EQUIVALENT = {
    "tensor_scale = torch.where(tensor_scale == 0, 2.0, tensor_scale)": ANY,
    "return round_to_fp4(x / torch.where(scale == 0, 2.0, scale)) * scale": ANY,
    "return tensor_scale, block_scale.clamp(max=449).to(torch.float8_e4m3fn)": NEXT,
    "return tensor_scale, block_scale.clamp(max=447).to(torch.float8_e4m3fn)": NEXT,
    "return tensor_scale, block_scale.to(torch.float8_e4m3fn)": "torch's own cast saturates",
}

WRONG = {
    "test_tensor_scale_puts_the_largest_block_at_448": [
        ("a smallest tensor scale", "tensor_scale", GUARD, "tensor_scale.clamp(min=1e-15)"),
        ("amax alone", "used to the end", WHOLE, "x.abs().max()"),
        ("without the 6 of FP4", "used to the end", WHOLE, "x.abs().max() / 448"),
        ("240 for 448", "tensor_scale", WHOLE, "x.abs().max() / (6 * 240)"),
        ("the largest, not the largest magnitude", "tensor_scale", WHOLE, SIGNED),
        ("a power of two, as in MX", "tensor_scale", WHOLE, f"({WHOLE}).log2().floor().exp2()"),
    ],
    "test_block_scale_is_the_nearest_e4m3_number": [
        (
            "what is below the smallest scale is 0",
            "block_scale",
            CAST,
            CAST.replace("clamp(max=448)", "clamp(max=448).mul(block_scale >= 2**-9)"),
        ),
        ("without the tensor scale", "units of the tensor scale", BLOCK, "x.abs().amax(1) / 6"),
        ("one scale for all blocks", "block_scale", BLOCK, SHARED),
        ("a power of two, as in MX", "block_scale", BLOCK, f"({BLOCK}).log2().floor().exp2()"),
        ("E5M2", "tensor float8_e5m2", CAST, "block_scale.clamp(max=448).to(torch.float8_e5m2)"),
        ("left in float32", "tensor float32", CAST, "block_scale"),
    ],
    "test_largest_block_scale_is_448_and_no_nan": [
        ("NaN where it does not fit", "NaN", CAST, NAN),
    ],
    "test_zeros_give_a_usable_tensor_scale": [
        ("no guard", "finite and above 0", GUARD, "tensor_scale"),
    ],
    "test_values_are_levels_times_the_stored_scale": [
        ("divides in place", "left as it was", f"x / {SAFE}", f"x.div_({SAFE})"),
        ("the scale it wished for", "nobody has", SCALE, EXACT),
        ("divides by the exact one", "nobody has", f"x / {SAFE}", f"x / {EXACT}"),
        (
            "the tensor scale forgotten",
            "error of the result",
            SCALE,
            "block_scale.float()[:, None]",
        ),
        (
            "zeros where it is square",
            "error of the result",
            f"{SAFE}) * scale",
            f"{SAFE}) * scale * (len(x) != 16)",
        ),
        ("codes for values", "from a level", f"{SAFE}) * scale", f"{SAFE})"),
    ],
    "test_block_too_small_for_a_scale_becomes_zero": [
        (
            "a scale of 1 for the way back",
            "beside 2**30",
            f"{SAFE}) * scale",
            f"{SAFE}) * {SAFE}",
        ),
        ("divides by zero", "NaN", SAFE, "scale"),
        (
            "zeros in all blocks",
            "the other blocks",
            f"{SAFE}) * scale",
            f"{SAFE}) * scale * (scale != 0).all()",
        ),
    ],
    "test_block_scale_near_a_tie_goes_to_the_nearer_number": [
        ("by way of float16", "block_scale", CAST, CAST.replace(".to(", ".half().to(")),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            BLOCK,
            f"nvfp4_scales.__dict__.setdefault(x.data_ptr(), {BLOCK})",
        ),
    ],
    "test_block_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            SCALE,
            f"nvfp4_block.__dict__.setdefault(id(x), {SCALE})",
        ),
    ],
}
