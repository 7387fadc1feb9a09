"""What functions must do that run one or more models over the batches of a loader."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from halfbits.course.checks import Suite, cases, doubles, expect, hardened, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Table
from halfbits.course.checks.labeled import CLASSES, batches, drawn, rows


class Evaluation(Suite):
    """A function (model, loader) or (first, second, loader) that returns accuracies, and more.

    Without `keys` it takes one model and returns its accuracy; with keys, a model for each, and
    the accuracies stand under these keys of a dict.
    """

    def __init__(self, task: str, *keys: str) -> None:
        super().__init__(task)
        self.keys, self.models = keys, max(1, len(keys))

    def accuracies(self, result: Any) -> list[float]:
        """The accuracy of each model."""
        return [result[key] for key in self.keys] if self.keys else [result]

    def of(self, answer: Any, logits: Tensor, loader: Any) -> list[float]:
        """The accuracies of models that all give these logits."""
        tables = [Table(logits) for _ in range(self.models)]
        return self.accuracies(self.call(answer, *tables, loader))

    def test_weights_examples_not_batches(self, answer: Any, seed: int) -> None:
        """A short last batch counts by its examples: 3 wrong of 53 is 50/53 right.

        The mean of the batches' accuracies gives the last, short batch too much weight.
        """
        logits, _, _ = drawn(seed)
        y = logits.argmax(1)
        y[50:] = (y[50:] + 1) % CLASSES
        for size in each({f"batches of {size}": size for size in (25, 10, 53, 1)}):
            for got in self.of(answer, logits, batches(y, size)):
                expect.close(got, 50 / 53, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")

    @hardened
    def test_of_nothing_is_zero(self, answer: Any, seed: int) -> None:
        """An empty loader, and one whose batches are empty, give an accuracy of 0.0.

        0 / 0 must not stop a report over many data sets.
        """
        logits, _, y = drawn(seed)
        loaders: dict[str, Any] = {"a list of nothing": [], "an empty generator": iter(())}
        for loader in each(loaders | {"an empty batch": batches(y[:0], 4)}):
            for got in self.of(answer, logits, loader):
                right = type(got) is float and got == 0.0
                expect.true(right, expected="0.0", got=got, of="accuracy")

    def test_reads_a_shuffling_loader_once(self, answer: Any, seed: int) -> None:
        """One pass: each model sees every batch once, of a loader that shuffles or a generator.

        In a second pass the examples come in another order, or not at all; a generator has no
        len. Predictions can be compared only on the same inputs.
        """
        logits, _, y = drawn(seed)
        shuffled, once = doubles.Shuffled(rows(y), y, 10, seed), doubles.Once(batches(y, 10))
        want = float((logits.argmax(1) == y).double().mean())
        for loader in each({"a shuffling loader": shuffled, "a generator": once}):
            tables = [Table(logits) for _ in range(self.models)]
            accuracies = self.accuracies(self.call(answer, *tables, loader))
            seen = [[call[0] for call in table.calls] for table in tables]
            alike = all(map(_alike, seen, seen[:1] * self.models)) and len(seen[0]) == 6
            got = f"calls with {' and '.join(str(len(calls)) for calls in seen)} batches"
            expected = "each of the 6 batches given once to every model, the same to all"
            expect.true(alike, expected=expected, got=got)
            for accuracy in accuracies:
                expect.close(accuracy, want, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")
        expect.equal(f"{once.readings} readings", "1 readings", of="readings of the generator")

    def test_runs_in_eval_mode_without_a_graph(self, answer: Any, seed: int) -> None:
        """Inside each model dropout is off, batch normalization is frozen and gradients are off.

        With dropout on, the accuracy is a lottery; a graph keeps every activation in memory.
        """
        logits, _, y = drawn(seed)
        tables = [Table(logits).train() for _ in range(self.models)]
        self.call(answer, *tables, batches(y, 20))
        for table in each(dict(zip(("the first model", "the second model"), tables, strict=False))):
            modes = [f"training {training}, gradients {grad}" for _, training, grad in table.calls]
            expect.equal(set(modes), {"training False, gradients False"}, of="the modes inside")

    def test_takes_each_batch_as_it_comes(self, answer: Any, seed: int) -> None:
        """A batch goes through the models before the next but one is asked for.

        A loader may be endless or larger than the memory: nothing may collect it first.
        """
        tables = [Table(drawn(seed)[0]) for _ in range(self.models)]
        loader = doubles.Watched(batches(drawn(seed)[2], 10), tables[0])
        self.call(answer, *tables, loader)
        waiting = max(loader.waiting)
        said = f"{waiting} batches had been read and not yet used"
        expect.true(waiting <= 1, expected="one batch at a time", got=said)

    @hardened
    def test_reads_batches_that_are_views(self, answer: Any, seed: int) -> None:
        """Inputs and labels that are columns of a table count like their copies, and stay.

        A loader may slice one large tensor.
        """
        logits, _, y = drawn(seed)
        x, labels = torch.cat([rows(y) + 1, rows(y)], 1)[:, 1:], torch.stack([1 - y, y], 1)[:, 1]
        wide = [(x[::2], labels[::2]), (x[1::2], labels[1::2])]
        want = float((logits.argmax(1) == y).double().mean())
        with expect.untouched(wide):
            for got in self.of(answer, logits, wide):
                expect.close(got, want, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")

    def test_compares_labels_as_they_are(self, answer: Any, seed: int) -> None:
        """With 300 classes the label 299 is the class 299 and no other.

        Labels that are cut to a byte are taken for another class.
        """
        y, classes = torch.tensor([299, 299, 43, 256, 0]), torch.tensor([299, 43, 43, 0, 0])
        logits = functional.one_hot(classes, 300).float()
        for got in self.of(answer, logits, batches(y, 2)):
            expect.close(got, 0.6, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")

    @hardened
    def test_takes_an_infinite_logit_for_a_prediction(self, answer: Any, seed: int) -> None:
        """An infinite logit is the largest one, so its class is predicted; only NaN is no answer.

        A mask of minus infinity leaves the other classes to choose from.
        """
        logits = torch.zeros(4, CLASSES)
        logits[0, 2], logits[1, 3], logits[2], logits[2, 1] = math.inf, math.inf, -math.inf, 0.0
        y = torch.tensor([2, 4, 1, 0])
        for got in self.of(answer, logits, batches(y, 3)):
            expect.close(got, 0.75, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")

    @hardened
    def test_puts_every_training_flag_back(self, answer: Any, seed: int) -> None:
        """Each submodule ends in the mode it had, also when a model or the loader raises.

        The exception is passed on: an evaluation that swallows errors reports numbers of half the
        data. Otherwise a training loop goes on with dropout off, or with a frozen layer thawed.
        """
        good = [(cases.normal(seed, 4, 6), torch.zeros(4, dtype=torch.int64))]
        bad = [*good, (cases.normal(seed, 4, 3), torch.zeros(4, dtype=torch.int64))]
        ends: dict[str, tuple[Any, type[BaseException] | None]] = {
            "after a good run": (good, None),
            "after the model raised": (bad, RuntimeError),
            "after the loader raised": (doubles.BreaksOff(good, OSError("no disk")), OSError),
            "after an interrupt": (doubles.BreaksOff(good, KeyboardInterrupt()), KeyboardInterrupt),
        }
        for loader, error in each(ends):
            for models in each(self._places(seed)):
                before = [flags(model) for model in models]
                self._run(answer, models, loader, error)
                pairs = [(was, flags(model)) for was, model in zip(before, models, strict=True)]
                changed = [name for was, now in pairs for name in was if was[name] != now[name]]
                expect.true(
                    not changed,
                    expected="each submodule in the mode it had before",
                    got=f"changed: {', '.join(dict.fromkeys(changed))}",
                    of="the training flags",
                )

    @hardened
    def test_never_counts_nan_as_right(self, answer: Any, seed: int) -> None:
        """A row of logits with a NaN in it is wrong, whatever argmax says.

        argmax treats NaN as the largest value, so a broken model can look right.
        """
        logits, _, _ = drawn(seed, n=12)
        y, broken = logits.argmax(1), logits.clone()
        broken[3], broken[7, 2] = math.nan, math.nan
        # argmax returns the place of a NaN: make that the label.
        y[3], y[7] = 0, 2
        for got in self.of(answer, broken, batches(y, 5)):
            expect.close(got, 10 / 12, atol=tolerance.FLOAT64_DIVISIONS, of="accuracy")

    def test_leaves_models_and_inputs_untouched(self, answer: Any, seed: int) -> None:
        """Parameters, buffers, running statistics and the loader's tensors keep their bits.

        Dropout and batch statistics are random or changing: evaluation is neither, and gives the
        same result again.
        """
        models = [doubles.mixed_modes(seed + number) for number in range(self.models)]
        data = [(cases.normal(seed + i, 7, 6), torch.arange(7) % CLASSES) for i in range(3)]
        with expect.untouched(*models, data):
            first = self.call(answer, *models, data)
        expect.equal(self.call(answer, *models, data), first, of="the second result")

    def _places(self, seed: int) -> dict[str, list[nn.Module]]:
        """Models of mixed modes at each place, beside one of another structure; or one at both."""
        mixed, plain = doubles.mixed_modes(seed), nn.Sequential(nn.Linear(6, CLASSES))
        if self.models == 1:
            return {"model": [mixed]}
        return {"a": [mixed, plain], "b": [plain, mixed], "a = b": [mixed, mixed]}

    def _run(self, answer: Any, models: Iterable[nn.Module], loader: Any, error: Any) -> None:
        if error is None:
            self.call(answer, *models, loader)
        else:
            expect.raises(error, lambda: self.call(answer, *models, loader))


def flags(model: nn.Module) -> dict[str, bool]:
    """The training flag of every submodule."""
    return {name or "the model": module.training for name, module in model.named_modules()}


def _alike(left: list[Tensor], right: list[Tensor]) -> bool:
    return len(left) == len(right) and all(map(torch.equal, left, right))
