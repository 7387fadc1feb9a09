"""What `evaluate` and `compare` must do, one claim a check."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.course.grading.expect import as_float64, brief, expect, expect_close, expect_untouched

EPS32 = torch.finfo(torch.float32).eps
EPS64 = torch.finfo(torch.float64).eps
KEYS = ("acc_fp32", "acc_quant", "delta", "agreement", "flip_rate", "sqnr_db", "kl", "n")
CLASSES = 5


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Table(nn.Module):
    """A model that looks its logits up: input [n, 1] holds row numbers. It notes each call."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.register_buffer("logits", logits)
        self.anchor = nn.Parameter(torch.zeros(()))  # gives every output a graph, if one is built
        self.calls: list[tuple[Tensor, bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        out = self.logits[x[:, 0].long()] + self.anchor.to(self.logits.dtype)
        self.calls.append((x.clone(), self.training, torch.is_grad_enabled()))
        return out


class Once:
    """A loader that can be read only once, like a generator, and counts the readings."""

    def __init__(self, batches) -> None:
        self.batches, self.readings = batches, 0

    def __iter__(self):
        self.readings += 1
        yield from self.batches if self.readings == 1 else ()


class Shuffled:
    """A loader that gives the same examples in a new order at every reading."""

    def __init__(self, x: Tensor, y: Tensor, size: int, seed: int) -> None:
        self.x, self.y, self.size, self.generator = x, y, size, generator(seed)

    def __iter__(self):
        for batch in torch.randperm(len(self.x), generator=self.generator).split(self.size):
            yield self.x[batch], self.y[batch]


def batches(y: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """Row numbers and labels in batches of `size`; the last one may be smaller."""
    x = torch.arange(len(y)).float().view(-1, 1)
    return list(zip(x.split(size), y.split(size), strict=True))


def drawn(seed: int, n: int = 53, noise: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """Reference logits, noisy logits and labels that agree with them often, but not always."""
    source = generator(seed)
    fp32 = 2 * torch.randn(n, CLASSES, generator=source)
    quant = fp32 + noise * torch.randn(n, CLASSES, generator=source)
    y = (fp32 + 1.5 * torch.randn(n, CLASSES, generator=source)).argmax(1)
    return fp32, quant, y


def unlike_halves(seed: int) -> tuple[Tensor, Tensor]:
    """53 rows of logits of which the last three alone are wrong: a ragged batch of size 3."""
    fp32, _, _ = drawn(seed)
    y = fp32.argmax(1)
    y[50:] = (y[50:] + 1) % CLASSES
    return fp32, y


def reference(fp32: Tensor, quant: Tensor, y: Tensor) -> dict[str, float]:
    """The eight numbers of the specification, in float64."""
    a, b = fp32.double(), quant.double()
    log_p, log_q = F.log_softmax(a, 1), F.log_softmax(b, 1)
    right = [int((logits.argmax(1) == y).sum()) for logits in (a, b)]
    same = int((a.argmax(1) == b.argmax(1)).sum())
    n = len(y)
    return {
        "acc_fp32": right[0] / n,
        "acc_quant": right[1] / n,
        "delta": (right[1] - right[0]) / n,
        "agreement": same / n,
        "flip_rate": 1 - same / n,
        "sqnr_db": 10 * math.log10(float((a**2).sum() / ((a - b) ** 2).sum())),
        "kl": float((log_p.exp() * (log_p - log_q)).sum(1).mean()),
        "n": n,
    }


def reported(answer, fp32, quant, loader, called: str) -> dict:
    """The report, once it is a dict with exactly the published keys."""
    report = answer.compare(fp32, quant, loader)
    expect(
        isinstance(report, dict) and set(report) == set(KEYS),
        called=called,
        expected=f"a dict with the keys {', '.join(KEYS)}",
        got=", ".join(map(str, report)) if isinstance(report, dict) else brief(report),
        why="the report is read by name",
    )
    return report


def train_mode(seed: int) -> nn.Sequential:
    """A model with dropout and batch normalization, left in a mixture of modes."""
    with torch.random.fork_rng(devices=[]):  # skip_init would import SymPy, a third of a second
        model = nn.Sequential(
            nn.Linear(6, 16),
            nn.BatchNorm1d(16),
            nn.Dropout(0.5),
            nn.Sequential(nn.ReLU(), nn.Linear(16, CLASSES)),
        )
    source = generator(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=source))
        model[1].running_mean.copy_(torch.randn(16, generator=source))
    model.train()
    model[1].eval()  # a frozen normalization inside a model in training
    return model


# evaluate


@pytest.mark.task("evaluate")
def test_evaluate_counts_the_right_answers(answer, seed):
    """The accuracy is the number of right answers divided by the number of examples."""
    for number in range(3):
        logits, _, y = drawn(seed + number, n=40)
        expect_close(
            answer.evaluate(Table(logits), batches(y, 8)),
            float((logits.argmax(1) == y).double().mean()),
            atol=4 * EPS64,  # one division
            called="evaluate(model, loader) with 40 examples",
            why="top-1: the class of the largest logit is the label",
        )


@pytest.mark.task("evaluate")
def test_evaluate_weights_examples_not_batches(answer, seed):
    """A short last batch counts by its examples: 3 wrong of 53 is 50/53 right."""
    logits, y = unlike_halves(seed)
    for size in (25, 10, 53, 1):
        expect_close(
            answer.evaluate(Table(logits), batches(y, size)),
            50 / 53,
            atol=4 * EPS64,
            called=f"evaluate(model, loader), 53 examples in batches of {size}",
            why="the mean of the batches' accuracies gives the last, short batch too much weight",
        )


@pytest.mark.task("evaluate")
def test_evaluate_of_nothing_is_zero(answer, seed):
    """An empty loader, and one whose batches are empty, give 0.0."""
    logits, _, y = drawn(seed)
    for loader in ([], iter(()), batches(y[:0], 4)):
        got = answer.evaluate(Table(logits), loader)
        expect(
            type(got) is float and got == 0.0,
            called="evaluate(model, an empty loader)",
            expected="0.0",
            got=got,
            why="0 / 0 must not stop a report over many data sets",
        )


@pytest.mark.task("evaluate")
def test_evaluate_returns_a_python_float(answer, seed):
    """The result is a plain float, ready for json."""
    logits, _, y = drawn(seed)
    got = answer.evaluate(Table(logits), batches(y, 10))
    expect(
        type(got) is float,
        called="type(evaluate(model, loader))",
        expected="float",
        got=type(got).__name__,
        why="a tensor or a numpy number cannot be written to JSON and may keep memory alive",
    )


@pytest.mark.task("evaluate")
def test_evaluate_reads_the_loader_once(answer, seed):
    """The loader is iterated once, needs no len, and the model sees every batch once."""
    logits, _, y = drawn(seed)
    loader, model = Once(batches(y, 9)), Table(logits)
    got = answer.evaluate(model, loader)
    expect_close(
        got,
        float((logits.argmax(1) == y).double().mean()),
        atol=4 * EPS64,
        called="evaluate(model, generator)",
        why="a generator has no len and can be read once",
    )
    expect(
        loader.readings == 1 and len(model.calls) == len(loader.batches),
        called="evaluate(model, loader)",
        expected=f"1 reading of the loader, {len(loader.batches)} calls of the model",
        got=f"{loader.readings} readings, {len(model.calls)} calls",
        why="a second pass doubles the cost, and over a generator finds nothing",
    )


@pytest.mark.task("evaluate")
def test_evaluate_runs_in_eval_mode_without_a_graph(answer, seed):
    """Inside the model dropout is off, batch normalization is frozen and gradients are off."""
    logits, _, y = drawn(seed)
    model = Table(logits).train()
    answer.evaluate(model, batches(y, 20))
    _expect_inference(model, "evaluate(model, loader)")


@pytest.mark.task("evaluate")
def test_evaluate_puts_every_training_flag_back(answer, seed):
    """Each submodule ends in the mode it had, also when the model or the loader raises."""
    _expect_flags_restored(lambda model, loader: answer.evaluate(model, loader), "evaluate", seed)


@pytest.mark.task("evaluate")
def test_evaluate_never_counts_nan_as_right(answer, seed):
    """A row of logits with a NaN in it is wrong, whatever argmax says."""
    logits, _, _ = drawn(seed, n=12)
    y = logits.argmax(1)
    broken = logits.clone()
    broken[3] = math.nan
    broken[7, 2] = math.nan
    # argmax returns the place of a NaN: make that the label.
    y[3], y[7] = 0, 2
    expect_close(
        answer.evaluate(Table(broken), batches(y, 5)),
        10 / 12,
        atol=4 * EPS64,
        called="evaluate(model, loader), 2 of 12 rows of logits hold a NaN",
        why="argmax treats NaN as the largest value, so a broken model can look right",
    )


# compare


@pytest.mark.task("compare")
def test_compare_reports_the_eight_numbers(answer, seed):
    """All keys are there, as plain Python numbers; n is an int."""
    fp32, quant, y = drawn(seed)
    got = reported(answer, Table(fp32), Table(quant), batches(y, 10), "compare(a, b, loader)")
    kinds = {key: type(got[key]) for key in KEYS}
    wanted = {key: int if key == "n" else float for key in KEYS}
    expect(
        kinds == wanted,
        called="the types in compare(a, b, loader)",
        expected="n an int, all others float",
        got={key: kinds[key].__name__ for key in KEYS if kinds[key] is not wanted[key]},
        why="the report is written to JSON and compared later",
    )


@pytest.mark.task("compare")
def test_compare_accuracies_and_delta_are_example_weighted(answer, seed):
    """acc_fp32, acc_quant and n count examples, and delta = acc_quant - acc_fp32."""
    fp32, quant, y = drawn(seed, noise=2.0)
    want = reference(fp32, quant, y)
    got = reported(answer, Table(fp32), Table(quant), batches(y, 25), "compare(a, b, loader)")
    for key in ("acc_fp32", "acc_quant", "delta", "n"):
        expect_close(
            got[key],
            want[key],
            atol=8 * EPS64,  # two divisions and a difference
            called=f'compare(a, b, loader)["{key}"], 53 examples in batches of 25',
            why="a loss of accuracy is a negative delta; a short batch counts by its examples",
        )


@pytest.mark.task("compare")
def test_compare_agreement_ignores_the_labels(answer, seed):
    """agreement compares the two predictions; flip_rate is the rest."""
    fp32, quant, y = drawn(seed, noise=2.0)
    want = reference(fp32, quant, y)
    got = reported(answer, Table(fp32), Table(quant), batches(y, 25), "compare(a, b, loader)")
    for key in ("agreement", "flip_rate"):
        expect_close(
            got[key],
            want[key],
            atol=8 * EPS64,
            called=f'compare(a, b, loader)["{key}"]',
            why="two models can be equally accurate and disagree on many examples",
        )


@pytest.mark.task("compare")
def test_compare_sqnr_is_over_all_logits(answer, seed):
    """sqnr_db = 10 log10(sum of ref^2 / sum of (ref - quant)^2), one ratio for all logits."""
    fp32, quant, y = drawn(seed)
    scale = torch.logspace(-2, 2, len(y)).view(-1, 1)  # batches differ greatly in size
    fp32, quant = fp32 * scale, quant * scale.flip(0)
    want = reference(fp32, quant, y)["sqnr_db"]
    got = reported(answer, Table(fp32), Table(quant), batches(y, 10), "compare(a, b, loader)")
    # Sums of N float32 terms are off by at most (N + 4) eps each; 10 log10(1 + d) < 4.35 d.
    bound = 4.35 * 2 * (fp32.numel() + 4) * EPS32
    expect_close(
        got["sqnr_db"],
        want,
        atol=bound,
        called='compare(a, b, loader)["sqnr_db"]',
        why="add up signal and noise over the whole loader, then take one logarithm",
    )


@pytest.mark.task("compare")
def test_compare_kl_runs_from_fp32_to_quant_in_nats(answer, seed):
    """kl = mean over examples of sum p (ln p - ln q), p from fp32 and q from quant."""
    fp32, quant, y = drawn(seed, noise=1.0)
    want = reference(fp32, quant, y)["kl"]
    got = reported(answer, Table(fp32), Table(quant), batches(y, 25), "compare(a, b, loader)")
    expect_close(
        got["kl"],
        want,
        atol=_kl_bound(fp32, quant),
        called='compare(a, b, loader)["kl"]',
        why="KL is not symmetric: the reference model weighs; natural logarithm; mean of examples",
    )


@pytest.mark.task("compare")
def test_compare_kl_survives_confident_models(answer, seed):
    """Logits in the hundreds, where softmax underflows to 0, still give the exact kl."""
    fp32, quant, y = drawn(seed)
    fp32, quant = 300 * fp32, 300 * quant
    want = reference(fp32, quant, y)["kl"]
    got = reported(answer, Table(fp32), Table(quant), batches(y, 25), "compare(a, b, loader)")
    expect_close(
        got["kl"],
        want,
        atol=_kl_bound(fp32, quant),
        called='compare(a, b, loader)["kl"], logits in the hundreds',
        why="log(softmax(x)) is log(0) there; log_softmax(x) is not",
    )


@pytest.mark.task("compare")
def test_compare_identical_models_differ_in_nothing(answer, seed):
    """The same logits give agreement 1, delta 0, kl 0 and an infinite sqnr_db."""
    fp32, _, y = drawn(seed)
    model = Table(fp32)
    for other, called in ((Table(fp32.clone()), "compare(a, copy)"), (model, "compare(a, a)")):
        got = reported(answer, model, other, batches(y, 10), called)
        for key, want in (
            ("delta", 0.0),
            ("agreement", 1.0),
            ("flip_rate", 0.0),
            ("sqnr_db", math.inf),
            ("kl", 0.0),
        ):
            expect_close(
                got[key],
                want,
                atol=4 * EPS32 if key == "kl" else 0,  # log_softmax sums to 1 to a few roundings
                called=f'{called}["{key}"]',
                why="no noise at all: the ratio is infinite, not an error and not NaN",
            )


@pytest.mark.task("compare")
def test_compare_reads_a_shuffling_loader_once(answer, seed):
    """One pass: both models see the same batch, from a loader that shuffles or is a generator."""
    fp32, quant, y = drawn(seed)
    want = reference(fp32, quant, y)
    x = torch.arange(len(y)).float().view(-1, 1)
    once = Once(batches(y, 10))
    for loader, name in ((Shuffled(x, y, 10, seed), "a shuffling loader"), (once, "a generator")):
        a, b = Table(fp32), Table(quant)
        got = reported(answer, a, b, loader, f"compare(a, b, {name})")
        pairs = list(zip(a.calls, b.calls, strict=False))
        same = len(a.calls) == len(b.calls) == 6 and all(
            torch.equal(left[0], right[0]) for left, right in pairs
        )
        expect(
            same,
            called=f"compare(a, b, {name})",
            expected="each of the 6 batches given once to both models",
            got=f"{len(a.calls)} and {len(b.calls)} calls"
            + ("" if len(a.calls) != len(b.calls) else ", with other inputs"),
            why="in a second pass the examples come in another order, or not at all",
        )
        for key in ("acc_fp32", "agreement", "n"):
            expect_close(
                got[key],
                want[key],
                atol=8 * EPS64,
                called=f'compare(a, b, {name})["{key}"]',
                why="predictions can be compared only on the same inputs",
            )
    expect(
        once.readings == 1,
        called="compare(a, b, generator)",
        expected="1 reading of the loader",
        got=f"{once.readings} readings",
        why="a generator can be read once",
    )


@pytest.mark.task("compare")
def test_compare_of_nothing_reports_n_zero(answer, seed):
    """An empty loader gives n = 0 and accuracies and delta 0.0, without an error."""
    fp32, quant, y = drawn(seed)
    for loader in ([], iter(()), batches(y[:0], 4)):
        got = reported(answer, Table(fp32), Table(quant), loader, "compare(a, b, an empty loader)")
        few = {key: got[key] for key in ("n", "acc_fp32", "acc_quant", "delta")}
        expect(
            few == dict.fromkeys(few, 0),
            called="compare(a, b, an empty loader)",
            expected="n 0, acc_fp32 0.0, acc_quant 0.0, delta 0.0",
            got=few,
            why="0 / 0 must not stop a report over many data sets",
        )


@pytest.mark.task("compare")
def test_compare_runs_both_in_eval_mode_without_a_graph(answer, seed):
    """Both models run with dropout off, normalization frozen and gradients off."""
    fp32, quant, y = drawn(seed)
    a, b = Table(fp32).train(), Table(quant).train()
    answer.compare(a, b, batches(y, 20))
    _expect_inference(a, "compare(a, b, loader), the first model")
    _expect_inference(b, "compare(a, b, loader), the second model")


@pytest.mark.task("compare")
def test_compare_puts_every_training_flag_back(answer, seed):
    """Both models end in their modes, also after an exception and when they are one object."""
    calm = train_mode(seed + 1)

    def first(model, loader):
        return answer.compare(model, calm, loader)

    def second(model, loader):
        return answer.compare(calm, model, loader)

    def both(model, loader):
        return answer.compare(model, model, loader)

    for run, name in ((first, "a"), (second, "b"), (both, "a = b")):
        with expect_untouched(calm, called="compare(a, b, loader), the other model"):
            _expect_flags_restored(run, f"compare ({name})", seed)


@pytest.mark.task("compare")
def test_compare_accepts_half_precision_logits(answer, seed):
    """float16 logits of the second model are compared in float64, where squares do not overflow."""
    fp32, quant, y = drawn(seed)
    fp32, quant = 200 * fp32, (200 * quant).half()
    want = reference(fp32, quant, y)
    got = reported(answer, Table(fp32), Table(quant), batches(y, 10), "compare(a, fp16, loader)")
    bound = 4.35 * 2 * (fp32.numel() + 4) * EPS32
    expect_close(
        got["sqnr_db"],
        want["sqnr_db"],
        atol=bound,
        called='compare(a, fp16, loader)["sqnr_db"], logits up to about 1,000',
        why="a square beyond 65,504 is inf in float16: convert both outputs before comparing",
    )
    expect_close(
        got["kl"],
        want["kl"],
        atol=_kl_bound(fp32, quant.float()),
        called='compare(a, fp16, loader)["kl"]',
        why="a float16 softmax has three digits",
    )


@pytest.mark.task("compare")
def test_compare_never_counts_nan_as_agreement(answer, seed):
    """A row with a NaN is wrong and agrees with nothing; sqnr_db and kl show the NaN."""
    fp32, _, _ = drawn(seed, n=12)
    y = fp32.argmax(1)
    quant = fp32.clone()
    quant[4, y[4]] = math.nan
    quant[9] = math.nan
    y[9] = 0
    broken = {"acc_quant": 10 / 12, "agreement": 10 / 12}
    got = reported(answer, Table(fp32), Table(quant), batches(y, 5), "compare(a, b, loader)")
    both = reported(answer, Table(quant), Table(quant), batches(y, 5), "compare(b, b, loader)")
    for report, called in ((got, "compare(a, b, loader)"), (both, "compare(b, b, loader)")):
        for key, want in broken.items():
            expect_close(
                report[key],
                want,
                atol=8 * EPS64,
                called=f'{called}["{key}"], b has NaN in 2 of 12 rows',
                why="argmax of a row with NaN is the place of the NaN, not a prediction",
            )
        for key in ("sqnr_db", "kl"):
            expect(
                math.isnan(report[key]),
                called=f'{called}["{key}"], b has NaN logits',
                expected="nan",
                got=report[key],
                why="a broken model must not get a clean number",
            )


@pytest.mark.task("compare")
def test_compare_shows_an_overflow(answer, seed):
    """One infinite logit makes the noise infinite: sqnr_db is -inf."""
    fp32, _, y = drawn(seed)
    quant = fp32.clone()
    quant[20, 1] = math.inf
    got = reported(answer, Table(fp32), Table(quant), batches(y, 10), "compare(a, b, loader)")
    expect_close(
        got["sqnr_db"],
        -math.inf,
        atol=0,
        called='compare(a, b, loader)["sqnr_db"], b has an inf logit (float16 beyond 65,504)',
        why="an overflow must be seen in the report, not stop it: math.log10(0) raises",
    )


@pytest.mark.task("compare")
def test_compare_leaves_models_and_inputs_untouched(answer, seed):
    """Parameters, buffers, running statistics and the loader's tensors keep their bits."""
    a, b = train_mode(seed), train_mode(seed + 1)
    source = generator(seed + 2)
    data = [(torch.randn(7, 6, generator=source), torch.arange(7) % CLASSES) for _ in range(3)]
    with expect_untouched(a, b, data, called="compare(a, b, loader)"):
        first = answer.compare(a, b, data)
    again = answer.compare(a, b, data)
    expect(
        first == again,
        called="compare(a, b, loader), twice",
        expected=f"the same report: {brief(first)}",
        got=brief(again),
        why="dropout and batch statistics are random or changing: evaluation is neither",
    )


def _expect_inference(model: Table, called: str) -> None:
    expect(
        model.calls and not any(training for _, training, _ in model.calls),
        called=called,
        expected="model.training False during the forward pass",
        got=f"training in each call: {[training for _, training, _ in model.calls]}",
        why="with dropout on, the accuracy is a lottery",
    )
    expect(
        not any(grad for _, _, grad in model.calls),
        called=called,
        expected="gradients off during the forward pass",
        got="torch.is_grad_enabled() is True",
        why="a graph keeps every activation of the batch in memory",
    )


def _expect_flags_restored(run, name: str, seed: int) -> None:
    """`run(model, loader)` must restore the flags in a good run and in two failing ones."""
    source = generator(seed)
    good = [(torch.randn(4, 6, generator=source), torch.zeros(4, dtype=torch.int64))]
    bad_input = [*good, (torch.randn(4, 3, generator=source), torch.zeros(4, dtype=torch.int64))]

    def breaks_off():
        yield good[0]
        raise OSError("the disk is gone")

    for loader, error, when in (
        (good, None, "after a good run"),
        (bad_input, RuntimeError, "after the model raised"),
        (breaks_off(), OSError, "after the loader raised"),
    ):
        model = train_mode(seed)
        before = {key: module.training for key, module in model.named_modules()}
        raised = _raised(run, model, loader)
        if error is not None:
            expect(
                isinstance(raised, error),
                called=f"{name} with a {error.__name__} inside",
                expected=f"the {error.__name__} is passed on",
                got=repr(raised),
                why="an evaluation that swallows errors reports numbers of half the data",
            )
        elif raised is not None:
            raise raised
        after = {key: module.training for key, module in model.named_modules()}
        wrong = [key or "the model" for key in before if before[key] != after[key]]
        expect(
            not wrong,
            called=f"training flags {when} of {name}",
            expected="each submodule in the mode it had before",
            got=f"changed: {', '.join(wrong)}",
            why="a training loop goes on with dropout off, or with a frozen layer thawed",
        )


def _raised(run, model, loader) -> Exception | None:
    try:
        run(model, loader)
    except Exception as error:
        return error
    return None


def _kl_bound(fp32: Tensor, quant: Tensor) -> float:
    """Float32 log_softmax is off by a few eps of the largest logit, in p and in both logarithms."""
    largest = float(max(abs(as_float64(fp32)).max(), abs(as_float64(quant)).max()))
    gap = float(2 * abs(as_float64(fp32) - as_float64(quant)).max())
    # log p and log q: 4 eps (largest + ln C) each; p itself: that, times the gap it weighs.
    each = 4 * EPS32 * (largest + math.log(CLASSES) + 1)
    return each * (2 + gap)
