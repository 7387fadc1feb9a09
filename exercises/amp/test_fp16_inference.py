"""Checks of amp/fp16_inference: what each function promises, one claim a check.

u = 2**-11 is float16's unit roundoff: one rounding moves a normal number x by at most u * |x|.
"""

import io

import pytest
import torch
from torch import nn

from halfbits.course.grading.expect import expect, expect_close, expect_dtype, expect_untouched

U = 2.0**-11
THIRD = 1 / 3  # not a float16 number
NEXT_LAYER = "the next matmul has float16 weights and refuses a float32 input"


def draw(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed % 2**31))


class TinyLM(nn.Module):
    """Embedding, LayerNorm, tied head: token ids [..., t] to logits [..., t, 32]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(32, 16)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 32, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.embedding(ids)))


class Block(nn.Module):
    """A pre-norm block with learned positions, a float buffer, an index and a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.full((4, 8), THIRD))
        self.register_buffer("gain", torch.full((8,), THIRD))
        self.register_buffer("bias_mask", torch.tensor([0.0, float("-inf")]))
        self.register_buffer("order", torch.arange(4) * 100_000)
        self.register_buffer("keep", torch.tensor([True, False, True, True]))
        self.norm = nn.RMSNorm(8)
        self.linear = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.linear(self.norm(x + self.position)) * self.gain


def conv_net() -> nn.Sequential:
    """Conv, BatchNorm with running statistics that float16 cannot hold, linear."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5)
    )
    model[1].running_var.fill_(1e6)
    model[1].running_mean.fill_(THIRD)
    return model


heard: list[torch.dtype] = []


class Listening:
    """A norm layer that writes down the dtype of what it is given."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heard.append(x.dtype)
        return super().forward(x)


class ListeningLayerNorm(Listening, nn.LayerNorm):
    pass


class ListeningRMSNorm(Listening, nn.RMSNorm):
    pass


class ListeningGroupNorm(Listening, nn.GroupNorm):
    pass


