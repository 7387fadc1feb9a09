"""Wrong answers to quantization/integer_matmul: each is one misconception."""

from halfbits.course.authoring.contract import swap

TERMS = "return product - x_zero * w_sums - x_sums * w_zero + k * x_zero * w_zero"
FLOAT = f"{TERMS.replace('return product', 'return (product.float()')}).int()"
COLUMNS = "x_zero, x_sums = x_zero[:, None], x_sums[:, None]"
INT32 = "x, w = x.to(torch.int32), w.to(torch.int32)"
SUMS = "x_sums, w_sums = (codes.sum(1, dtype=torch.int32) for codes in (x, w))"
SCALED = "return exact.to(torch.float32) * x_scale[:, None] * w_scale"
EXACT = "exact = corrected(x @ w.T, x_sums, w_sums, x.shape[1], x_zero, w_zero)"


def lies(name: str) -> str:
    """The vector `name`, read as its memory lies."""
    return f"{name} = {name}.as_strided({name}.shape, (1,))"


EQUIVALENT = {
    SUMS.replace(", dtype=torch.int32", ""): "int64 holds the sums as well",
    "return exact * x_scale[:, None] * w_scale": "int32 times float32 is float32",
}

WRONG = {
    "test_all_four_terms_are_there": [
        (
            "the last term missing",
            "occurs k times",
            TERMS,
            TERMS.replace(" + k * x_zero * w_zero", ""),
        ),
        ("the last term once", "occurs k times", TERMS, TERMS.replace("k * ", "")),
        ("the last term subtracted", "occurs k times", TERMS, TERMS.replace("+ k", "- k")),
        ("no correction", "occurs k times", TERMS, "return product"),
        (
            "the other terms added",
            "occurs k times",
            TERMS,
            TERMS.replace("- x_zero", "+ x_zero").replace("- x_sums", "+ x_sums"),
        ),
        ("int64", "tensor int64", TERMS, TERMS.replace("return product", "return product.long()")),
        (
            "without the sums of w",
            "the *other* side",
            TERMS,
            TERMS.replace(" - x_zero * w_sums", ""),
        ),
        (
            "without the sums of x",
            "the *other* side",
            TERMS,
            TERMS.replace(" - x_sums * w_zero", ""),
        ),
        (
            "each with its own sums",
            "the *other* side",
            TERMS,
            TERMS.replace("x_zero * w_sums - x_sums * w_zero", "x_zero * x_sums - w_sums * w_zero"),
        ),
    ],
    "test_each_row_has_its_own_zero_point": [
        (
            "rows and columns exchanged",
            "without an error",
            COLUMNS,
            "w_zero, w_sums = w_zero[:, None], w_sums[:, None]",
        ),
        (
            "the first zero point for all",
            "without an error",
            COLUMNS,
            "x_zero, x_sums = x_zero[:1, None], x_sums[:, None]",
        ),
        (
            "only the sums are columns",
            "without an error",
            COLUMNS,
            "x_sums = x_sums[:, None]",
        ),
    ],
    "test_product_is_that_of_the_numbers": [
        ("the scale of w alone", "its scale", SCALED, SCALED.replace(" * x_scale[:, None]", "")),
        ("one scale for all rows", "its scale", SCALED, SCALED.replace("[:, None]", "[0]")),
        ("float64", "tensor float64", SCALED, SCALED.replace("float32", "float64")),
        ("without zero points", "its scale", EXACT, "exact = x @ w.T"),
        *(
            (
                f"without zero points where {when}",
                "its scale",
                EXACT,
                f"{EXACT} if not ({when}) else x @ w.T",
            )
            for when in ("len(w) == w.shape[1]", "len(w) > 128", "len(x) > 128")
        ),
        (
            "zero points only where they are cheap",
            "its scale",
            EXACT,
            "exact = x @ w.T - x_zero[:, None] * w_sums",
        ),
    ],
    "test_layout_of_the_terms_does_not_matter": [
        (f"{name} as they lie", "strided", COLUMNS, f"{lies(name)}; {COLUMNS}")
        for name in ("x_sums", "w_sums", "x_zero", "w_zero")
    ],
    "test_layout_in_memory_does_not_matter": [
        (f"{name} as they lie", "strided", INT32, f"{lies(name)}; {INT32}")
        for name in ("x_scale", "w_scale", "x_zero", "w_zero")
    ],
    "test_large_codes_do_not_wrap_around": [
        (
            "an int8 product",
            "is -56 in int8",
            EXACT,
            EXACT.replace("x @ w.T", "(x.to(torch.int8) @ w.to(torch.int8).T).int()"),
        ),
        (
            "an int16 product",
            "is -56 in int8",
            EXACT,
            EXACT.replace("x @ w.T", "(x.short() @ w.short().T).int()"),
        ),
        ("x as int8", "is -56 in int8", INT32, "x, w = x.to(torch.int8).int(), w.int()"),
    ],
    "test_long_rows_are_summed_exactly": [
        ("a correction in float32", "they leave noise", swap("corrected", TERMS, FLOAT)),
        (
            "a float32 product",
            "they leave noise",
            EXACT,
            EXACT.replace("x @ w.T", "(x.float() @ w.float().T).int()"),
        ),
        (
            "terms in float32",
            "they leave noise",
            SCALED,
            "exact = (x @ w.T).float() - x_zero[:, None] * w_sums.float()"
            " - x_sums[:, None].float() * w_zero + x.shape[1] * x_zero[:, None].float() * w_zero\n"
            f"    {SCALED}",
        ),
    ],
}
