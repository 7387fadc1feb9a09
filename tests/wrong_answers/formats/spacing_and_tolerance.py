"""Wrong answers to formats/spacing_and_tolerance: each is one misconception."""

SIZE = "size = x.abs().clamp(min=info.smallest_normal)"
POWER = "power = size / (2 * torch.frexp(size).mantissa)"
RESULT = "return info.eps * power"
CLOSE = "return (got - want).abs() <= roundings * spacing(want, dtype) / 2"

EQUIVALENT = {}

WRONG = {
    "test_is_the_distance_between_neighbors": [
        ("eps everywhere", "at 1 alone", RESULT, "return torch.full_like(x, info.eps)"),
        ("a power too large", "at 1 alone", POWER, POWER.replace("2 * ", "")),
        ("half of it", "at 1 alone", POWER, POWER.replace("2 * ", "4 * ")),
        ("a negative distance", "at 1 alone", RESULT, f"{RESULT} * x.sign()"),
        (
            "the logarithm of a negative number",
            "NaN",
            POWER,
            "power = torch.exp2(torch.floor(torch.log2(x)))",
        ),
        ("float32", "tensor float32", RESULT, "return (info.eps * power).float()"),
        ("eps times the number", "go on growing", RESULT, "return info.eps * size"),
        (
            "the nearest power of two",
            "go on growing",
            POWER,
            "power = torch.exp2(torch.round(torch.log2(size)))",
        ),
    ],
    "test_doubles_at_a_power_of_two": [
        (
            "rounded to the format first",
            "just below would become",
            SIZE,
            SIZE.replace("x.abs()", "x.to(dtype).double().abs()"),
        ),
        (
            "the spacing below a power",
            "off by",
            POWER,
            "power = torch.exp2(torch.ceil(torch.log2(size)) - 1)",
        ),
        (
            "the logarithm is rounded",
            "the logarithm of the float64 number",
            POWER,
            "power = torch.exp2(torch.floor(torch.log2(size)))",
        ),
    ],
    "test_does_not_shrink_to_zero": [
        ("no floor", "a tolerance of 0", SIZE, "size = x.abs()"),
        ("a floor of eps", "a tolerance of 0", SIZE, "size = x.abs().clamp(min=info.eps)"),
        (
            "the smallest normal number as the spacing",
            "a tolerance of 0",
            RESULT,
            "return (info.eps * power).clamp(min=info.smallest_normal)",
        ),
        ("0 is left out", "a tolerance of 0", SIZE, f"{SIZE} * (x != 0)"),
    ],
    "test_room_grows_with_the_exact_result": [
        (
            "the exact result rounded first",
            "everywhere",
            CLOSE,
            CLOSE.replace("got - want", "got - want.to(dtype).double()"),
        ),
        (
            "eps as it is",
            "An absolute tolerance",
            CLOSE,
            CLOSE.replace("spacing(want, dtype)", "torch.finfo(dtype).eps"),
        ),
        ("a whole spacing", "An absolute tolerance", CLOSE, CLOSE.replace(" / 2", "")),
        ("one rounding", "An absolute tolerance", CLOSE, CLOSE.replace("roundings * ", "")),
        ("less than the room", "An absolute tolerance", CLOSE, CLOSE.replace("<=", "<")),
        ("a little more than the room", "nothing to allow for", CLOSE, f"{CLOSE} * (1 + 1e-9)"),
        ("a signed difference", "An absolute tolerance", CLOSE, CLOSE.replace(".abs()", "")),
        (
            "a relative tolerance of eps",
            "An absolute tolerance",
            CLOSE,
            "return (got - want).abs() <= roundings * torch.finfo(dtype).eps / 2 * want.abs()",
        ),
        (
            "one verdict for all",
            "tensor bool [12]",
            CLOSE,
            "return torch.all((got - want).abs() <= roundings * spacing(want, dtype) / 2)",
        ),
    ],
    "test_results_may_have_any_shape_and_be_views": [
        (f"{shape} refused", "raised", CLOSE, f"if {when}:\n        raise ValueError\n    {CLOSE}")
        for shape, when in (
            ("a single number is", "not got.dim()"),
            ("no numbers are", "not got.numel()"),
            ("three axes are", "got.dim() > 2"),
        )
    ],
    "test_wrong_result_does_not_widen_its_room": [
        (
            "the spacing of the result",
            "the larger of the two",
            CLOSE,
            CLOSE.replace("spacing(want", "spacing(got"),
        ),
        (
            "the larger spacing",
            "the larger of the two",
            CLOSE,
            f"more = spacing(torch.maximum(got.abs(), want.abs()), dtype)\n    {CLOSE}".replace(
                "spacing(want, dtype)", "more"
            ),
        ),
    ],
    "test_nan_is_close_to_nothing": [
        (
            "not further off",
            "the right way round",
            CLOSE,
            "return ~((got - want).abs() > roundings * spacing(want, dtype) / 2)",
        ),
        (
            "NaN taken for 0",
            "the right way round",
            CLOSE,
            CLOSE.replace("(got - want)", "(got.nan_to_num() - want)"),
        ),
        (
            "infinity taken for the largest number",
            "the right way round",
            CLOSE,
            CLOSE.replace("(got - want)", "(got.clamp(-60000, 60000) - want)"),
        ),
    ],
}
