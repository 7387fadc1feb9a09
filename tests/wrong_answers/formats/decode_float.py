"""Wrong answers to formats/decode_float: each is one misconception."""

SUBNORMAL = "sign * fraction * 2.0 ** (1 - bias - mantissa_bits)"
NORMAL = "(1 + fraction / 2**mantissa_bits) * 2.0 ** (field - bias)"

WRONG = {
    "test_normal_numbers_have_a_hidden_one": [
        ("no hidden one", "is not stored", NORMAL, NORMAL.replace("1 + ", "")),
        ("a bias of float16 for all", "exponent's width", "2 ** (exponent_bits - 1) - 1", "15"),
        ("a bias without the - 1", "expected", "(exponent_bits - 1) - 1", "(exponent_bits - 1)"),
        ("the sign in the exponent", "expected", "mantissa_bits) & all_ones", "mantissa_bits)"),
    ],
    "test_subnormal_numbers_have_none": [
        ("a hidden one everywhere", "no hidden 1", "if field == 0:", "if field == fraction == 0:"),
        ("the exponent -bias", "not -bias", SUBNORMAL, SUBNORMAL.replace("1 - ", "")),
        ("subnormals flushed to zero", "close up to 0", SUBNORMAL, "sign * 0.0"),
    ],
    "test_zero_keeps_its_sign": [
        ("one zero", "-0.0", SUBNORMAL, f"{SUBNORMAL} + 0.0"),
    ],
    "test_ieee_formats_end_in_infinity_and_nan": [
        ("infinity without a sign", "-inf", "sign * math.inf", "math.inf"),
        ("no NaN", "nan", "math.nan if fraction else sign * math.inf", "sign * math.inf"),
        ("only the last code is NaN", "nan", "nan if fraction else", "nan if fraction == 1 else"),
    ],
    "test_e4m3_has_one_nan_and_no_infinity": [
        ("E4M3 read as IEEE", "end E4M3 at 240", 'ends == "ieee" and', 'ends != "finite" and'),
        ("480 for NaN", "nan", 'ends == "fn" and', "False and"),
        ("all of the last exponent NaN", "240", " and fraction == full", ""),
    ],
    "test_fp6_and_fp4_spend_every_code_on_a_number": [
        ("FP4 with infinities", "no one can be spared", 'ends == "ieee" and', 'ends != "fn" and'),
        ("FP4 with a NaN", "no one can be spared", 'ends == "fn" and', 'ends != "ieee" and'),
    ],
    "test_widths_and_ends_are_arguments": [
        (
            "a table of known biases",
            "raised",
            "2 ** (exponent_bits - 1) - 1",
            "{2: 1, 3: 3, 4: 7, 5: 15, 8: 127}[exponent_bits]",
        ),
        ("the NaN of E4M3 for all", "nan", "fraction == full", "code & 0x7F == 0x7F"),
    ],
    "test_ends_like_ieee_unless_told_otherwise": [
        ("finite by default", "inf", 'ends: str = "ieee"', 'ends: str = "finite"'),
        ("fn by default", "inf", 'ends: str = "ieee"', 'ends: str = "fn"'),
    ],
}
