"""How much a model suffers from rounding one of its matrices: cheap predictors, and the truth.

With d = Q(w) - w the rounding error of one matrix, to second order around a trained model

    KL(model || rounded) a token  ~  1/2 d^T F d,      F = E[g g^T], g = gradient of -log p(label)

with labels drawn from the model itself: then F, the Fisher information, is the KL's curvature. With
the text's labels it is something else (Kunstner et al., 2019). The predictors, from least to most:

    weight_error      |d|^2: every weight counts the same
    output_error      tr(D H D^T), the output's error; relative: over tr(W H W^T). Outputs of
                      different layers have different units, and nothing says what they do next
    fisher            1/2 sum F_ii d_i^2, the diagonal of F: in nats a token
    hutchinson        mean(H_ii) |d|^2 of the loss's Hessian, by probes v of random signs:
                      tr H = E[v^T H v] (HAWQ-V2, Dong et al., 2020)
    divergence_alone  the truth: KL with this matrix alone rounded; one evaluation each
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from halfbits.evaluate import kl_divergence
from halfbits.methods.calibration import block_by_block, linears_of, output_error
from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears
from halfbits.quantize import Quantized

Quantizer = Callable[[Tensor], Quantized]
Scores = dict[str, float]


def weight_error(model: Llama, quantizer: Quantizer, relative: bool = False) -> Scores:
    """|d|^2, or |d|^2 / |w|^2, of every block matrix by name."""
    return {
        name: (error.square().sum() / (layer.weight.square().sum() if relative else 1)).item()
        for (name, layer), error in zip(
            block_linears(model), errors(model, quantizer).values(), strict=True
        )
    }


@torch.no_grad()
def measured_output_error(
    model: Llama, calibration: Tensor, quantizer: Quantizer, relative: bool = False
) -> Scores:
    """tr(D H D^T), or its share of tr(W H W^T), on the inputs of the unquantized model.

    `calibration` is int64 [sequences, tokens].
    """
    scores = {}
    for index, block, seen in block_by_block(model, calibration):
        for name, layer in linears_of(block):
            moment, zero = seen[name].moment, torch.zeros_like(layer.weight)
            lossy = quantizer(layer.weight).dequantize()
            whole = output_error(layer.weight, zero, moment).sum() if relative else 1
            lost = output_error(layer.weight, lossy, moment).sum() / whole
            scores[f"layers.{index}.{name}"] = lost.item()
    return scores


def fisher(model: Llama, calibration: Tensor, quantizer: Quantizer, seed: int = 0) -> Scores:
    """1/2 sum_i F_ii d_i^2 in nats a token, on text [sequences, tokens]: the KL to second order
    without correlations.
    """
    diagonal = fisher_diagonal(model, calibration, seed)
    return {
        name: 0.5 * (diagonal[name] * error.double().square()).sum().item()
        for name, error in errors(model, quantizer).items()
    }


def fisher_diagonal(model: Llama, calibration: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """F_ii a token of every block matrix, float64 [out, in], with one label a token drawn from the
    model.

    One gradient a sequence: labels are drawn independently given the text, so that the square of
    the sum of the tokens' gradients has the sum of their squares as its mean.
    """
    draw = torch.Generator().manual_seed(seed)
    model = copy.deepcopy(model)
    layers = _trainable(model)
    total = {name: torch.zeros_like(w, dtype=torch.float64) for name, w in layers.items()}
    for row in calibration.split(1):
        logits = model(row).flatten(0, 1)
        labels = torch.multinomial(logits.detach().softmax(-1), 1, generator=draw)[:, 0]
        loss = F.cross_entropy(logits, labels, reduction="sum")
        for name, grad in zip(
            layers, torch.autograd.grad(loss, list(layers.values())), strict=True
        ):
            total[name] += grad.double().square()
    return {name: part / calibration.numel() for name, part in total.items()}


def hutchinson(
    model: Llama, calibration: Tensor, quantizer: Quantizer, probes: int = 8, seed: int = 0
) -> Scores:
    """mean(H_ii) |d|^2 by name, on text [sequences, tokens]. A trace is a mean over few probes: it
    may come out negative.
    """
    traces = hessian_traces(model, calibration, probes, seed)
    return {
        name: traces[name] / error.numel() * error.square().sum().item()
        for name, error in errors(model, quantizer).items()
    }


def hessian_traces(model: Llama, calibration: Tensor, probes: int, seed: int = 0) -> Scores:
    """tr H of the mean loss on text [sequences, tokens] for each block matrix: mean of v . (H v), v
    of signs.

    H v is the gradient of v . gradient. One product gives all matrices at once: signs of different
    matrices are independent, and what they mix has mean 0.
    """
    draw = torch.Generator().manual_seed(seed)
    model = copy.deepcopy(model)
    layers = _trainable(model)
    weights = list(layers.values())
    totals = dict.fromkeys(layers, 0.0)
    # The fused attention kernels have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        for _ in range(probes):
            signs = [torch.randint(2, w.shape, generator=draw).to(w.dtype) * 2 - 1 for w in weights]
            for batch in calibration.split(8):
                share = len(batch) / len(calibration) / probes
                loss = F.cross_entropy(model(batch)[:, :-1].flatten(0, 1), batch[:, 1:].flatten())
                grads = torch.autograd.grad(loss, weights, create_graph=True)
                along = torch.stack(
                    [(g * v).sum() for g, v in zip(grads, signs, strict=True)]
                ).sum()
                products = torch.autograd.grad(along, weights)
                for name, v, product in zip(layers, signs, products, strict=True):
                    totals[name] += share * (v * product).sum().item()
    return totals


@torch.no_grad()
def divergence_alone(model: Llama, base: Tensor, windows: Tensor, quantizer: Quantizer) -> Scores:
    """KL in nats a token of the model with one matrix rounded, on windows int64 [w, context + 1].

    `base` float32 [w, n, vocabulary] is `log_probabilities(model, windows, n)`.
    """
    scores, lossy = {}, copy.deepcopy(model)
    for name, layer in block_linears(lossy):
        kept = layer.weight.clone()
        layer.weight.copy_(quantizer(kept).dequantize())
        scores[name] = kl_divergence(base, lossy, windows).value
        layer.weight.copy_(kept)
    return scores


def errors(model: Llama, quantizer: Quantizer) -> dict[str, Tensor]:
    """d = Q(w) - w, [out, in], of every block matrix by name."""
    return {
        name: quantizer(layer.weight).dequantize() - layer.weight.detach()
        for name, layer in block_linears(model)
    }


def rank_correlation(first: Scores, second: Scores) -> float:
    """Spearman's: the correlation of the ranks of two scores; ties keep the order of the names."""
    names = list(first)
    ranks = [
        torch.tensor([scores[name] for name in names]).argsort(stable=True).argsort().double()
        for scores in (first, second)
    ]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()


def _trainable(model: Llama) -> dict[str, Tensor]:
    """The block matrices by name, asked to keep what gradients need."""
    return {name: layer.weight.requires_grad_() for name, layer in block_linears(model)}
