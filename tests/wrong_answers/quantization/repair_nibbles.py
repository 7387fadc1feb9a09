"""Wrong answers to quantization/repair_nibbles: each is one misconception."""

SCALE = "data[:, :2].contiguous().view(torch.float16).float()"
CODES = "torch.cat([low, high], dim=1)"
VALUE = "scale * (codes.float() - 8)"
PAIRS = "torch.stack([low, high], dim=2).reshape(len(data), 32)"

EQUIVALENT = {
    "scale = data[:, :2].contiguous().view(torch.float16)": "a product with a float32 is one",
}

WRONG = {
    "test_ramp_of_another_program_comes_back": [
        ("in pairs", "same mistake twice", CODES, PAIRS),
        ("the high half first", "same mistake twice", CODES, "torch.cat([high, low], dim=1)"),
        (
            "pairs, the high one first",
            "same mistake",
            CODES,
            PAIRS.replace("low, high", "high, low"),
        ),
        ("backwards", "same mistake twice", CODES, f"{CODES}.flip(1)"),
        (
            "codes with a sign",
            "same mistake twice",
            VALUE,
            "scale * torch.where(codes > 7, codes.float() - 16, codes.float())",
        ),
        ("an offset of 7.5", "same mistake twice", VALUE, "scale * (codes.float() - 7.5)"),
        ("unsigned codes", "same mistake twice", VALUE, "scale * (codes - 8).float()"),
        ("the size of the scale", "expected", SCALE, f"{SCALE}.abs()"),
    ],
    "test_every_code_has_its_place_and_its_value": [
        (
            "halves of the file",
            "its own two halves",
            CODES,
            "torch.cat([low, high]).reshape(len(data), 32)",
        ),
        ("one scale for all blocks", "its own scale", SCALE, f"{SCALE}[:1]"),
        (
            "the high byte of the scale first",
            "expected",
            SCALE,
            "data[:, :2].flip(1).contiguous().view(torch.float16).float()",
        ),
        ("a bfloat16 scale", "expected", SCALE, SCALE.replace("float16", "bfloat16")),
    ],
    "test_product_is_a_float32": [
        ("a float16 product", "expected", VALUE, "(scale.half() * (codes.half() - 8)).float()"),
        ("a float16 result", "float16", VALUE, f"({VALUE}).half()"),
    ],
    "test_views_are_read_and_left_alone": [
        ("needs contiguous blocks", "raised", SCALE, SCALE.replace(".contiguous()", "")),
        (
            "shifts in place",
            "left as it was",
            CODES,
            "torch.cat([low, data[:, 2:].div_(16, rounding_mode='floor')], dim=1)",
        ),
    ],
    "test_every_float16_is_a_scale": [
        (
            "the offset as a number of its own",
            "expected",
            "scale * (codes.float() - 8)",
            "scale * codes.float() - 8 * scale",
        ),
        (
            "denormal scales are 0",
            "expected",
            SCALE,
            f"{SCALE}\n    scale = scale * (scale.abs() > 6.1e-5)",
        ),
        (
            "0 for NaN",
            "the block with a NaN",
            SCALE,
            f"{SCALE}.nan_to_num(0.0, torch.inf, -torch.inf)",
        ),
        ("scales of 1000 at most", "expected", SCALE, f"{SCALE}.clamp(-1000, 1000)"),
    ],
    "test_no_blocks_give_no_weights": [
        ("by the largest scale", "raised", VALUE, f"{VALUE} * (scale.abs().max() >= 0)"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            SCALE,
            f"decode.__dict__.setdefault(data.data_ptr(), {SCALE})",
        ),
    ],
}