class Spy(nn.Module):
    """A linear layer that writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.seen: object = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x.dtype
        return self.linear(x.to(self.linear.weight.dtype))


def scaled(factor: float) -> nn.Module:
    """A float16 model whose logits are `factor` times its input [..., 4]."""
    model = nn.Linear(4, 4, bias=False)
    model.weight = nn.Parameter(torch.eye(4) * factor)
    return model.half().eval()


def expect_module(got: object, called: str) -> nn.Module:
    """`got`, which has to be a module."""
    why = "convert_to_fp16 returns the new model"
    expect(isinstance(got, nn.Module), called=called, expected="a module", got=got, why=why)
    return got


def expect_output(model16: nn.Module, x: torch.Tensor, called: str) -> torch.Tensor:
    """model16(x), which has to run."""
    try:
        with torch.no_grad():
            return model16(x)
    except RuntimeError as error:
        expected, got = "an output", f"RuntimeError: {error}"
        expect(False, called=called, expected=expected, got=got, why=NEXT_LAYER)
        raise


def expect_tensor(module: nn.Module, name: str, want: torch.Tensor, called: str, why: str) -> None:
    """Demand that `module`'s state holds `want`, dtype and bits, under `name`."""
    found = module.state_dict().get(name)
    present = isinstance(found, torch.Tensor)
    expected = f"a tensor {name} in its state_dict"
    expect(present, called=called, expected=expected, got=f"{name} is missing", why=why)
    expect_close(found, want, atol=0, called=f"{called}, {name}", why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_makes_matmul_weights_float16(answer):
    """Linear, Embedding and Conv weights and biases are float16, rounded to nearest."""
    models = {
        "Linear": nn.Linear(6, 4),
        "Embedding": nn.Embedding(6, 4),
        "Conv1d": nn.Conv1d(3, 4, 2),
        "Conv2d": nn.Conv2d(3, 4, 2),
        "ConvTranspose2d": nn.ConvTranspose2d(3, 4, 2),
        "a Sequential": nn.Sequential(nn.Linear(6, 4), nn.GELU(), nn.Linear(4, 2)),
    }
    for kind, model in models.items():
        called = f"convert_to_fp16({kind})"
        model16 = expect_module(answer.convert_to_fp16(model), called)
        for name, source in model.state_dict().items():
            why = "these weights are the bytes that inference reads: half of them are to go"
            expect_tensor(model16, name, source.half(), called, why)


@pytest.mark.task("convert_to_fp16")
def test_convert_keeps_normalization_in_float32(answer, seed):
    """Norm weights, biases and running statistics keep float32, bit for bit."""
    norms = {
        "LayerNorm": nn.LayerNorm(4),
        "RMSNorm": nn.RMSNorm(4),
        "GroupNorm": nn.GroupNorm(2, 4),
        "BatchNorm1d": nn.BatchNorm1d(4),
        "BatchNorm2d": nn.BatchNorm2d(4),
        "InstanceNorm1d": nn.InstanceNorm1d(4, affine=True, track_running_stats=True),
        "a subclass of LayerNorm": ListeningLayerNorm(4),
    }
    for kind, norm in norms.items():
        model = nn.Sequential(nn.Linear(4, 4), norm)
        with torch.no_grad():
            for name, tensor in norm.state_dict().items():
                if tensor.is_floating_point():
                    tensor.copy_(draw((4,), seed).abs() * (1e6 if name == "running_var" else 1))
        called = f"convert_to_fp16(Linear -> {kind})"
        model16 = expect_module(answer.convert_to_fp16(model), called)
        for name, source in norm.state_dict().items():
            why = "few bytes, large effect: even a detour through float16 costs their digits"
            expect_tensor(model16, f"1.{name}", source, called, why)


@pytest.mark.task("convert_to_fp16")
def test_convert_takes_other_floats_along_and_leaves_integers(answer):
    """Other floating parameters and buffers become float16; integers and booleans stay."""
    source, called = Block(), "convert_to_fp16(a block with positions, a gain and a mask)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    for name in ("position", "gain", "bias_mask"):
        why = "one float32 operand turns the whole sum into float32"
        expect_tensor(model16, name, source.state_dict()[name].half(), called, why)
    for name in ("order", "keep"):
        why = "an index of 300000 does not survive float16"
        expect_tensor(model16, name, source.state_dict()[name], called, why)


@pytest.mark.task("convert_to_fp16")
def test_convert_keeps_tied_weights_tied(answer):
    """A head that shares the embedding's parameter still shares it, with each other only."""
    source, called = TinyLM(), "convert_to_fp16(a model whose head is tied to its embedding)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    tied = model16.head.weight is model16.embedding.weight
    why = "untied weights are stored twice and drift apart"
    expected, got = "head.weight is embedding.weight", "two parameters"
    expect(tied, called=called, expected=expected, got=got, why=why)
    expect_dtype(model16.head.weight, torch.float16, called=called, why="they are matmul weights")


@pytest.mark.task("convert_to_fp16")
def test_convert_returns_eval_mode(answer):
    """The new model and all its parts are in eval mode, whatever the source's mode."""
    for training in (True, False):
        model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2)))
        model.train(training)
        called = f"convert_to_fp16(a model whose training flag is {training})"
        model16 = expect_module(answer.convert_to_fp16(model), called)
        flags = [part.training for part in model16.modules()]
        why = "in training mode dropout and BatchNorm give other answers at every call"
        got = f"training flags {flags}"
        expect(not any(flags), called=called, expected="all False", got=got, why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_leaves_the_source_untouched(answer, seed):
    """The source keeps its values, dtypes, modes and hooks, and shares no memory with the copy."""
    ids = torch.tensor([[1, 2, 3]])
    for name, source, x in (
        ("TinyLM", TinyLM().train(), ids),
        ("a conv net", conv_net().eval(), draw((1, 3, 4, 4), seed)),
    ):
        called = f"convert_to_fp16({name})"
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in source.modules()]
        with expect_untouched(source, called=called):
            model16 = expect_module(answer.convert_to_fp16(source), called)
            with torch.no_grad():
                for tensor in [*model16.parameters(), *model16.buffers()]:
                    tensor.zero_()
        after = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in source.modules()]
        why = "a hook on the source changes the source"
        expect(after == hooks, called=called, expected="no new hook", got=after, why=why)
        y = source(x)
        expect_dtype(y, torch.float32, called=f"the source after {called}", why="it is still FP32")


