"""The kernels that answers of the interview bank show: occupancy, a tiled product, attention."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from interview_draws import draw
from test_interview_code import defined, shown
from torch import Tensor

# Blocks on an SM by threads, for 0, 40, 100, 200 and 227 KB of shared memory a block, as CUDA
# 13.0 answered on an H200 for a kernel of few registers.
RESIDENT = {32: (32, 5, 2, 1, 1), 256: (8, 5, 2, 1, 1), 1024: (2, 2, 2, 1, 1)}
ROWS = {  # of the answer's table: threads, registers and kilobytes of a block
    (256, 32, 0): (1, "threads"),
    (256, 128, 0): (1 / 4, "registers"),
    (256, 40, 48): (1 / 2, "shared memory"),
    (32, 32, 0): (1 / 2, "blocks"),
}


def test_the_occupancy_that_the_answer_computes_is_in_whole_blocks_of_the_scarcest_resource() -> (
    None
):
    occupancy = defined("occupancy_and_latency")["occupancy"]
    assert {row: occupancy(*row) for row in ROWS} == ROWS
    for threads, blocks in RESIDENT.items():
        for kilobytes, resident in zip((0, 40, 100, 200, 227), blocks, strict=True):
            assert occupancy(threads, 16, kilobytes)[0] == resident * (threads // 32) / 64
    assert occupancy(512, 128, 0)[0] == 512 / 2048  # 65,536 registers over 128


def test_a_block_of_1024_threads_cannot_have_72_registers_each() -> None:
    occupancy = defined("occupancy_and_latency")["occupancy"]
    assert occupancy(1024, 72, 0) == (0, "registers")
    assert occupancy(1024, 64, 0)[0] == 1 / 2


# What CUDA gives a kernel, with a thread of the system for each of its own, which counts loads.
SHIM = """
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
struct Place { int x, y; };
static Place blockIdx;
thread_local Place threadIdx;
static std::atomic<long> loads, waits;
static std::barrier<>* gate;
struct Counted {
  const float* from;
  float operator[](long i) const { return ++loads, from[i]; }
};
#define __global__
#define __shared__ static
static void __syncthreads() { ++waits, gate->arrive_and_wait(); }
"""
MAIN = """
int main(int, char** sizes) {
  int m = atoi(sizes[1]), n = atoi(sizes[2]), p = atoi(sizes[3]), wrong = 0;
  std::vector<float> a(m * n), b(n * p), c(m * p, -1);
  for (int i = 0; i < m * n; ++i) a[i] = i * 37 % 11 - 5;
  for (int i = 0; i < n * p; ++i) b[i] = i * 53 % 7 - 3;
  std::barrier<> all(TILE * TILE);
  gate = &all;
  for (blockIdx.y = 0; blockIdx.y * TILE < m; ++blockIdx.y)
    for (blockIdx.x = 0; blockIdx.x * TILE < p; ++blockIdx.x) {
      std::vector<std::thread> block;
      for (int i = 0; i < TILE * TILE; ++i)
        block.emplace_back([&, i] {
          threadIdx = {i % TILE, i / TILE};
          matmul({a.data()}, {b.data()}, c.data(), m, n, p);
        });
      for (auto& thread : block) thread.join();
    }
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < p; ++j) {
      float sum = 0;
      for (int k = 0; k < n; ++k) sum += a[i * n + k] * b[k * p + j];
      wrong += sum != c[i * p + j];
    }
  printf("%d %ld %ld", wrong, loads.load(), waits.load());
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_tiled_product_that_the_answer_shows_is_right_and_loads_each_number_once_a_tile(
    tmp_path: Path,
) -> None:
    kernel = shown("write_tiled_matmul", fence="cpp").replace("const float*", "Counted")
    assert kernel == shown("write_tiled_matmul", "zh", "cpp").replace("const float*", "Counted")
    source, program = tmp_path / "product.cpp", tmp_path / "product"
    source.write_text(SHIM + kernel + MAIN, encoding="utf-8")
    subprocess.run(["g++", "-std=c++20", "-pthread", "-o", program, source], check=True)
    for m, n, p in ((32, 32, 16), (17, 20, 33)):
        done = subprocess.run([program, *map(str, (m, n, p))], capture_output=True, text=True)
        wrong, loads, waits = map(int, done.stdout.split())
        down, across, steps = (-(-size // 16) for size in (m, p, n))
        assert wrong == 0
        assert loads == across * m * n + down * n * p  # without tiles: 2 m n p
        assert waits == 2 * steps * 256 * down * across


def warp(
    which: int, a: list[int], b: list[int], tile: list[int], sums: list[int], twice: bool
) -> Iterator[None]:
    """One of two warps: loads its half of each step's tile, waits, uses the whole tile."""
    for step in range(len(a) // 2):
        tile[which] = a[2 * step + which]
        yield
        sums[which] += tile[0] * b[2 * step] + tile[1] * b[2 * step + 1]
        if twice:
            yield


def product(a: list[int], b: list[int], twice: bool) -> list[int]:
    """Both warps' sums; at each barrier the first runs ahead as far as it may."""
    tile, sums = [0, 0], [0, 0]
    warps = [warp(which, a, b, tile, sums, twice) for which in (0, 1)]
    while [next(one, "done") for one in warps] != ["done", "done"]:
        pass
    return sums


def test_a_warp_that_runs_ahead_spoils_a_tile_unless_it_waits_twice_a_step() -> None:
    a, b = [1, 2, 3, 4, 5, 6], [1, 10, 100, 1000, 10000, 100000]
    right = sum(x * y for x, y in zip(a, b, strict=True))
    assert product(a, b, twice=True) == [right, right]
    assert product(a, b, twice=False)[1] != right


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Plain causal attention in float64, heads of a group repeated."""
    group, n = len(q) // len(k), q.shape[1]
    k, v = (x.double().repeat_interleave(group, 0) for x in (k, v))
    scores = q.double() @ k.mT / math.sqrt(q.shape[2])
    return scores.masked_fill(torch.ones(n, n).triu(1).bool(), -torch.inf).softmax(-1) @ v


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (5, 7), (16, 3), (64, 64)])
def test_the_tiled_attention_that_the_answer_shows_is_plain_attention(
    rows: int, columns: int
) -> None:
    flash_attention = defined("write_flash_attention")["flash_attention"]
    q, k, v = draw(0, 4, 37, 16), draw(1, 2, 37, 16), draw(2, 2, 37, 16)
    q, k, v = q.float(), k.float(), v.float()
    out = flash_attention(q, k, v, rows, columns)
    # Sums of 37 terms of size 1 and below, in float32.
    torch.testing.assert_close(out.double(), attention(q, k, v), rtol=0, atol=1e-5)


def test_causal_tiles_above_the_diagonal_are_skipped_and_are_nearly_half() -> None:
    """Counted by the products of scores that the answer's loops make."""
    calls = []

    class Counting(Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            if func is Tensor.masked_fill:
                calls.append(args[0].shape)
            return super().__torch_function__(func, types, args, kwargs or {})

    flash_attention = defined("write_flash_attention")["flash_attention"]
    x = draw(0, 1, 64, 4).float().as_subclass(Counting)
    flash_attention(x, x, x, 8, 8)
    assert len(calls) == 8 * 9 // 2  # of 8 * 8


def test_query_heads_of_a_group_as_rows_of_one_tile_give_what_each_alone_gives() -> None:
    """A decode step: 8 query heads over 2 key heads, one token."""
    q, k, v = draw(0, 8, 1, 16), draw(1, 2, 50, 16), draw(2, 2, 50, 16)
    packed = q.view(2, 4, 16)  # rows of a tile; each key head is read once
    together = (packed @ k.mT / 4).softmax(-1) @ v
    for head in range(8):
        alone = (q[head] @ k[head // 4].T / 4).softmax(-1) @ v[head // 4]
        torch.testing.assert_close(together.view(8, 1, 16)[head], alone)


def test_gradients_of_a_shared_key_are_the_sum_over_its_query_heads() -> None:
    q, k = draw(0, 4, 6, 8), draw(1, 1, 6, 8).requires_grad_()
    (q @ k.mT).sin().sum().backward()
    apart = torch.zeros_like(k)
    for head in q:
        own = k.detach().clone().requires_grad_()
        (head @ own.mT).sin().sum().backward()
        assert own.grad is not None
        apart += own.grad
    assert k.grad is not None
    torch.testing.assert_close(k.grad, apart)
