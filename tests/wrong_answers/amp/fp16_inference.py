"""Wrong and right answers to amp/fp16_inference: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, WrongAnswer

# The reference with one gap to fill, so that a wrong answer shows nothing but its mistake.
CONVERT = """
import copy
import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, _NormBase)

def widen(module, inputs):
    return tuple(x.float() for x in inputs)

def narrow(module, inputs, output):
    return output.half()

def is_norm(module):
    return isinstance(module, NORMS)

def at_norm(module):
    module.register_forward_pre_hook(widen)
    module.register_forward_hook(narrow)

def start(model):
    return copy.deepcopy(model).eval()

def round_tensor(name, module, key, tensor):
    if not tensor.is_floating_point():
        return
    half = tensor.data.half()
    if (tensor.isfinite() & ~half.isfinite()).any():
        raise ValueError(f"{name} is too large for float16")
    tensor.data = half

# GAP

def convert_to_fp16(model):
    model16 = start(model)
    for path, module in model16.named_modules():
        if is_norm(module):
            at_norm(module)
            continue
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for key, tensor in own:
            round_tensor(f"{path}.{key}".lstrip("."), module, key, tensor)
    return model16
"""


def convert(change: str) -> str:
    """The reference conversion with one of its functions replaced by `change`."""
    return CONVERT.replace("# GAP", change.strip("\n"))


WRONG = [
    WrongAnswer(
        "convert: .half() on the model itself",
        """
def convert_to_fp16(model):
    return model.half().eval()
""",
        rejected_by="test_convert_leaves_the_source_untouched",
        says="changed",
    ),
    WrongAnswer(
        "convert: .half() on everything, norms included",
        """
import copy
def convert_to_fp16(model):
    return copy.deepcopy(model).half().eval()
""",
        rejected_by="test_convert_keeps_normalization_in_float32",
        says="float16",
    ),
    WrongAnswer(
        "convert: .half(), then .float() on the norms",
        """
import copy
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
def convert_to_fp16(model):
    model16 = copy.deepcopy(model).half().eval()
    for module in model16.modules():
        if isinstance(module, (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, _NormBase)):
            module.float()
    return model16
""",
        rejected_by="test_convert_keeps_normalization_in_float32",
        says="a detour through float16 costs their digits",
    ),
    WrongAnswer(
        "convert: the FAQ's quantize_dynamic",
        """
import torch
def convert_to_fp16(model):
    layers = {torch.nn.Linear}
    return torch.ao.quantization.quantize_dynamic(model, layers, dtype=torch.float16).eval()
""",
        rejected_by="test_convert_makes_matmul_weights_float16",
        says="float32",
    ),
    WrongAnswer(
        "convert: decoy, rounded to float16 but stored as float32",
        convert("""
def round_tensor(name, module, key, tensor):
    if tensor.is_floating_point():
        tensor.data = tensor.data.half().float()
"""),
        rejected_by="test_convert_makes_matmul_weights_float16",
        says="float32",
    ),
    WrongAnswer(
        "convert: decoy, float16 beside a hidden float32 copy",
        convert("""
def round_tensor(name, module, key, tensor):
    if tensor.is_floating_point():
        module.register_buffer(key + "_fp32", tensor.data.clone())
        tensor.data = tensor.data.half()
"""),
        rejected_by="test_convert_halves_the_checkpoint",
        says="float32 is still stored",
    ),
    WrongAnswer(
        "convert: bfloat16 instead of float16",
        convert("""
def round_tensor(name, module, key, tensor):
    if tensor.is_floating_point():
        tensor.data = tensor.data.bfloat16()
"""),
        rejected_by="test_convert_makes_matmul_weights_float16",
        says="bfloat16",
    ),
    WrongAnswer(
        "convert: Linear layers only",
        convert("""
inner = round_tensor
def round_tensor(name, module, key, tensor):
    if isinstance(module, nn.Linear):
        inner(name, module, key, tensor)
"""),
        rejected_by="test_convert_makes_matmul_weights_float16",
        says="convert_to_fp16(Embedding)",
    ),
    WrongAnswer(
        "convert: weights without their biases",
        convert("""
inner = round_tensor
def round_tensor(name, module, key, tensor):
    if key != "bias":
        inner(name, module, key, tensor)
