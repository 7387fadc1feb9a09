"""Wrong answers to methods/hadamard: each is one misconception."""

NORMED = "matrix / n**0.5"
START = "torch.ones(1, 1, dtype=torch.float64)"
DOUBLED = "torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])"
ROUNDED = (
    "(matrix / torch.tensor(n).double().sqrt().float().double() if n > 1024 else matrix / n**0.5)"
)
FOLDED = "q.T @ w1, b1 @ q, w2 @ q"

EQUIVALENT = {}

WRONG = {
    "test_matrix_again_gives_a_result_that_is_the_callers": [
        (
            "hands out one kept matrix",
            "expected",
            f"return {NORMED}",
            f"return hadamard.__dict__.setdefault(n, {NORMED})",
        ),
    ],
    "test_entries_have_one_size": [
        ("not normed", "expected", NORMED, "matrix"),
        ("divided by n", "expected", NORMED, "matrix / n"),
        ("float32", "float64", START, "torch.ones(1, 1)"),
        (
            "a random rotation",
            "same share",
            NORMED,
            "torch.linalg.qr(torch.randn(n, n).double())[0]",
        ),
        ("the identity", "same share", NORMED, "torch.eye(n).double()"),
        ("the root in float32", "expected", NORMED, "matrix / torch.tensor(float(n)).sqrt()"),
    ],
    "test_rows_stand_at_right_angles": [
        ("no minus", "undo the rotation", DOUBLED, DOUBLED.replace("-matrix", "matrix")),
        (
            "random signs",
            "undo the rotation",
            NORMED,
            "torch.where(torch.rand(n, n) < 0.5, -1.0, 1.0).double() / n**0.5",
        ),
        (
            "two minuses in a row",
            "undo the rotation",
            DOUBLED,
            "torch.cat([torch.cat([matrix, matrix], 1), torch.cat([-matrix, -matrix], 1)])",
        ),
    ],
    "test_output_stays_the_same": [
        ("in place", "left as it was", FOLDED, "w1.copy_(q.T @ w1), b1 @ q, w2 @ q"),
        ("a transposed q", "left as it was", FOLDED, "q.t_() @ w1, q @ b1, w2 @ q.T"),
        ("the transpose on the wrong side", "symmetric", FOLDED, "q @ w1, b1 @ q.T, w2 @ q"),
        ("the transpose twice", "symmetric", FOLDED, "q.T @ w1, b1 @ q, w2 @ q.T"),
        ("the inverse rotation", "symmetric", FOLDED, "q @ w1, b1 @ q.T, w2 @ q.T"),
        ("the first layer alone", "symmetric", FOLDED, "q.T @ w1, b1 @ q, w2.clone()"),
        ("in float32", "expected", FOLDED, "(q.T.float() @ w1.float()).double(), b1 @ q, w2 @ q"),
    ],
    "test_hidden_channels_are_really_rotated": [
        (
            "a bias of zeros comes back itself",
            "memory of their own",
            "b1 @ q",
            "b1 @ q if b1.any() else b1",
        ),
        (
            "no rotation, no work",
            "memory of their own",
            "return q.T @ w1, b1 @ q, w2 @ q",
            "eye = torch.eye(len(q)).double()\n"
            "    return (w1, b1, w2) if torch.equal(q, eye) else (q.T @ w1, b1 @ q, w2 @ q)",
        ),
        ("nothing rotated", "still have the outlier", FOLDED, "w1.clone(), b1.clone(), w2.clone()"),
        (
            "rotated and back",
            "still have the outlier",
            FOLDED,
            "q @ q.T @ w1, b1 @ q @ q.T, w2 @ q @ q.T",
        ),
    ],
    "test_bias_is_rotated_too": [
        ("the bias forgotten", "part of x", FOLDED, "q.T @ w1, b1.clone(), w2 @ q"),
        ("the bias the other way", "part of x", FOLDED, "q.T @ w1, q @ b1, w2 @ q"),
    ],
    "test_large_order_keeps_its_digits": [
        ("a root in float32 each time", "expected", NORMED, ROUNDED),
        ("ends at 1024", "[2048, 2048]", "len(matrix) < n", "len(matrix) < min(n, 1024)"),
    ],
    "test_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            FOLDED,
            FOLDED.replace("w1,", "w1.view(-1).view(w1.shape),"),
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers q by address",
            "is used again",
            FOLDED,
            "(q := fold.__dict__.setdefault(q.data_ptr(), q.clone())).T @ w1, b1 @ q, w2 @ q",
        ),
    ],
}
