"""Wrong answers to formats/to_bf16: each is one misconception."""

NEAREST = "(bits + 0x7FFF + (upper & 1)) >> 16"
IS_NAN = "bits & 0x7FFFFFFF > 0x7F800000"
SATURATES = f"min({NEAREST}, 0x7F7F) if bits < 0x7F800000 else {NEAREST}"
NO_CARRY = "(bits & 0xFF80 << 16 | min((bits & 0x7FFFFF) + 0x7FFF + (upper & 1), 0x7FFFFF)) >> 16"

OTHER_NAN = "any fraction but 0 is a NaN, and which one is the learner's choice"
EQUIVALENT = {"return upper | 65": OTHER_NAN, "return upper | 63": OTHER_NAN}

WRONG = {
    "test_exact_numbers_keep_their_upper_half": [
        ("infinity taken for NaN", "0x7f80", "> 0x7F800000", ">= 0x7F800000"),
        ("the sign dropped", "expected", NEAREST, "(bits + 0x7FFF + (upper & 1)) >> 16 & 0x7FFF"),
    ],
    "test_goes_to_the_nearer_neighbor": [
        ("cut off", "toward zero", NEAREST, "upper"),
        ("any remainder rounds up", "expected", "0x7FFF + (upper & 1)", "0xFFFF"),
        ("float16's bits", "expected", NEAREST, "(bits + 0xFFF + (bits >> 13 & 1)) >> 13 & 0xFFFF"),
    ],
    "test_ties_go_to_the_even_neighbor": [
        ("ties up", "bias every sum", "0x7FFF + (upper & 1)", "0x8000"),
        ("ties down", "bias every sum", "0x7FFF + (upper & 1)", "0x7FFF"),
        ("ties to odd", "bias every sum", "0x7FFF + (upper & 1)", "0x8000 - (upper & 1)"),
    ],
    "test_carry_raises_the_exponent_up_to_infinity": [
        ("saturates", "0x7f80", NEAREST, SATURATES),
        ("no carry out of the fraction", "next power of two", NEAREST, NO_CARRY),
    ],
    "test_nan_stays_nan": [
        ("NaN rounded like a number", "is minus zero", IS_NAN, "False"),
        ("NaN cut off", "is infinity", "upper | 0x0040", "upper"),
        ("only the canonical NaN is known", "expected", IS_NAN, "bits & 0x7FFFFFFF == 0x7FC00000"),
        ("NaN of one sign is known", "expected", IS_NAN, "0x7F800000 < bits < 0x80000000"),
    ],
    "test_subnormal_numbers_are_rounded_like_others": [
        ("sets them to zero", "0x", NEAREST, f"{NEAREST} if bits & 0x7F800000 else upper & 0x8000"),
        ("cuts them off", "0x", NEAREST, f"{NEAREST} if bits & 0x7F800000 else upper"),
    ],
}
