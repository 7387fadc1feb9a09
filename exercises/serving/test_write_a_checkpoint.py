"""What `q8_0` and `write_gguf` must do, one claim a check."""

import tempfile
from functools import partial
from pathlib import Path

import gguf
import numpy as np
import torch

from halfbits.checkpoints import open_checkpoint
from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

SHAPES = {"3 x 64": (3, 64), "one block": (1, 32), "5 x 160": (5, 160), "square": (64, 64)}
SHAPES |= {"transposed": (64, 32)}
BLOCK = np.dtype([("scale", "<f2"), ("codes", "i1", 32)])
# Half a step, and what the rounding of the scale to float16 moves a code of 127 by.
STEPS = 0.5 + 127 * 2.0**-11 + 1e-4
numbers = partial(np.frombuffer, dtype="u1")
again = calls.Calls("q8_0", lambda seed: (matrix(seed, 2, 64),), lambda q8_0, w: numbers(q8_0(w)))
file_again = calls.Calls(
    "write_gguf",
    lambda seed: (tensors(seed),),
    through=lambda write, given: numbers(written(write, given).read_bytes()),
)


def matrix(seed, rows, columns):
    """Normal numbers, each row of a size of its own from 1/4 to 64."""
    return cases.normal(seed, rows, columns) * 2.0 ** (torch.arange(rows) % 9 - 2)[:, None]


def tensors(seed):
    """Vectors and matrices whose data end at no multiple of 32 bytes."""
    return {
        "token_embd.weight": matrix(seed, 7, 96),
        "blk.0.attn_norm.weight": cases.normal(seed + 1, 5),
        "blk.0.attn_q.weight": matrix(seed + 2, 3, 32),
        "output_norm.weight": cases.normal(seed + 3, 33),
    }


def written(write, given):
    """The path of the answer's file."""
    path = Path(tempfile.mkdtemp()) / "written.gguf"
    write(path, given)
    expect.true(path.is_file(), expected="a file at the path", got="none")
    return path


def opened(reader, path):
    """The file as `reader` reads it; what it cannot read fails the check."""
    try:
        return reader(path)
    except Exception as error:
        got = f"{type(error).__name__}: {error}".replace(str(path), path.name)
    expect.true(False, expected=f"a file that {reader.__name__} reads", got=got)


def blocks(raw, shape):
    """Scales [blocks, 1] and codes [blocks, 32] of the bytes, once they are as many as wanted."""
    expect.true(isinstance(raw, bytes), expected="bytes", got=type(raw).__name__)
    count = shape[0] * shape[1] // 32
    expect.equal(len(raw), 34 * count, of=f"bytes of {count} blocks")
    records = np.frombuffer(raw, BLOCK)
    return records["scale"].astype(float)[:, None], records["codes"].astype(float)


def holds(values, w, of):
    """Values [out, in] are those of w but for half a step of each block."""
    exact = w.double().numpy().reshape(-1, 32)
    step = np.abs(exact).max(axis=1, keepdims=True) / 127
    error = np.abs(values.reshape(-1, 32) - exact)
    expect.at_most(error, STEPS * step + 1e-12, of=f"largest error of {of}")


@task("q8_0")
def test_block_is_a_scale_and_its_codes(answer, seed):
    """Each 32 weights of a row are a float16 scale amax / 127 and 32 codes within half a step.

    34 bytes, the scale first: a reader knows nothing else about them.
    """
    for shape in each(SHAPES):
        w = matrix(seed, *shape)
        w = w.T.contiguous().T if shape == SHAPES["transposed"] else w
        scale, codes = blocks(answer.q8_0(w), shape)
        exact = w.double().numpy().reshape(-1, 32)
        want = np.abs(exact).max(axis=1, keepdims=True) / 127
        expect.close(scale, want, atol=1.01 * 2.0**-11 * want, of="scales")
        expect.at_most(np.abs(codes - exact / want), STEPS, "steps", of="largest error")


