"""Trains the 784-256-10 image classifier on the committed 6,000 images and records how.

Run it as `python -m benchmarks.train_image_mlp`; it needs nothing but the repository. It
writes halfbits/models/image_mlp/model.safetensors and book/data/image_mlp.json. One tenth of
the training images is held out to pick the epoch; the test images are used once, at the end.
Another CPU rounds differently, so a rerun gives a model about as good, not the same bytes.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.models.images import build_image_mlp, load_fashion_mnist

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "halfbits" / "models" / "image_mlp" / "model.safetensors"
RECORD = ROOT / "book" / "data" / "image_mlp.json"
RECIPE: dict[str, Any] = {
    "seed": 20,
    "epochs": 60,
    "batch_size": 100,
    "optimizer": "AdamW",
    "learning_rate": 2e-3,
    "schedule": "cosine to 0",
    "weight_decay": 0.05,
    "hidden_dropout": 0.3,
    "augmentation": "horizontal flip (p = 0.5) and shift by -1, 0 or 1 pixel each way, per batch",
    "held_out": 600,
}


def split_held_out(labels: Tensor, per_class: int) -> tuple[Tensor, Tensor]:
    """Positions to train on and positions held out: the last `per_class` of every class."""
    held_out = torch.cat([torch.nonzero(labels == c).flatten()[-per_class:] for c in range(10)])
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[held_out] = False
    return torch.nonzero(kept).flatten(), held_out


def augment(images: Tensor) -> Tensor:
    """The batch [n, 784] moved by at most one pixel and mirrored with probability one half."""
    square = F.pad(images.view(-1, 28, 28), (1, 1, 1, 1))
    top, left = (int(torch.randint(0, 3, ())) for _ in range(2))
    square = square[:, top : top + 28, left : left + 28]
    mirrored = torch.rand(len(square), 1, 1) < 0.5
    return torch.where(mirrored, square.flip(2), square).reshape(-1, 784)


@torch.no_grad()
def score(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy in nats and top-1 accuracy."""
    logits = model(images)
    accuracy = (logits.argmax(1) == labels).double().mean()
    return float(F.cross_entropy(logits, labels)), float(accuracy)


def train_epoch(
    model: nn.Sequential, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> float:
    """One pass in a fresh order; returns the mean training loss in nats."""
    total = 0.0
    for batch in torch.randperm(len(images)).split(RECIPE["batch_size"]):
        hidden = F.dropout(model[:2](augment(images[batch])), RECIPE["hidden_dropout"])
        loss = F.cross_entropy(model[2](hidden), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(images)


def train(images: Tensor, labels: Tensor) -> tuple[nn.Sequential, list[dict]]:
    """The model of the epoch with the lowest held-out loss, and the curve of all epochs."""
    torch.manual_seed(RECIPE["seed"])
    kept, held_out = split_held_out(labels, RECIPE["held_out"] // 10)
    model = build_image_mlp()
    optimizer = torch.optim.AdamW(
        model.parameters(), RECIPE["learning_rate"], weight_decay=RECIPE["weight_decay"]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, RECIPE["epochs"])
    curve, best = [], (float("inf"), copy.deepcopy(model))
    for epoch in range(1, RECIPE["epochs"] + 1):
        train_loss = train_epoch(model, optimizer, images[kept], labels[kept])
        loss, accuracy = score(model, images[held_out], labels[held_out])
        schedule.step()
        curve.append(
            {
                "epoch": epoch,
                "train_loss": round(train_loss, 4),
                "held_out_loss": round(loss, 4),
                "held_out_accuracy": round(accuracy, 4),
            }
        )
        print(curve[-1])
        if loss < best[0]:
            best = (loss, copy.deepcopy(model))
    return best[1], curve


def environment() -> dict[str, object]:
    """What the figures depend on: versions, CPU capability, threads, date."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def main() -> None:
    """Train, save the weights and write the record."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    model, curve = train(*load_fashion_mnist("train"))
    seconds = time.perf_counter() - started
    test_loss, test_accuracy = score(model, *load_fashion_mnist("test"))
    content = save({name: value.contiguous() for name, value in model.state_dict().items()})
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    WEIGHTS.write_bytes(content)
    record = {
        "what": "784-256-10 MLP on 6,000 Fashion-MNIST images; benchmarks/train_image_mlp.py",
        "sha256": hashlib.sha256(content).hexdigest(),
        "chosen_epoch": min(curve, key=lambda row: row["held_out_loss"])["epoch"],
        "test_accuracy": test_accuracy,
        "test_loss": round(test_loss, 4),
        "train_seconds": round(seconds, 1),
        "recipe": RECIPE,
        "environment": environment(),
        "curve": curve,
    }
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print({key: record[key] for key in ("test_accuracy", "test_loss", "chosen_epoch", "sha256")})


if __name__ == "__main__":
    main()
