"""Right answers to evaluation/accuracy_report, each in its own style."""

from halfbits.course.authoring.contract import swap

COUNT = "right += _count_equal(_predictions(model(x)), y)"
KL = "(log_p.exp() * (log_p - log_q)).sum().item()"
LOOPED = "right += sum(bool(p == t) for p, t in zip(_predictions(model(x)), y))"

RIGHT = {
    "evaluate: inference_mode as a decorator, row by row": """
@torch.inference_mode()
def evaluate(model, loader):
    state = {name: module.training for name, module in model.named_modules()}
    scores = []
    try:
        model.eval()
        for x, y in loader:
            scores += [
                bool(not row.isnan().any() and int(row.argmax()) == int(label))
                for row, label in zip(model(x).double(), y)
            ]
    finally:
        for name, module in model.named_modules():
            module.training = state[name]
    return float(sum(scores) / len(scores)) if scores else 0.0
""",
    "compare: collect the logits of one pass, then compute with numpy": """
from contextlib import ExitStack
import numpy as np
def _later(stack, model):
    for module in model.modules():
        stack.callback(setattr, module, "training", module.training)
    model.eval()
def compare(fp32, quant, loader):
    left, right, labels = [], [], []
    with ExitStack() as stack, torch.inference_mode():
        _later(stack, fp32)
        _later(stack, quant)
        for x, y in loader:
            left.extend(fp32(x).to(torch.float64).tolist())
            right.extend(quant(x).to(torch.float64).tolist())
            labels.extend(y.tolist())
    n = len(labels)
    if not n:
        nothing = dict.fromkeys(("acc_fp32", "acc_quant", "delta", "agreement"), 0.0)
        return {**nothing, "flip_rate": 0.0, "sqnr_db": 0.0, "kl": 0.0, "n": 0}
    a, b, y = np.array(left), np.array(right), np.array(labels)
    sound_a, sound_b = ~np.isnan(a).any(1), ~np.isnan(b).any(1)
    acc_a = float(np.mean((a.argmax(1) == y) & sound_a))
    acc_b = float(np.mean((b.argmax(1) == y) & sound_b))
    same = float(np.mean((a.argmax(1) == b.argmax(1)) & sound_a & sound_b))
    with np.errstate(all="ignore"):
        log_p = a - a.max(1, keepdims=True)
        log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
        log_q = b - b.max(1, keepdims=True)
        log_q -= np.log(np.exp(log_q).sum(1, keepdims=True))
        sqnr = float(10 * np.log10(np.sum(a * a) / np.sum(np.square(a - b))))
        kl = float(np.mean(np.sum(np.exp(log_p) * (log_p - log_q), 1)))
    return {
        "acc_fp32": acc_a,
        "acc_quant": acc_b,
        "delta": acc_b - acc_a,
        "agreement": same,
        "flip_rate": 1.0 - same,
        "sqnr_db": sqnr,
        "kl": kl,
        "n": n,
    }
""",
    "compare: kl_div": swap(
        *("compare", KL, "F.kl_div(log_q, log_p, reduction='sum', log_target=True).item()"),
    ),
    "evaluate: one loop over rows": swap("evaluate", COUNT, LOOPED),
}
