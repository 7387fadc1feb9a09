"""The training script runs end to end on a toy and writes a checkpoint that loads."""

from __future__ import annotations

import sys

import pytest
import torch

from halfbits.models.tiny_lm import load_text, load_tiny_lm


@pytest.fixture(scope="module")
def script():
    from benchmarks import train_tiny_lm

    return train_tiny_lm


def test_a_smoke_run_learns_and_its_checkpoint_loads(script, tmp_path, monkeypatch):
    state = torch.get_rng_state()
    monkeypatch.setattr(sys, "argv", ["train_tiny_lm.py", "--smoke", "--out", str(tmp_path)])
    precision = torch.get_float32_matmul_precision()
    try:
        script.main()
    finally:
        torch.set_rng_state(state)
        torch.set_float32_matmul_precision(precision)
    lm = load_tiny_lm(tmp_path)
    found = lm.perplexity(load_text("heldout")[-20_000:], context=64)
    assert found.value < 0.8 * lm.model.config.vocab_size
    assert lm.model.config == script.TOY.model


def test_weights_are_split_into_shards_below_the_limit(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "SHARD_BYTES", 20_000)
    tokenizer = script.train_tokenizer(["a b c " * 50], 300)
    model = script.Llama(script.TOY.model)
    script.initialize(model, seed=1)
    script.write_checkpoint(tmp_path, model, tokenizer, {})
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    loaded = load_tiny_lm(tmp_path).model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_a_fiftieth(script):
    rates = [script.learning_rate(script.FULL, step) for step in range(script.FULL.steps)]
    assert max(rates) == pytest.approx(script.FULL.peak_lr)
    assert rates.index(max(rates)) in (script.FULL.warmup - 1, script.FULL.warmup)
    assert rates[-1] == pytest.approx(script.FULL.peak_lr / 50, rel=0.01)
