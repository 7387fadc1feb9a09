"""Wrong answers to quantization/group_scales: each is one misconception."""

GROUPS = "F.pad(w, (0, -columns % group_size)).reshape(rows, -1, group_size)"
AMAX = "groups.abs().amax(2) / 7"
GUARD = "torch.where(scale == 0, 1.0, scale)"
ROUND = "torch.round(groups / scale[:, :, None])"
FLAT = """
import torch
def group_scales(w, group_size):
    rows, columns = w.shape
    count = -(-columns // group_size)
    flat = torch.nn.functional.pad(w.reshape(-1), (0, rows * count * group_size - w.numel()))
    groups = flat.reshape(rows * count, group_size)
    scale = (groups.abs().amax(1, keepdim=True) / 7).clamp(min=1e-20)
    codes = torch.round(groups / scale).to(torch.int8).reshape(-1)[: w.numel()]
    return codes.reshape(rows, columns), scale.reshape(rows, count)
"""
INPUTS = f"{AMAX}; scale = scale.amax(0, keepdim=True).repeat(rows, 1)"
LEFT = "F.pad(w, (-columns % group_size, 0)).reshape(rows, -1, group_size)"

SMALL = "zeros are zeros with any scale"
EQUIVALENT = {"scale = torch.where(scale == 0, 2.0, scale)": SMALL}

BUFFER = f"group_scales.__dict__.setdefault(0, scale.clone()).copy_({GUARD})"
WRONG = {
    "test_each_group_has_its_own_scale": [
        ("one scale a row", "scale", AMAX, f"{AMAX}; scale[:] = scale.amax(1, keepdim=True)"),
        ("a group is shared by all rows", "scale", AMAX, INPUTS),
        ("8 for 7", "scale", AMAX, AMAX.replace("7", "8")),
        ("the largest, not the largest magnitude", "scale", ".abs()", ""),
        ("every n-th column", "scale", "rows, -1, group_size)", "rows, group_size, -1).mT"),
        ("truncates", "at most 0.5", ROUND, "(groups / scale[:, :, None])"),
        ("codes as floats", "tensor float32", ".to(torch.int8)", ""),
    ],
    "test_groups_never_cross_rows": [
        ("all weights in one line", "its own row", FLAT),
        ("the rest is dropped", "tensor int8", GROUPS, "w.unfold(1, group_size, group_size)"),
        ("the short group comes first", "scale", GROUPS, LEFT),
    ],
    "test_loud_weight_hurts_only_its_group": [
        ("one scale a row", "other groups", AMAX, f"{AMAX}; scale[:] = scale.amax(1)[:, None]"),
        ("all weights in one line", "other groups", FLAT),
    ],
    "test_rounds_half_to_even": [
        (
            "times the reciprocal",
            "expected",
            "groups / scale[:, :, None]",
            "groups * (1 / scale[:, :, None])",
        ),
        ("halves up", "Halves are exact", ROUND, "torch.floor(groups / scale[:, :, None] + 0.5)"),
    ],
    "test_group_of_zeros_gives_zeros": [
        ("no guard", "finite and above 0", GUARD, "scale"),
        ("NaN", "finite and above 0", GUARD, "scale * scale / scale"),
        (
            "a scale of 1 for all",
            "the other groups",
            GUARD,
            "scale if scale.all() else torch.ones_like(scale)",
        ),
    ],
    "test_again_reads_views_like_their_copies": [
        ("rounds in place", "left as it was", GROUPS, f"{GROUPS}; w.round_()"),
        (
            "reads a view as if contiguous",
            "scale",
            GROUPS,
            GROUPS.replace("w,", "w.as_strided(w.shape, (w.shape[1], 1)),"),
        ),
    ],
    "test_every_shape_has_its_groups": [
        (
            "one scale a column where there are many rows",
            "scale",
            AMAX,
            f"{AMAX}; scale = scale.amax(0, keepdim=True).repeat(rows, 1) if rows > 128 else scale",
        ),
        ("small weights set to zero", "left as it was", GROUPS, f"{GROUPS}; w[w.abs() < 1e-5] = 0"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            AMAX,
            f"group_scales.__dict__.setdefault(w.data_ptr(), {AMAX})",
        ),
    ],
    "test_again_gives_a_result_that_is_the_callers": [
        ("one buffer for all calls", "first result", GUARD, BUFFER),
    ],
}