@pytest.mark.task("convert_to_fp16")
def test_convert_keeps_the_structure(answer):
    """The new model has the source's class and the same names in its state_dict."""
    for name, source in (("TinyLM", TinyLM()), ("a conv net", conv_net())):
        called = f"convert_to_fp16({name})"
        model16 = expect_module(answer.convert_to_fp16(source), called)
        why = "a checkpoint of it has to load into the same class"
        want, got = list(source.state_dict()), list(model16.state_dict())
        expect(got == want, called=called, expected=str(want), got=str(got), why=why)
        want, got = type(source).__name__, type(model16).__name__
        expect(got == want, called=called, expected=want, got=got, why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_halves_the_checkpoint(answer):
    """A saved checkpoint of the new model takes half of the source's bytes."""
    source = nn.Sequential(nn.Linear(256, 256), nn.LayerNorm(256), nn.Linear(256, 128))
    called = "torch.save(convert_to_fp16(model).state_dict(), …)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    sizes = []
    for model in (source, model16):
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        sizes.append(file.tell())
    # The norm's 2 KiB stay and the file's own entries take a few KiB, of 390 KiB.
    ratio = sizes[1] / sizes[0]
    why = "a file of the old size means that float32 is still stored"
    got = f"{sizes[1]} bytes of {sizes[0]}, a ratio of {ratio:.3f}"
    expected = "a ratio of 0.50 to 0.54"
    expect(0.50 < ratio < 0.54, called=called, expected=expected, got=got, why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_gives_norms_float32_and_hands_float16_on(answer):
    """A norm layer computes on float32 inputs and returns float16."""
    for norm in (ListeningLayerNorm(8), ListeningRMSNorm(8), ListeningGroupNorm(2, 8)):
        heard.clear()
        called = f"convert_to_fp16(Linear -> {type(norm).__name__} -> Linear)(float16 x)"
        model = nn.Sequential(nn.Linear(8, 8), norm, nn.Linear(8, 2))
        model16 = expect_module(answer.convert_to_fp16(model), called)
        got = expect_output(model16, torch.ones(3, 8).half(), called)
        why = "CUDA's LayerNorm refuses a float16 input beside float32 parameters"
        expected, seen = "the norm to receive float32", f"it received {heard}"
        right = heard == [torch.float32]
        expect(right, called=called, expected=expected, got=seen, why=why)
        expect_dtype(got, torch.float16, called=called, why=NEXT_LAYER)


@pytest.mark.task("convert_to_fp16")
def test_convert_language_model_agrees_with_the_source(answer, seed):
    """The converted language model's logits differ from float32 by float16's error and no more."""
    source, ids = TinyLM().eval(), torch.tensor([[0, 5, 31], [7, 7, 2]])
    with torch.no_grad():
        source.embedding.weight.copy_(draw((32, 16), seed))
        source.norm.weight.copy_(draw((16,), seed + 1))
        hidden, exact = source.norm(source.embedding(ids)), source(ids).double()
    called = "convert_to_fp16(TinyLM)(ids)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    got = expect_output(model16, ids, called)
    table = source.embedding.weight.detach().double()
    size = hidden.double().abs() @ table.abs().T
    # A table rounded by u moves each entry, the mean and the deviation by at most u * amax, so the
    # normalized entries by 2 * u * r and 2 * r * u * r with r = amax / deviation >= 1: 4 * u * r^2.
    deviation = table[ids].std(-1, correction=0, keepdim=True)
    moved = 4 * U * (table[ids].abs().amax(-1, keepdim=True) / deviation) ** 2
    rough = (moved * source.norm.weight.detach().double().abs()) @ table.abs().T
    # Then a store, a rounded weight, 16 products, 15 sums and a store of float16: 34 roundings.
    why = "a conversion keeps the model's answers"
    atol = 34 * 2 * U * size + rough
    expect_close(got, exact.half(), atol=atol, called=called, why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_conv_net_agrees_with_the_source(answer, seed):
    """The converted conv net's logits differ from float32 by float16's error and no more."""
    source, x = conv_net().eval(), draw((2, 3, 4, 4), seed)
    called = "convert_to_fp16(Conv -> BatchNorm -> ReLU -> Linear)(float16 x)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    got = expect_output(model16, x.half(), called)
    with torch.no_grad():
        exact = source(x)
        conv, norm, linear = source[0], source[1], source[4]
        # 27 products, sums, a bias, a store and two rounded operands: 32 roundings of 2u.
        size = nn.functional.conv2d(x.abs(), conv.weight.abs(), conv.bias.abs())
        error = 64 * U * size / norm.running_var.sqrt()[0] + U * norm(conv(x)).abs()
        hidden = norm(conv(x)).abs().flatten(1)
        # 16 products, sums, a bias, a store and two rounded operands: 20 roundings of 2u.
        room = error.flatten(1) @ linear.weight.abs().T
        room += 40 * U * (hidden @ linear.weight.abs().T + linear.bias.abs()) + 2.0**-24
    why = "a conversion keeps the model's answers"
    expect_close(got, exact.half(), atol=room, called=called, why=why)


@pytest.mark.task("convert_to_fp16")
def test_convert_refuses_weights_beyond_float16(answer):
    """A finite weight that float16 would turn into inf raises ValueError with the weight's name."""
    source = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    why = "an inf in a weight turns up later as NaN, far from its cause"
    with torch.no_grad():
        source[1].weight[1, 2] = -1e5
    called, raised = "convert_to_fp16(a model with 1.weight[1, 2] = -1e5)", "nothing raised"
    with expect_untouched(source, called=called):
        try:
            answer.convert_to_fp16(source)
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
    expected = "ValueError naming 1.weight"
    right = raised.startswith("ValueError") and "1.weight" in raised
    expect(right, called=called, expected=expected, got=raised, why=why)
    with torch.no_grad():
        source[1].weight[1, 2] = 65519.0
    called = "convert_to_fp16(a model with 1.weight[1, 2] = 65519)"
    model16 = expect_module(answer.convert_to_fp16(source), called)
    why = "65519 rounds to 65504, the largest number of float16: no overflow"
    expect_tensor(model16, "1.weight", source[1].weight.detach().half(), called, why)


@pytest.mark.task("predict_logits")
def test_logits_are_the_models_float16_outputs_in_float32(answer, seed):
    """predict_logits returns float32 values that are the float16 model's own outputs."""
    model16 = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5)).half().eval()
    for dtype in (torch.float32, torch.float16, torch.float64):
        x = draw((7, 6), seed).to(dtype)
        with torch.no_grad():
            want = model16(x.half()).float()
            size = (
                nn.functional.relu(model16[0](x.half())).float() @ model16[2].weight.float().abs().T
            )
            size += model16[2].bias.float().abs()
        got = answer.predict_logits(model16, x)
        called, why = f"predict_logits(model16, {dtype} [7, 6])", "the model runs in float16"
        # Same weights, same kernel; another kernel may sum in another order: nine roundings.
        expect_close(got, want, atol=9 * 2 * U * (size + 1), called=called, why=why)
        exact = bool((got.half().float() == got).all())
        why = "more digits than float16 has mean that the model ran in float32"
        expected = "values that float16 can hold"
        expect(exact, called=called, expected=expected, got=got, why=why)


@pytest.mark.task("predict_logits")
def test_logits_casts_floats_and_leaves_integers(answer):
    """predict_logits gives the model float16 for a floating x, and integers as they are."""
    cases = {
        torch.float32: torch.float16,
        torch.float64: torch.float16,
        torch.float16: torch.float16,
        torch.int64: torch.int64,
        torch.int32: torch.int32,
        torch.bool: torch.bool,
    }
    for given, wanted in cases.items():
        model16 = Spy().half().eval()
        answer.predict_logits(model16, torch.ones(2, 4).to(given))
        why = "token ids beyond 2048 are not float16 numbers, and an Embedding wants integers"
        expected, got = f"the model to receive {wanted}", f"it received {model16.seen}"
        called = f"predict_logits(model16, {given} [2, 4])"
        expect(model16.seen == wanted, called=called, expected=expected, got=got, why=why)


@pytest.mark.task("predict_logits")
def test_logits_of_token_ids(answer):
    """predict_logits of token ids [2, 3] is float32 [2, 3, vocabulary]."""
    model16 = nn.Sequential(nn.Embedding(5000, 4), nn.Linear(4, 2)).half().eval()
    ids = torch.tensor([[0, 4999, 2049], [1, 2, 3]])
    with torch.no_grad():
        want = model16(ids).float()
    called, why = "predict_logits(Embedding -> Linear, ids [2, 3])", "ids are indices"
    # Four products and a bias, in whatever order: six roundings of numbers below about 8.
    expect_close(answer.predict_logits(model16, ids), want, atol=96 * U, called=called, why=why)


@pytest.mark.task("predict_logits")
def test_logits_overflow_stays_visible(answer):
    """predict_logits keeps an infinite logit infinite, and 65504 finite."""
    inf = float("inf")
    x = torch.tensor([[40000.0, 32752.0, -40000.0, 0.0]])
    called = "predict_logits(a model that doubles, [40000, 32752, -40000, 0])"
    why = "80000 is beyond float16; clamping it hides the overflow"
    want = torch.tensor([[inf, 65504.0, -inf, 0.0]])
    expect_close(answer.predict_logits(scaled(2.0), x), want, atol=0, called=called, why=why)


@pytest.mark.task("predict_logits")
def test_logits_of_empty_batched_and_strided_inputs(answer, seed):
    """predict_logits takes an empty batch, a batch of sequences and a transposed view."""
    for name, x in (
        ("an empty batch [0, 4]", torch.zeros(0, 4)),
        ("zeros [2, 4]", torch.zeros(2, 4)),
        ("a batch of sequences [2, 3, 4]", draw((2, 3, 4), seed)),
        ("a transposed view [5, 4]", draw((4, 5), seed).T),
        ("subnormal numbers [1, 4]", torch.full((1, 4), 2.0**-24)),
    ):
        called, why = f"predict_logits(identity, {name})", "only the dtype changes here"
        want = x.half().float()
        expect_close(answer.predict_logits(scaled(1.0), x), want, atol=0, called=called, why=why)


@pytest.mark.task("predict_logits")
def test_logits_build_no_graph(answer):
    """predict_logits records no graph, though parameters and x require gradients."""
    x = torch.ones(2, 4, requires_grad=True)
    called, why = "predict_logits(model16, x)", "a recorded graph keeps every activation in memory"
    got = answer.predict_logits(scaled(1.0), x)
    expect_dtype(got, torch.float32, called=called, why="logits are returned in float32")
    expected, got = "requires_grad False", f"requires_grad {got.requires_grad}"
    expect(got == expected, called=called, expected=expected, got=got, why=why)


@pytest.mark.task("predict_logits")
def test_logits_leave_model_and_input_as_they_were(answer, seed):
    """predict_logits changes neither x nor the model, nor its training flag."""
    for training in (False, True):
        model16, x = nn.Sequential(nn.Linear(4, 3), nn.ReLU()).half(), draw((2, 4), seed)
        model16.train(training)
        called = f"predict_logits(model16, x), training flag {training}"
        with expect_untouched(model16, x, called=called):
            answer.predict_logits(model16, x)


@pytest.mark.task("predict_proba")
def test_proba_rows_are_float32_distributions(answer, seed):
    """predict_proba returns float32 in [0, 1] whose rows sum to 1 within n * eps."""
    n = 1000
    model16 = nn.Linear(8, n).half().eval()
    got = answer.predict_proba(model16, 4 * draw((5, 8), seed))
    called = f"predict_proba(Linear(8, {n}), x)"
    like = torch.full((5, n), 0.5)
    why = "a probability lies between 0 and 1"
    expect_close(got, like, atol=0.5, called=called, why=why)
    total = got.double().sum(-1)
    # n probabilities, each off by a few float32 roundings of itself.
    why = "each row is a distribution over the classes"
    want = torch.ones(5).double()
    atol = n * torch.finfo(torch.float32).eps
    expect_close(total, want, atol=atol, called=f"{called}.sum(-1)", why=why)


@pytest.mark.task("predict_proba")
def test_proba_softmax_runs_in_float32(answer):
    """predict_proba keeps a probability of 1.5e-8, which float16 flushes to zero."""
    x = torch.tensor([[0.0, -12.0, -17.0, -18.0]])
    want = x.double().softmax(-1).float()
    called, why = (
        "predict_proba(identity, [0, -12, -17, -18])",
        "float16 is zero below 3e-8",
    )
    # exp, a sum and a division round some ten times; a fast exp adds a few.
    atol = 64 * 2.0**-24 * want
    expect_close(answer.predict_proba(scaled(1.0), x), want, atol=atol, called=called, why=why)


@pytest.mark.task("predict_proba")
def test_proba_survives_large_logits(answer):
    """predict_proba of logits near 60000 is a distribution: no NaN, no overflow."""
    x = torch.tensor([[60000.0, 0.0, -60000.0, 60000.0], [100.0, 100.0, 100.0, 100.0]])
    want = torch.tensor([[0.5, 0.0, 0.0, 0.5], [0.25, 0.25, 0.25, 0.25]])
    called = "predict_proba(identity, [[60000, 0, -60000, 60000], [100, 100, 100, 100]])"
    why = "exp(100) overflows float32: subtract the largest logit first"
    got = answer.predict_proba(scaled(1.0), x)
    expect_close(got, want, atol=64 * 2.0**-24, called=called, why=why)


@pytest.mark.task("predict_proba")
def test_proba_normalizes_the_last_dimension(answer, seed):
    """predict_proba's softmax runs over the classes, also for sequences and an empty batch."""
    for shape in ((4, 4), (2, 3, 4), (4,), (0, 4)):
        x = draw(shape, seed)
        want = x.half().double().softmax(-1).float()
        called = f"predict_proba(identity, x {list(shape)})"
        why = "logits are [..., classes]: each row is a distribution over the last dimension"
        got = answer.predict_proba(scaled(1.0), x)
        expect_close(got, want, atol=64 * 2.0**-24, called=called, why=why)


@pytest.mark.task("predict_proba")
def test_proba_of_token_ids(answer):
    """predict_proba accepts integer token ids."""
    model16 = nn.Sequential(nn.Embedding(5000, 4), nn.Linear(4, 2)).half().eval()
    got = answer.predict_proba(model16, torch.tensor([[0, 4999, 2049]]))
    called, why = "predict_proba(Embedding -> Linear, ids [1, 3])", "ids are indices"
    expect_close(got, torch.full((1, 3, 2), 0.5), atol=0.5, called=called, why=why)


@pytest.mark.task("predict_proba")
def test_proba_leaves_model_and_input_as_they_were(answer, seed):
    """predict_proba changes neither x nor the model, and builds no graph."""
    model16, x = nn.Sequential(nn.Linear(4, 3)).half().eval(), draw((2, 4), seed)
    called = "predict_proba(model16, x)"
    with expect_untouched(model16, x, called=called):
        got = answer.predict_proba(model16, x)
    expect_dtype(got, torch.float32, called=called, why="probabilities are float32")
    expected, got = "requires_grad False", f"requires_grad {got.requires_grad}"
    expect(got == expected, called=called, expected=expected, got=got, why="inference only")
