"""Wrong answers to quantization/best_clip: each is one misconception."""

GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
AMAX = "w.abs().amax(1, keepdim=True)"
CODES = "torch.round(w / scale).clamp(-top, top)"
ERROR = "(w - codes * scale).square().sum(1)"
CHOICE = "torch.tensor(shares)[torch.stack(errors).argmin(0)]"
TOP = "2 ** (bits - 1) - 1"
INSIDE = "((w - codes * scale) * (w.abs() <= share * amax)).square().sum(1)"
INDEX = "torch.stack(errors).argmin(0).float()"
IN_PLACE = "w.clamp_(-share * amax, share * amax) / scale"
FIRST = "torch.full((len(w),), shares[0])"
FIXED = "shares = [step / 20 for step in range(4, 21)]"

NO_GUARD = "the errors of a row of zeros are NaN then, and argmin of those is an index as well"
EQUIVALENT = {
    "scale = torch.where(scale == 1, 1.0, scale)": NO_GUARD,
    "scale = torch.where(scale == -1, 1.0, scale)": NO_GUARD,
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
    "errors.append((w - codes * scale).square().mean(1))": "all rows have the same length",
}

STOPS = CHOICE.replace("argmin(0)", "diff(dim=0).lt(0).int().cummin(0).values.sum(0)")
WRONG = {
    "test_share_has_the_least_squared_error": [
        ("nothing is clipped", "all that they lose", CODES, "torch.round(w / scale)"),
        ("clipped values do not count", "all that they lose", ERROR, INSIDE),
        ("the largest magnitude is best", "all that they lose", CHOICE, "torch.ones(len(w))"),
        ("the largest error counts", "squared error", ERROR, "(w - codes * scale).abs().amax(1)"),
        ("errors in steps", "squared error", ERROR, "(w / scale - codes).square().sum(1)"),
        ("the most error", "squared error", CHOICE, CHOICE.replace("argmin", "argmax")),
        ("the index of the share", "nearest share", CHOICE, INDEX),
        ("codes without a sign", "squared error", ".clamp(-top, top)", ".clamp(0, top)"),
    ],
    "test_few_bits_clip_more": [
        ("as many levels each way as codes", "factor of 4", TOP, "2**bits - 1"),
        ("always 4 bits", "factor of 4", TOP, "7"),
        ("a floor under the scale", "squared error", GUARD, "scale = scale.clamp(min=1e-5)"),
    ],
    "test_each_row_has_its_own": [
        (
            "one share for all rows",
            "decide for the others",
            CHOICE,
            "torch.tensor(shares)[torch.stack(errors).sum(1).argmin()].repeat(len(w))",
        ),
        (
            "one range for all rows",
            "decide for the others",
            AMAX,
            "w.abs().amax() * torch.ones(len(w), 1)",
        ),
    ],
    "test_only_the_given_shares_in_any_order": [
        ("a list of its own", "nearest share", "top = 2", f"{FIXED}; top = 2"),
        ("sorts the list upwards", "left as it was", "top = 2", "shares.sort(); top = 2"),
        ("sorts the list", "left as it was", "top = 2", "shares.sort(); shares.reverse(); top = 2"),
        ("1 is always tried", "nearest share", "top = 2", "shares = [*shares, 1.0]; top = 2"),
    ],
    "test_row_of_zeros_gets_some_share": [
        ("a share of zero", "nearest share", CHOICE, f"{CHOICE} * (amax[:, 0] > 0)"),
        (
            "the first share for all",
            "each row's share",
            CHOICE,
            f"{CHOICE} if amax.all() else {FIRST}",
        ),
    ],
    "test_every_shape_and_layout_is_searched": [
        ("clamps in place", "left as it was", "w / scale", IN_PLACE),
        *(
            (
                f"the first share where {when}",
                "squared error",
                CHOICE,
                f"{FIRST} if {when} else {CHOICE}",
            )
            for when in ("len(w) == w.shape[1]", "len(w) > 128", "len(w) == 1")
        ),
    ],
    "test_every_share_is_tried": [
        ("looks at sixteen shares", "squared error", "in shares:", "in shares[:16]:"),
        ("stops where the error rises", "squared error", CHOICE, STOPS),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            AMAX,
            f"best_clip.__dict__.setdefault(w.data_ptr(), {AMAX})",
        ),
    ],
}
