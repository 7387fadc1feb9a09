"""Train the tiny language model and write it as a standard Llama checkpoint.

On a GPU, after benchmarks/build_corpus.py: `python -m benchmarks.train_tiny_lm --out FOLDER`
(under 10 minutes on an H100). `--smoke` trains a toy on the CPU in seconds, on the held-out text.
FOLDER then holds config.json, generation_config.json, the tokenizer, the float32 shards with
their index, checksums.json, and training.json: recipe, loss curve, hardware, versions, date.
The committed artifact is such a folder with the texts and notices added (`write_checksums` again)
and training.json kept as book/data/tiny_lm.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import lzma
import math
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tokenizers
import torch
from safetensors.torch import save_file
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.models.checkpoint import write_checksums
from halfbits.models.llama import Llama, LlamaConfig

END = "<|endoftext|>"
ROOT = Path(__file__).resolve().parents[1]
HELD_OUT = ROOT / "halfbits" / "models" / "tiny_lm" / "heldout.txt"
CORPUS = ROOT / ".corpus" / "train.txt.xz"
SHARD_BYTES = 15_000_000


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, but for the order of the GPU's sums."""

    model: LlamaConfig
    steps: int
    batch: int
    context: int = 512
    peak_lr: float = 3e-3
    warmup: int = 300
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0
    seed: int = 0


FULL = Recipe(LlamaConfig(4096, 256, 704, 6, 8, 2, 32, 512), steps=23_000, batch=128)
TOY = Recipe(LlamaConfig(512, 32, 64, 1, 4, 2, 8, 64), steps=40, batch=8, context=64, warmup=5)


def train_tokenizer(documents: list[str], vocab_size: int) -> tokenizers.Tokenizer:
    """Byte-level BPE; END is token 0."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def encode(tokenizer: tokenizers.Tokenizer, documents: list[str]) -> np.ndarray:
    """uint16 ids of all documents, an END before each."""
    rows = tokenizer.encode_batch_fast(documents)
    return np.concatenate([np.array([0, *row.ids], np.uint16) for row in rows])


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of the peak."""
    if step < recipe.warmup:
        return recipe.peak_lr * (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.peak_lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))