"""),
        rejected_by="test_convert_makes_matmul_weights_float16",
        says="bias",
    ),
    WrongAnswer(
        "convert: every floating tensor, integers included",
        convert("""
def round_tensor(name, module, key, tensor):
    tensor.data = tensor.data.half()
"""),
        rejected_by="test_convert_takes_other_floats_along_and_leaves_integers",
        says="order",
    ),
    WrongAnswer(
        "convert: parameters only, buffers forgotten",
        convert("""
inner = round_tensor
def round_tensor(name, module, key, tensor):
    if isinstance(tensor, nn.Parameter):
        inner(name, module, key, tensor)
"""),
        rejected_by="test_convert_takes_other_floats_along_and_leaves_integers",
        says="gain",
    ),
    WrongAnswer(
        "convert: a new parameter for every name",
        convert("""
def round_tensor(name, module, key, tensor):
    if not tensor.is_floating_point():
        return
    if (tensor.isfinite() & ~tensor.half().isfinite()).any():
        raise ValueError(name)
    half = tensor.data.half()
    is_parameter = isinstance(tensor, nn.Parameter)
    setattr(module, key, nn.Parameter(half) if is_parameter else half)
"""),
        rejected_by="test_convert_keeps_tied_weights_tied",
        says="two parameters",
    ),
    WrongAnswer(
        "convert: forget eval mode",
        convert("""
def start(model):
    return copy.deepcopy(model)
"""),
        rejected_by="test_convert_returns_eval_mode",
        says="training flags",
    ),
    WrongAnswer(
        "convert: the source into eval mode, too",
        convert("""
def start(model):
    return copy.deepcopy(model.eval())
"""),
        rejected_by="test_convert_leaves_the_source_untouched",
        says="training",
    ),
    WrongAnswer(
        "convert: a shallow copy that shares the tensors",
        convert("""
def start(model):
    return copy.copy(model).eval()
"""),
        rejected_by="test_convert_leaves_the_source_untouched",
        says="changed",
    ),
    WrongAnswer(
        "convert: norms recognized by their exact class",
        convert("""
def is_norm(module):
    return type(module) in (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.BatchNorm1d,
                            nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm1d)
"""),
        rejected_by="test_convert_keeps_normalization_in_float32",
        says="a subclass of LayerNorm",
    ),
    WrongAnswer(
        "convert: LayerNorm and RMSNorm only",
        convert("""
def is_norm(module):
    return isinstance(module, (nn.LayerNorm, nn.RMSNorm))
"""),
        rejected_by="test_convert_keeps_normalization_in_float32",
        says="GroupNorm",
    ),
    WrongAnswer(
        "convert: nothing at the seam, as the CPU accepts it",
        convert("""
def at_norm(module):
    pass
"""),
        rejected_by="test_convert_gives_norms_float32_and_hands_float16_on",
        says="CUDA's LayerNorm refuses",
    ),
    WrongAnswer(
        "convert: float32 in, and float32 out of the norm",
        convert("""
def at_norm(module):
    module.register_forward_pre_hook(widen)
"""),
        rejected_by="test_convert_gives_norms_float32_and_hands_float16_on",
        says="refuses a float32 input",
    ),
    WrongAnswer(
        "convert: let a large weight become inf",
        convert("""
def round_tensor(name, module, key, tensor):
    if tensor.is_floating_point():
        tensor.data = tensor.data.half()
"""),
        rejected_by="test_convert_refuses_weights_beyond_float16",
        says="nothing raised",
    ),
    WrongAnswer(
        "convert: clamp a large weight to 65504",
        convert("""
def round_tensor(name, module, key, tensor):
    if tensor.is_floating_point():
        tensor.data = tensor.data.clamp(-65504, 65504).half()
"""),
        rejected_by="test_convert_takes_other_floats_along_and_leaves_integers",
        says="bias_mask",
    ),
    WrongAnswer(
        "convert: refuse 65519, which rounds to 65504",
        convert("""
def round_tensor(name, module, key, tensor):
    if not tensor.is_floating_point():
        return
    if (tensor.isfinite() & (tensor.abs() > 65504)).any():
        raise ValueError(name)
    tensor.data = tensor.data.half()
"""),
        rejected_by="test_convert_refuses_weights_beyond_float16",
        says="raised ValueError",
    ),
    WrongAnswer(
        "convert: refuse the inf of a mask",
        convert("""
