"""Wrong answers to methods/sensitivity: each is one misconception."""

BASE = "p = model(x).log_softmax(-1)"
LAYERS = "for name, layer in model.named_modules():"
KEPT = "kept = layer.weight.clone()"
QUANTIZED = "layer.weight.copy_(quantize(kept))"
OTHER = "q = model(x).log_softmax(-1)"
FINALLY = "finally:  # the next layer is measured in the original"
RESTORED = "                layer.weight.copy_(kept)"
KL = "(p.exp() * (p - q)).sum(-1).mean().item()"

EQUIVALENT = {
    "found[name] = (p.exp() * (p - q)).sum(-1).mean()": "a tensor of one number is a number, too",
}

WRONG = {
    "test_each_layer_is_quantized_alone": [
        ("each on top of the last", "left as it was", RESTORED, "                pass"),
        (
            "from the model to the original",
            "left behind",
            KL,
            "(q.exp() * (q - p)).sum(-1).mean().item()",
        ),
        ("bits, not nats", "left behind", KL, f"{KL} / torch.log(torch.tensor(2.0)).item()"),
        ("squared logits", "left behind", KL, "(p - q).square().sum(-1).mean().item()"),
        (
            "the original measured at the end",
            "left behind",
            OTHER,
            f"{OTHER}\n                p = q",
        ),
        (
            "all layers but one",
            "left behind",
            QUANTIZED,
            "whole = [m for m in model.modules() if isinstance(m, nn.Linear) and m is not layer]\n"
            "                before = [m.weight.clone() for m in whole]\n"
            "                for m in whole:\n"
            "                    m.weight.copy_(quantize(m.weight))",
            "            finally:  # the next layer is measured in the original",
            "                for m, w in zip(whole, before, strict=True):\n"
            "                    m.weight.copy_(w)\n"
            "            finally:",
        ),
        (
            "1 - agreement",
            "left behind",
            KL,
            "(p.argmax(-1) != q.argmax(-1)).double().mean().item()",
        ),
        (
            "the error of the weights",
            "left behind",
            KL,
            "(quantize(kept) - kept).square().mean().item()",
        ),
        (
            "the relative error of the weights",
            "left behind",
            KL,
            "((quantize(kept) - kept).norm() / kept.norm()).item()",
        ),
    ],
    "test_layers_are_found_at_any_depth": [
        (
            "layers of exactly this class",
            "names",
            "isinstance(layer, nn.Linear)",
            "type(layer) is nn.Linear",
        ),
        (
            "measured in eval mode",
            "expected",
            BASE,
            f"modes = [(m, m.training) for m in model.modules()]\n    model.eval()\n    {BASE}",
            "return found",
            "for m, mode in modes:\n        m.training = mode\n    return found",
        ),
        ("the children alone", "names", LAYERS, LAYERS.replace("named_modules", "named_children")),
        ("short names", "names", "found[name] =", 'found[name.split(".")[-1]] ='),
        (
            "all that has a weight",
            "names",
            "if isinstance(layer, nn.Linear):",
            'if getattr(layer, "weight", None) is not None:',
        ),
        (
            "names of parameters",
            "names",
            "found[name] =",
            'found[f"{name}.weight"] =',
        ),
        (
            "layers with a bias alone",
            "names",
            "if isinstance(layer, nn.Linear):",
            "if isinstance(layer, nn.Linear) and layer.bias is not None:",
        ),
        (
            "the bias as well",
            "off by",
            QUANTIZED,
            "bias = None if layer.bias is None else layer.bias.clone()\n"
            "                if bias is not None:\n"
            "                    layer.bias.copy_(quantize(bias))\n"
            "                layer.weight.copy_(quantize(kept))",
            RESTORED,
            f"{RESTORED}\n"
            "                if bias is not None:\n"
            "                    layer.bias.copy_(bias)",
        ),
    ],
    "test_mean_is_over_all_but_the_classes": [
        ("a sum over the tokens", "grows with the text", KL, KL.replace(".mean()", ".sum()")),
        (
            "a mean over the rows alone",
            "grows with the text",
            KL,
            "(p.exp() * (p - q)).flatten(1).sum(-1).mean().item()",
        ),
        ("a mean over the classes too", "grows with the text", KL, KL.replace(".sum(-1)", "")),
        (
            "the last token alone",
            "grows with the text",
            KL,
            KL.replace(".sum(-1)", ".sum(-1)[..., -1]"),
        ),
    ],
    "test_left_leaves_each_part_of_the_model_alone": [
        (
            "no copy is kept",
            "left as it was",
            KEPT,
            "kept = layer.weight",
        ),
        (
            "the quantized weight is put back",
            "left as it was",
            RESTORED,
            RESTORED.replace("(kept)", "(quantize(kept))"),
        ),
        (
            "one mode for all layers",
            "left as it was",
            BASE,
            f"was = model.training\n    model.eval()\n    {BASE}",
            "return found",
            "model.train(was)\n    return found",
        ),
        ("evaluation mode stays", "left as it was", BASE, f"model.eval()\n    {BASE}"),
        (
            "gradients stay off",
            "left as it was",
            KEPT,
            f"{KEPT}\n            layer.requires_grad_(False)",
        ),
        (
            "a hook stays",
            "left as it was",
            KEPT,
            f"{KEPT}\n            layer.register_forward_hook(lambda *a: None)",
        ),
    ],
    "test_model_comes_back_after_an_exception": [
        (
            "restores only at the end",
            "left as it was",
            "            try:",
            "            if True:",
            FINALLY,
            "if True:",
            QUANTIZED,
            "layer.weight.zero_()\n                layer.weight.copy_(quantize(kept))",
        ),
        (
            "an interrupt leaves a hook",
            "left as it was",
            FINALLY,
            "except KeyboardInterrupt:\n"
            "                model.register_forward_hook(lambda *a: None)\n"
            "                raise\n"
            "            finally:",
        ),
        (
            "swallows the exception",
            "nothing raised",
            FINALLY,
            "except Exception:\n                q = p\n            finally:",
        ),
    ],
}
