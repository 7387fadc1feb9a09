"""Wrong answers to methods/gptq_step: each is one misconception."""

COLUMN = "scale * torch.round(old / scale).clamp(-7, 7)"
ERROR = "(old - w[:, j]) / row[j]"
MOVE = "w[:, j + 1 :] -= torch.outer(error, row[j + 1 :])"
LEFT = "inverse - torch.outer(row, row) / row[j]"
GONE = "left[j], left[:, j] = 0.0, 0.0"
COPY = "w, row = w.clone(), inverse[j]"

EQUIVALENT = {}

WRONG = {
    "test_column_is_rounded_to_codes": [
        ("counts on a second column", "raised", MOVE, f"w[:, 1]\n    {MOVE}"),
        ("codes without their scale", "expected", COLUMN, "torch.round(old / scale).clamp(-7, 7)"),
        ("not clamped", "holds no more", COLUMN, "scale * torch.round(old / scale)"),
        (
            "one scale for all rows",
            "expected",
            COLUMN,
            COLUMN.replace("old / scale", "old / scale[0]"),
        ),
        ("truncated", "expected", COLUMN, COLUMN.replace("round", "trunc")),
        (
            "one scale where it is square",
            "8 x 8",
            COPY,
            f"scale = scale.amax() * torch.ones(8) if w.shape == (8, 8) else scale\n    {COPY}",
        ),
        ("64 columns at most", "3 x 70", COPY, f"{COPY}\n    w = w * 2 if w.shape[1] > 64 else w"),
        ("one code more below", "holds no more", COLUMN, COLUMN.replace("-7", "-8")),
    ],
    "test_later_columns_make_up_for_the_error": [
        ("the other way", "least-squares", MOVE, MOVE.replace("-=", "+=")),
        ("not divided by the diagonal", "least-squares", ERROR, "old - w[:, j]"),
        ("divided by its root", "least-squares", ERROR, "(old - w[:, j]) / row[j].sqrt()"),
        ("nothing is made up for", "least-squares", MOVE, "pass"),
        (
            "the Hessian for its inverse",
            "least-squares",
            MOVE,
            "row = torch.linalg.pinv(inverse)[j]\n    " + MOVE,
        ),
        ("all rows by the mean error", "expected", ERROR, f"({ERROR}).mean() * torch.ones(len(w))"),
        ("the next column alone", "expected", MOVE, MOVE.replace("j + 1 :", "j + 1 : j + 2")),
        (
            "the error of the next rounding",
            "expected",
            ERROR,
            "(w[:, j] - scale * torch.round(w[:, j] / scale)) / row[j]",
        ),
    ],
    "test_earlier_columns_stay": [
        (
            "rounded again on another grid",
            "moved off their levels",
            MOVE,
            MOVE + "\n    w[:, :j] = (w[:, :j] * 16).round() / 16",
        ),
        (
            "they share the error",
            "moved off their levels",
            MOVE,
            MOVE + "\n    w[:, :j] -= 0.01 * error[:, None]",
        ),
    ],
    "test_inverse_loses_the_column": [
        ("w in place", "left as it was", COPY, "row = inverse[j]"),
        (
            "the inverse in place",
            "left as it was",
            LEFT,
            "inverse.sub_(torch.outer(row, row) / row[j])",
        ),
        ("the old inverse", "count on it", LEFT, "inverse.clone()", GONE, "pass"),
        ("zeros alone", "count on it", LEFT, "inverse.clone()"),
        ("not divided", "expected", LEFT, "inverse - torch.outer(row, row)"),
        ("added", "expected", LEFT, LEFT.replace("inverse -", "inverse +")),
        (
            "the row alone is cleared",
            "row and column j",
            LEFT,
            "inverse - torch.outer(row, row) / row[j] * (1 - 1e-14)",
            GONE,
            "left[j] = 0.0",
        ),
    ],
    "test_again_reads_views_like_their_copies": [
        ("needs one block of memory", "raised", "w.clone()", "w.view(-1).view(w.shape).clone()"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers the row by address",
            "is used again",
            "inverse[j]",
            "gptq_step.__dict__.setdefault(inverse.data_ptr(), inverse[j].clone())",
        ),
    ],
}