@task("q8_0")
def test_block_of_zeros_is_zeros(answer, seed):
    """A block of zeros is 34 zero bytes, whatever lies beside it.

    amax is 0 there; 0 / 0 is NaN, and some code as an integer.
    """
    w = matrix(seed, 3, 64)
    w[1, 32:], w[2] = 0, 0
    scale, codes = blocks(answer.q8_0(w), w.shape)
    expect.equal((scale[3:].any(), codes[3:].any()), (False, False), of="anything but zeros")
    holds(scale * codes, w, "the blocks")


@task("write_gguf")
def test_gguf_finds_names_shapes_and_types(answer, seed):
    """The package gguf reads version 3, and every tensor with its name, its shape and its type.

    Dimensions stand in the file with the last one first.
    """
    given = tensors(seed)
    reader = opened(gguf.GGUFReader, written(answer.write_gguf, given))
    expect.equal(int(reader.fields["GGUF.version"].parts[0][0]), 3, of="version")
    found = {t.name: (t.shape.tolist()[::-1], t.tensor_type.name) for t in reader.tensors}
    kinds = {1: "F32", 2: "Q8_0"}
    expect.equal(found, {n: (list(t.shape), kinds[t.dim()]) for n, t in given.items()}, of="found")


@task("write_gguf")
def test_gguf_finds_the_values(answer, seed):
    """Decoded by gguf, vectors are what they were, and matrices within half a step.

    Offsets count from the begin of the data, not from that of the file.
    """
    given = tensors(seed)
    given["blk.0.attn_k.weight"] = matrix(seed + 4, 32, 64).T
    given["rope_freqs.weight"] = cases.normal(seed, 10)[::2]
    for one in opened(gguf.GGUFReader, written(answer.write_gguf, given)).tensors:
        values = opened(lambda one: gguf.dequantize(one.data, one.tensor_type), one)
        if given[one.name].dim() == 1:
            expect.same(torch.tensor(values), given[one.name], of=one.name)
        else:
            holds(values.astype(float), given[one.name], one.name)
    vector = cases.normal(seed, 8)
    for letters in range(1, 33):  # headers that end at every byte of a line of 32, and at its end
        reader = opened(gguf.GGUFReader, written(answer.write_gguf, {"n" * letters: vector}))
        expect.same(torch.tensor(reader.tensors[0].data), vector, of="a vector alone")


@task("write_gguf")
def test_data_are_aligned(answer, seed):
    """The data begin at a multiple of 32 bytes, and so does every tensor in them.

    An engine maps the file into memory and reads whole vectors from these places.
    """
    reader = opened(gguf.GGUFReader, written(answer.write_gguf, tensors(seed)))
    starts = [int(one.data_offset) for one in reader.tensors]
    expect.equal([start % 32 for start in starts], [0] * len(starts), of="offsets modulo 32")


@task("write_gguf")
def test_this_book_reads_the_same(answer, seed):
    """halfbits.checkpoints finds the architecture, the tensors and their rows.

    Two readers that nobody wrote for each other are a better test than one.
    """
    given = tensors(seed)
    checkpoint = opened(open_checkpoint, written(answer.write_gguf, given))
    expect.equal(checkpoint.metadata.get("general.architecture"), "llama", of="architecture")
    expect.equal([one.name for one in checkpoint.tensors], list(given), of="names")
    for one in checkpoint.tensors:
        expect.equal(one.shape, tuple(given[one.name].shape), of=f"shape of {one.name}")
        if len(one.shape) == 2:
            rows = checkpoint.rows(one, 0, one.rows)
            holds(rows.astype(float), given[one.name], one.name)


@hardened
@task("write_gguf")
def test_length_of_a_string_is_in_bytes(answer, seed):
    """A name with letters beyond ASCII is read back: its length counts bytes, not letters.

    One byte off, and everything behind it is garbage.
    """
    given = {"größe.权重": matrix(seed, 2, 32)}
    reader = opened(gguf.GGUFReader, written(answer.write_gguf, given))
    expect.equal([one.name for one in reader.tensors], ["größe.权重"], of="names")