def optimizer_for(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; norm weights (vectors) do not decay."""
    parts = list(model.parameters())
    groups = [
        {"params": [p for p in parts if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parts if p.ndim == 1], "weight_decay": 0.0},
    ]
    fused = parts[0].is_cuda
    return torch.optim.AdamW(groups, lr=recipe.peak_lr, betas=recipe.betas, fused=fused)


def initialize(model: Llama, seed: int) -> None:
    """Normal(0, 0.02); the two matrices that write to the residual stream are scaled by depth."""
    torch.manual_seed(seed)
    depth = math.sqrt(2 * model.config.num_hidden_layers)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            writes = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(parameter, std=0.02 / depth if writes else 0.02)


def batches(ids: Tensor, recipe: Recipe) -> Iterator[Tensor]:
    """int64 [batch, context + 1] windows at random places, drawn from the recipe's seed."""
    draw = torch.Generator().manual_seed(recipe.seed)
    reach = torch.arange(recipe.context + 1)
    while True:
        starts = torch.randint(len(ids) - recipe.context - 1, (recipe.batch,), generator=draw)
        yield ids[(starts[:, None] + reach).to(ids.device)].long()


@torch.no_grad()
def held_out_loss(model: nn.Module, ids: Tensor, context: int) -> float:
    """Mean loss in nats a token over whole windows, without overlap."""
    count = (len(ids) - 1) // context
    rows = [ids[i * context : (i + 1) * context + 1] for i in range(count)]
    windows = torch.stack(rows).long()
    parts = [
        F.cross_entropy(model(w[:, :-1]).float().flatten(0, 1), w[:, 1:].flatten(), reduction="sum")
        for w in windows.split(32)
    ]
    return float(sum(parts)) / (count * context)


def train(recipe: Recipe, ids: Tensor, held: Tensor, every: int) -> tuple[Llama, list[dict]]:
    """Run the recipe; the curve has the mean training loss of each `every` steps."""
    device = ids.device
    model = Llama(recipe.model)
    initialize(model, recipe.seed)
    model.to(device)
    run = torch.compile(model) if device.type == "cuda" else model
    optimizer = optimizer_for(model, recipe)
    curve: list[dict] = []
    total = torch.zeros((), device=device)
    began = time.perf_counter()
    for step, window in zip(range(recipe.steps), batches(ids, recipe), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = run(window[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), window[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        total += loss.detach()
        if (step + 1) % every == 0:
            row = {"step": step + 1, "train_loss": round(total.item() / every, 4)}
            if (step + 1) % (10 * every) == 0 or step + 1 == recipe.steps:
                row["held_out_loss"] = round(held_out_loss(model, held, recipe.context), 4)
            curve.append(row)
            print(row, f"{time.perf_counter() - began:.0f} s", flush=True)
            total.zero_()
    return model.eval(), curve


def hub_config(config: LlamaConfig) -> dict:
    """config.json as transformers reads it."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **asdict(config),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "dtype": "float32",
        "use_cache": True,
    }


def write_json(path: Path, table: dict) -> None:
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def write_weights(model: Llama, out: Path) -> None:
    """Float32 shards of at most SHARD_BYTES and their index, under Hugging Face's names."""
    shards: list[dict[str, Tensor]] = [{}]
    used = 0
    for name, value in model.named_parameters():
        if used + value.nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            used = 0
        shards[-1][f"model.{name}"] = value.detach().float().cpu().contiguous()
        used += value.nbytes
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, out / file, metadata={"format": "pt"})
        places |= dict.fromkeys(shard, file)
    size = sum(p.nbytes for p in model.parameters())
    write_json(
        out / "model.safetensors.index.json",
        {"metadata": {"total_size": size}, "weight_map": places},
    )


def write_checkpoint(
    out: Path, model: Llama, tokenizer: tokenizers.Tokenizer, training: dict
) -> None:
    """Everything that `load_tiny_lm` and transformers read, and the SHA-256 of each file."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    write_json(out / "config.json", hub_config(model.config))
    write_json(out / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 0})
    write_json(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": END,
            "eos_token": END,
            "model_max_length": model.config.max_position_embeddings,
            "clean_up_tokenization_spaces": False,
        },
    )
    write_weights(model, out)
    write_checksums(out)
    write_json(out / "training.json", training)


def hardware(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "CPU"


def run(recipe: Recipe, train_text: str, held_text: str, out: Path, every: int) -> dict:
    """Tokenizer, training, checkpoint; returns what training.json says."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.perf_counter()
    documents, held_documents = train_text.split(END), held_text.split(END)
    tokenizer = train_tokenizer(documents, recipe.model.vocab_size)
    ids = torch.from_numpy(encode(tokenizer, documents).astype(np.int32)).to(device)
    held = torch.from_numpy(encode(tokenizer, held_documents).astype(np.int32)).to(device)
    print(f"{len(ids):,} tokens, {time.perf_counter() - began:.0f} s", flush=True)
    started = time.perf_counter()
    model, curve = train(recipe, ids, held, every)
    training = {
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "train_tokens": len(ids),
        "train_bytes": len(train_text.encode()),
        "tokens_seen": recipe.steps * recipe.batch * recipe.context,
        "held_out_tokens": len(held),
        "held_out_loss": curve[-1]["held_out_loss"],
        "training_seconds": round(time.perf_counter() - started),
        "hardware": hardware(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "tokenizers": tokenizers.__version__,
        "date": datetime.date.today().isoformat(),
        "curve": curve,
    }
    write_checkpoint(out, model, tokenizer, training)
    print({k: v for k, v in training.items() if k not in ("curve", "recipe")}, flush=True)
    return training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--smoke", action="store_true", help="a toy on the CPU, in seconds")
    parser.add_argument("--steps", type=int, help="another number of steps than the recipe's")
    parser.add_argument("--batch", type=int, help="another batch size than the recipe's")
    given = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    held_text = HELD_OUT.read_text(encoding="utf-8")
    if given.smoke:
        run(TOY, held_text[:200_000], held_text[-20_000:], given.out, every=20)
        return
    changes = {k: v for k, v in (("steps", given.steps), ("batch", given.batch)) if v}
    train_text = lzma.decompress(CORPUS.read_bytes()).decode("utf-8")
    run(replace(FULL, **changes), train_text, held_text, given.out, every=200)


if __name__ == "__main__":
    main()