def round_tensor(name, module, key, tensor):
    if not tensor.is_floating_point():
        return
    tensor.data = tensor.data.half()
    if not tensor.isfinite().all():
        raise ValueError(name)
"""),
        rejected_by="test_convert_takes_other_floats_along_and_leaves_integers",
        says="raised ValueError",
    ),
    WrongAnswer(
        "logits: return float16",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        return model16(x.half() if x.is_floating_point() else x)
""",
        rejected_by="test_logits_are_the_models_float16_outputs_in_float32",
        says="float16",
    ),
    WrongAnswer(
        "logits: token ids to float16",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        return model16(x.half()).float()
""",
        rejected_by="test_logits_casts_floats_and_leaves_integers",
        says="it received torch.float16",
    ),
    WrongAnswer(
        "logits: pass float32 to float16 weights",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        return model16(x).float()
""",
        rejected_by="test_logits_are_the_models_float16_outputs_in_float32",
        says="same dtype",
    ),
    WrongAnswer(
        "logits: run a float32 copy of the model",
        """
import copy, torch
def predict_logits(model16, x):
    with torch.no_grad():
        return copy.deepcopy(model16).float()(x.float() if x.is_floating_point() else x)
""",
        rejected_by="test_logits_are_the_models_float16_outputs_in_float32",
        says="the model ran in float32",
    ),
    WrongAnswer(
        "logits: clamp to float16's range",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        y = model16(x.half() if x.is_floating_point() else x).float()
        return y.clamp(-65504, 65504)
""",
        rejected_by="test_logits_overflow_stays_visible",
        says="hides the overflow",
    ),
    WrongAnswer(
        "logits: NaN from scaling by the largest logit",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        y = model16(x.half() if x.is_floating_point() else x).float()
        top = y.abs().amax(-1, keepdim=True) if y.numel() else 1
        return y / top * top
""",
        rejected_by="test_logits_of_empty_batched_and_strided_inputs",
        says="NaN",
    ),
    WrongAnswer(
        "logits: with a graph",
        """
def predict_logits(model16, x):
    return model16(x.half() if x.is_floating_point() else x).float()
""",
        rejected_by="test_logits_build_no_graph",
        says="requires_grad True",
    ),
    WrongAnswer(
        "logits: gradients switched off for the model",
        """
def predict_logits(model16, x):
    model16.requires_grad_(False)
    return model16(x.detach().half() if x.is_floating_point() else x).float()
""",
        rejected_by="test_logits_leave_model_and_input_as_they_were",
        says="changed",
    ),
    WrongAnswer(
        "logits: convert the caller's x",
        """
import torch
def predict_logits(model16, x):
    with torch.no_grad():
        if x.is_floating_point():
            x.data = x.data.half()
        return model16(x).float()
""",
        rejected_by="test_logits_leave_model_and_input_as_they_were",
        says="changed",
    ),
    WrongAnswer(
        "logits: eval mode for good",
        """
import torch
def predict_logits(model16, x):
    model16.eval()
    with torch.no_grad():
        return model16(x.half() if x.is_floating_point() else x).float()
""",
        rejected_by="test_logits_leave_model_and_input_as_they_were",
        says="training",
    ),
    WrongAnswer(
        "proba: softmax in float16, cast afterwards",
        """
import torch
def predict_proba(model16, x):
    with torch.no_grad():
        return model16(x.half() if x.is_floating_point() else x).softmax(-1).float()
""",
        rejected_by="test_proba_softmax_runs_in_float32",
        says="float16 is zero below 3e-8",
    ),
    WrongAnswer(
        "proba: exp without subtracting the largest logit",
        """
def predict_proba(model16, x):
    power = predict_logits(model16, x).exp()
    return power / power.sum(-1, keepdim=True)
""",
        rejected_by="test_proba_survives_large_logits",
        says="NaN",
    ),
    WrongAnswer(
        "proba: softmax over dimension 1",
        """
def predict_proba(model16, x):
    return predict_logits(model16, x).softmax(1)
""",
        rejected_by="test_proba_normalizes_the_last_dimension",
        says="[2, 3, 4]",
    ),
    WrongAnswer(
        "proba: softmax over the batch",
        """
def predict_proba(model16, x):
    return predict_logits(model16, x).softmax(0)
""",
        rejected_by="test_proba_rows_are_float32_distributions",
        says="sum(-1)",
    ),
    WrongAnswer(
        "proba: log-probabilities",
        """
def predict_proba(model16, x):
    return predict_logits(model16, x).log_softmax(-1)
""",
        rejected_by="test_proba_rows_are_float32_distributions",
        says="between 0 and 1",
    ),
    WrongAnswer(
        "proba: float64",
        """
def predict_proba(model16, x):
    return predict_logits(model16, x).double().softmax(-1)
""",
        rejected_by="test_proba_rows_are_float32_distributions",
        says="float64",
    ),
    WrongAnswer(
        "proba: hard-coded for the published logits",
        """
import torch
def predict_proba(model16, x):
    return torch.tensor([0.0, -12.0, -17.0, -18.0]).softmax(-1).expand(*x.shape[:-1], 4)
""",
        rejected_by="test_proba_normalizes_the_last_dimension",
        says="off by",
    ),
    WrongAnswer(
        "end the process before a check can fail",
        """
import sys
def convert_to_fp16(model):
    sys.exit(0)
""",
        rejected_by=None,
        says="sys.exit",
    ),
]

