"""The held-out text was never trained on, as far as the committed fingerprint can tell.

The fingerprint keeps one in 128 of the hashed 50-word spans of the training text, picked by the
hash itself. Of a passage shared word for word, each span is seen with probability 1/128: a copied
file of 1,000 words is caught with certainty of 1 - (127/128)^951 = 99.9 %, a copied paragraph of
100 words in a third of the cases. The full check, without sampling, ran when the corpus was built.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from halfbits.models.tiny_lm import load_text

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "book" / "data" / "tiny_lm_corpus.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def corpus():
    from benchmarks import build_corpus

    return build_corpus


@pytest.fixture(scope="module")
def fingerprint(corpus):
    with np.load(corpus.FINGERPRINT) as packed:
        return np.cumsum(packed["steps"], dtype=np.uint32)


def sampled(corpus, text):
    spans = corpus.span_hashes(text)
    return corpus.sample_hashes(spans)


def test_no_span_of_the_held_out_text_is_in_the_fingerprint(corpus, fingerprint):
    mine = [sampled(corpus, document) for document in load_text("heldout").split(corpus.END)]
    spans = np.concatenate(mine)
    assert len(spans) > 300, "too few sampled spans to say anything"
    # Two different spans may share 32 bits by chance: n m / 2^32, well below one.
    assert np.isin(spans, fingerprint).sum() <= len(spans) * len(fingerprint) / 2**32 + 1


def test_the_fingerprint_covers_the_training_text(corpus, fingerprint):
    trained = sum(row["train_bytes"] for row in RECORD["sources"])
    # Between one span in 128 of every word of three bytes and one of every word of 16 bytes.
    assert trained / 16 / corpus.SAMPLE < len(fingerprint) < trained / 3 / corpus.SAMPLE


def test_a_copied_passage_would_be_seen(corpus):
    words = " ".join(f"name{i}" for i in range(5000))
    copied = " ".join(f"name{i}" for i in range(1000, 3000))
    assert np.isin(sampled(corpus, copied), sampled(corpus, words)).all()
    assert len(sampled(corpus, copied)) > 0
    other = copied.replace("name", "term")
    assert not np.isin(sampled(corpus, other), sampled(corpus, words)).any()


def test_the_held_out_text_is_the_recorded_one():
    data = load_text("heldout").encode("utf-8")
    assert hashlib.sha256(data).hexdigest() == RECORD["held_out"]["sha256"]
    assert 200_000 <= len(data) <= 400_000
    assert data.decode().count("<|endoftext|>") + 1 == len(RECORD["held_out"]["files"])


def test_every_source_names_a_version_and_a_permissive_licence():
    for row in RECORD["sources"]:
        assert row["version"] and row["licence"].startswith(("BSD", "PSF", "MIT")), row
        assert row["train_bytes"] > 0, row
