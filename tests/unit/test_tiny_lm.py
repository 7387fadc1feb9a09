"""The tiny language model: its files, its arithmetic, and what it can do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from halfbits.errors import CourseError
from halfbits.evaluate import token_losses
from halfbits.models import load_text, load_tiny_lm, plant_outliers
from halfbits.models.generate import generate
from halfbits.models.hooks import channel_amax, record_inputs
from halfbits.models.llama import KVCache
from halfbits.models.tiny_lm import FOLDER

EPS32 = torch.finfo(torch.float32).eps


@pytest.fixture(scope="module")
def lm():
    return load_tiny_lm()


@pytest.fixture(scope="module")
def ids(lm):
    return lm.encode(load_text("heldout"))[:256]


def rounding_bound(model, logits):
    """What float32 sums in another order may change: eps a product, growing with the square root
    of the longest sum, over the 4 dependent products of each layer and the head."""
    config = model.config
    depth = 4 * config.num_hidden_layers + 1
    return depth * config.intermediate_size**0.5 * EPS32 * logits.abs().max()


@torch.no_grad()
def test_prefill_and_decode_give_the_logits_of_the_whole_text_at_once(lm, ids):
    whole = lm.model(ids[None])[0]
    last, cache = lm.model.prefill(ids[None, :200], capacity=256)
    steps = [last, *(lm.model.decode(token[None], cache) for token in ids[200:])]
    bound = rounding_bound(lm.model, whole)
    assert (torch.cat(steps) - whole[199:]).abs().max() <= bound
    assert cache.length == 256


@torch.no_grad()
def test_a_prompt_read_in_two_pieces_gives_the_same_logits(lm, ids):
    whole = lm.model(ids[None])[0]
    cache = KVCache(lm.model.config, 1, 256, lm.model.embed_tokens.weight)
    parts = [lm.model(piece[None], cache)[0] for piece in ids.split(100)]
    assert (torch.cat(parts) - whole).abs().max() <= rounding_bound(lm.model, whole)


@torch.no_grad()
def test_a_later_token_does_not_change_earlier_logits(lm, ids):
    changed = ids.clone()
    changed[200:] = ids[:56]
    before, after = lm.model(ids[None])[0, :200], lm.model(changed[None])[0, :200]
    assert (before - after).abs().max() <= rounding_bound(lm.model, before)


def test_the_cache_refuses_a_token_too_many(lm, ids):
    _, cache = lm.model.prefill(ids[None, :8], capacity=8)
    with pytest.raises(ValueError, match="holds 8 tokens; 9"):
        lm.model.decode(ids[8:9], cache)


def test_transformers_gives_the_same_logits_and_perplexity(lm, ids):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(FOLDER).eval()
    assert theirs.dtype == torch.float32
    with torch.no_grad():
        ours, others = lm.model(ids[None]), theirs(ids[None]).logits
    bound = rounding_bound(lm.model, ours)
    assert (ours - others).abs().max() <= bound
    # A token's loss moves by at most twice the largest change of its logits.
    losses = token_losses(lambda x: theirs(x).logits, ids)
    assert (losses - token_losses(lm.model, ids)).abs().max() <= 2 * bound


def test_the_bound_is_tight_enough_to_see_a_wrong_rotation(lm, ids):
    with torch.no_grad():
        right = lm.model(ids[None])
        wrong = load_tiny_lm().model
        object.__setattr__(wrong.config, "rope_theta", 10_500.0)
        assert (wrong(ids[None]) - right).abs().max() > rounding_bound(lm.model, right)


def test_held_out_perplexity_is_below_five(lm):
    found = lm.perplexity(load_text("heldout"), max_tokens=16_385)
    assert found.value + 2 * found.standard_error < 5.0, str(found)
    assert found.clusters >= 10


def test_the_recorded_perplexity_of_the_whole_held_out_text_is_below_five():
    path = Path(__file__).parents[2] / "book" / "data" / "tiny_lm_perplexity.json"
    found = json.loads(path.read_text(encoding="utf-8"))["texts"]["heldout"]
    assert found["perplexity"] < 5.0 and found["tokens"] > 100_000


def test_other_domains_are_harder_than_python(lm):
    values = {
        n: lm.perplexity(load_text(n), max_tokens=4_097).value
        for n in ("heldout", "python_docs", "austen")
    }
    assert values["heldout"] < values["python_docs"] < values["austen"], values


def test_greedy_generation_takes_the_largest_logit_each_time(lm):
    prompt = lm.encode("def quantize(")
    out = generate(lm.model, prompt, 12)
    with torch.no_grad():
        logits = lm.model(out[None, :-1])[0, len(prompt) - 1 :]
    chosen = logits.gather(1, out[len(prompt) :, None])[:, 0]
    # A tie within rounding may go either way.
    assert (logits.amax(1) - chosen).max() <= 2 * rounding_bound(lm.model, logits)


def test_sampling_repeats_with_its_seed_and_leaves_the_global_generator_alone(lm):
    state = torch.get_rng_state()
    one, two, other = (lm.generate("import ", 24, temperature=1.0, seed=s) for s in (1, 1, 2))
    assert one == two != other
    assert torch.equal(state, torch.get_rng_state())


def test_generation_continues_the_prompt_with_python(lm):
    assert lm.generate("import numpy as", 4).startswith("import numpy as np\n")
    text = lm.generate("def quantize(")
    # Parameters, one a line or several, with annotations or without.
    assert re.match(r"def quantize\(\s*\w+\s*[:,=)]", text), text


def test_a_prompt_beyond_the_context_is_refused(lm):
    with pytest.raises(ValueError, match="do not fit"):
        lm.generate("x = 1\n" * 300, 300)


@torch.no_grad()
def test_planted_outliers_keep_the_logits_to_the_last_bit_and_the_source(lm, ids):
    before = {k: v.clone() for k, v in lm.model.state_dict().items()}
    planted = plant_outliers(lm.model, [3, 77], 64.0)
    quiet = channel_amax(lm.model, [ids[None]], "gate_proj")["layers.2.mlp.gate_proj"]
    loud = channel_amax(planted, [ids[None]], "gate_proj")["layers.2.mlp.gate_proj"]
    assert torch.equal(planted(ids[None]), lm.model(ids[None]))
    assert torch.equal(loud[[3, 77]], 64 * quiet[[3, 77]])
    assert all(torch.equal(v, before[k]) for k, v in lm.model.state_dict().items())


@torch.no_grad()
def test_recording_keeps_every_input_of_the_matching_layers_and_then_stops(lm, ids):
    with record_inputs(lm.model, "down_proj") as seen:
        lm.model(ids[None])
        lm.model(ids[None, :10])
    assert sorted(seen) == [f"layers.{i}.mlp.down_proj" for i in range(6)]
    assert [x.shape for x in seen["layers.0.mlp.down_proj"]] == [(256, 704), (10, 704)]
    assert not any(m._forward_pre_hooks for m in lm.model.modules())


def test_openings_are_cut_to_one_length_behind_the_end_token_and_short_texts_are_left_out(lm):
    texts = ["import os\n" * 9, "x", "def f(x):\n    return x\n" * 9]
    found = lm.openings(texts, 12)
    assert found.shape == (2, 13) and found.dtype == torch.int64
    assert found[:, 0].tolist() == [lm.end] * 2
    assert torch.equal(found[1, 1:], lm.encode(texts[2])[:12])
    assert lm.openings(["x"], 12).shape == (0, 13)


def test_the_head_is_the_embedding(lm):
    assert lm.model.lm_head.weight is lm.model.embed_tokens.weight
    assert not lm.model.training
    assert {p.dtype for p in lm.model.parameters()} == {torch.float32}


def test_loading_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    load_tiny_lm()
    assert torch.equal(state, torch.get_rng_state())


def test_loading_takes_under_a_second_when_warm():
    times = []
    for _ in range(3):
        began = time.perf_counter()
        load_tiny_lm()
        times.append(time.perf_counter() - began)
    assert min(times) < 1.0, times


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "tiny_lm"
    shutil.copytree(FOLDER, folder)
    return folder


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_a_damaged_shard_is_named_with_its_expected_hash(copied, damage):
    shard = sorted(copied.glob("*.safetensors"))[-1]
    wanted = json.loads((FOLDER / "checksums.json").read_text(encoding="utf-8"))[shard.name]
    data = bytearray(shard.read_bytes())
    if damage == "missing":
        shard.unlink()
    elif damage == "truncated":
        shard.write_bytes(data[:-1000])
    else:
        data[-1] ^= 1
        shard.write_bytes(data)
    with pytest.raises(CourseError) as caught:
        load_tiny_lm(copied)
    assert shard.name in str(caught.value) and wanted in str(caught.value)


def test_every_file_of_the_artifact_has_its_recorded_hash():
    from halfbits.models.checkpoint import expected_hashes, read_checked

    names = {p.name for p in FOLDER.iterdir()} - {"checksums.json"}
    assert names == set(expected_hashes(FOLDER))
    for name in names:
        read_checked(FOLDER, name)


def test_shards_are_below_16_mb_and_the_package_data_below_30():
    data = [p for p in FOLDER.parent.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")]
    assert max(p.stat().st_size for p in data) < 16e6
    assert sum(p.stat().st_size for p in data) < 30e6


def test_importing_the_package_does_not_import_torch():
    code = "import sys, halfbits.models; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    assert done.returncode == 0