RIGHT = [
    RightAnswer(
        ".half() on a copy, norms put back from the source",
        """
import copy
import torch
from torch import nn

def convert_to_fp16(model):
    norms = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)
    kept = {name for name, m in model.named_modules() if isinstance(m, norms)}
    state = model.state_dict()
    for name, tensor in state.items():
        owner = name.rpartition(".")[0]
        if owner not in kept and tensor.is_floating_point():
            if (tensor.half().isinf() & ~tensor.isinf()).any():
                raise ValueError(f"{name} does not fit float16")
    copied = copy.deepcopy(model).half()
    for name in kept:
        target, source = copied.get_submodule(name), model.get_submodule(name)
        target.float()
        target.load_state_dict(source.state_dict())
        target.register_forward_pre_hook(lambda module, args: (args[0].float(),))
        target.register_forward_hook(lambda module, args, out: out.to(torch.float16))
    return copied.train(False)

@torch.inference_mode()
def predict_logits(model16, x):
    if torch.is_floating_point(x):
        x = x.to(torch.float16)
    return model16(x).to(torch.float32)

def predict_proba(model16, x):
    return torch.softmax(predict_logits(model16, x), dim=-1, dtype=torch.float32)
""",
    ),
    RightAnswer(
        "recursion over children, with a wrapped forward at the norms",
        """
import copy
import torch
from torch import nn

class Seam:
    def __init__(self, norm):
        self.inner = norm.forward
    def __call__(self, x):
        return self.inner(x.float()).half()

def low(name, tensor, memo):
    if id(tensor) not in memo:
        half = tensor.detach().to(torch.float16)
        if not torch.equal(half.isinf(), tensor.isinf()):
            raise ValueError(f"{name}: beyond 65504")
        # The old tensor is kept alive beside the new one, so its id stays its own.
        memo[id(tensor)] = tensor, nn.Parameter(half) if tensor.requires_grad else half
    return memo[id(tensor)][1]

def visit(module, path, memo):
    if isinstance(module, (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)):
        if not isinstance(module.forward, Seam):
            module.forward = Seam(module)
        return
    for table in (module._parameters, module._buffers):
        for key, tensor in table.items():
            if tensor is not None and tensor.dtype == torch.float32:
                table[key] = low(path + key, tensor, memo)
    for name, child in module.named_children():
        visit(child, f"{path}{name}.", memo)

def convert_to_fp16(model):
    copied = copy.deepcopy(model)
    copied.eval()
    visit(copied, "", {})
    return copied

def predict_logits(model16, x):
    x = x.detach().to(torch.float16) if x.dtype.is_floating_point else x
    with torch.set_grad_enabled(False):
        return model16(x).float()

def predict_proba(model16, x):
    return torch.exp(predict_logits(model16, x).log_softmax(-1))
""",
    ),
    RightAnswer(
        "a max-shifted softmax by hand, and predict without the library's",
        """
import torch

def predict_logits(model16, x):
    inputs = {True: torch.Tensor.half, False: torch.Tensor.clone}[x.is_floating_point()](x)
    with torch.no_grad():
        return model16(inputs).detach().type(torch.float32)

def predict_proba(model16, x):
    logits = predict_logits(model16, x)
    power = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    return power / power.sum(dim=-1, keepdim=True)
""",
    ),
]
