"""One quantity has one number on every page, in both languages, and nobody types it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from printed_sources import printed, typed_sources

from halfbits.quantities import quantities, text

NUMBER = r"(?<![\d.,])(\d(?:[\d,]*\d)?(?:\.\d+)?)"
# A quantity, and the sentences that give it: N stands for the number. Each number that is found has
# to be the quantity's, and at least two sources have to give it.
SAID = {
    "decode_8b_h100_bf16": [
        r"at most +N tokens(?: a second|/s| per second)? in bf16",
        r"3\.35 TB/s takes [\d.]+ ms, so at most N tokens",
        r"bf16 最多每秒 N 个 token",
        r"3\.35 TB/s 是 [\d.]+ ms，所以每秒最多 N 个 token",
        r"8B (?:on an|在) H100[^|\n]*\| N \|",
        r"bf16: [^\n]*at most +N tokens/s",
        r"raise the limit from N to",
        r"H100 SXM +N  ",
    ],
    "decode_8b_h100_int8": [
        r"8B (?:on an|在) H100[^|\n]*\| \d+ \| N \|",
        r"int8: [^\n]*at most +N tokens/s",
        r"H100 SXM +\d+  N  ",
    ],
    "decode_8b_h100_int4": [
        r"tokens (?:a|per) second in bf16 and N in int4",
        r"reads [\d.]+ GB: [\d.]+ ms, at most N\b",
        r"int4 最多 N 个",
        r"[\d.]+ GB：[\d.]+ ms，最多 N 个",
        r"8B (?:on an|在) H100[^|\n]*\| \d+ \| \d+ \| N \|",
        r"int4: [^\n]*at most +N tokens/s",
        r"raise the limit from \d+ to N tokens/s",
        r"H100 SXM +\d+  \d+  N  ",
    ],
    "weights_8b_bf16": [
        r"Llama 3 8B take N GB in bf16",
        r"bf16 下是 N GB",
        r"8B[,，] ?GB \| N \|",
        r"embedding and head in 16 bits: N GB",
        r"bf16 weights take N,",
        r"checkpoint(?:'s| 的) N GB",
    ],
    "weights_8b_int8": [r"8B[,，] ?GB \| [\d.]+ \| N \|", r"int8 (?:or|或) fp8 ?[(（]N GB"],
    "weights_8b_int4": [
        r"8B[,，] ?GB \| [\d.]+ \| [\d.]+ \| N \|",
        r"and N GB as a usual int4 checkpoint",
        r"int4 checkpoint 是 N GB",
        r"Int4 weights take N GB",
        r"int4 权重占 N GB",
        r"int4 ?[(（]N GB[)）]",
    ],
    "weights_70b_bf16": [
        r"70B[,，] ?GB \| N \|",
        r"bf16 is N GB and out",
        r"70B (?:in bf16 is|的 bf16 是) N GB",
    ],
    "weights_70b_int8": [
        r"70B[,，] ?GB \| [\d.]+ \| N \|",
        r"Llama 3 70B takes N GB in int8",
        r"[Ee]ight bits with embedding and head in 16 are N GB",
        r"int8 是 N GB，int4",
    ],
    "weights_70b_int4": [
        r"70B[,，] ?GB \| [\d.]+ \| [\d.]+ \| N \|",
        r"and N GB in int4 with groups of 128",
        r"by the same rule, are N GB",
        r"4 位权重、128 个一组，共 N GB",
    ],
    "read_8b_bf16": [r"reads the weights once, N GB", r"bf16: +N GB a token", r"Reading N GB at"],
    "read_8b_int4": [r"int4: +N GB a token", r"reads N GB of int4", r"head in 16 bits, reads N GB"],
    "crossover_h100_bf16": [
        r"memory bound below batch N\nint8",
        r"An H100 turns at batch N with bf16",
        r"bf16 权重 N，int4",
        r"H100 SXM \| N (?:rows|行) \|",
        r"the crossing from batch N down",
        r"compute bound at about N rows",
        r"the ridge of the roofline, N rows",
    ],
    "crossover_h100_int4": [
        r"int4: [^\n]*memory bound below batch N\b",
        r"with bf16 weights, N with int4",
        r"int4 权重 N。",
        r"H100 SXM \| \d+ (?:rows|行) \| N (?:rows|行) \|",
        r"the crossing from batch \d+ down to N",
        r"with int4 weights at about N\b",
        r"From about N rows on the lead of int4",
    ],
    "ridge_h100": [r"bf16 ridge of N operations", r"A100 \d+[,，] ?H100 N ", r"H100 的拐点是 N，"],
    "memory_h100": [
        r"An H100 reports N GB",
        r"driver of an \"80 GB\" H100 reports N",
        r"H100，驱动报告(?:的是)? N ",
        r"H100 的驱动报告 N GB",
    ],
    "budget_h100": [
        r"plan with 90% of it, N GB",
        r"of the N GB that I plan",
        r"memory N GB are left",
        r"按 N GB 规划",
    ],
    "cache_token_8b_bf16": [
        r"Llama 3 8B keeps N KiB a token",
        r"Llama 3 8B in bf16: N KiB a token",
        r"每个 token N KiB[，。]",
        r"by N KiB for Llama 3 8B",
    ],
    "cache_token_70b_bf16": [r"70B[:：] ?N KiB", r"; N KiB of cache a token"],
    "cache_rows_8b": [
        r"caches and weights are equal, at N rows",
        r"8,192 tokens of context, N rows read",
        r"对应 N 行",
    ],
    "bits_int4": [
        r"16-bit scale(?: for 128 weights it is|: ) ?N\b",
        r"\$g = 128\$[:：] ?N[;；]",
        r"int4, 128, fp16 +N ",
        r"and N for int4 in groups of",
        r"group of 128 makes N bits",
    ],
    "int32_products": [
        r"always fit into an int32: N",
        r"int32 sum is safe up to N products",
        r"N, for codes from `-127`",
    ],
    "perplexity_fp32": [
        r"\(float32: N\)",
        r"[Pp]erplexity, float32 being N:",
        r"float32 has perplexity N,",
        r"（float32 为 N）",
        r"float32 困惑度 N，",
    ],
    "perplexity_int4_g64": [
        r"groups of 64 have perplexity N symmetric",
        r"对称的困惑度是 N，",
        r"4\.25 \| N \|",
    ],
    "perplexity_int4": [r"and N with int4 for each row", r"4\.10 \| N \|"],
    "perplexity_change_mxfp4": [r"MXFP4 adds N to a perplexity", r"4\.25 bits\) N; int4 \(64"],
    "time_bf16_1": [
        r"record on an H100: N µs in bf16",
        r"took N µs in bf16",
        r"against N for bf16 at one row",
    ],
    "time_int8_converted_1": [
        r"三步的层 N µs",
        r"N µs with the three-step layer",
        r"N µs with converted int8",
    ],
    "rate_bf16": [r"TF32 [\d,]+[,，] ?bf16 N[,，]", r"TFLOP/s in fp16 and N in bf16"],
}


@cache
def corpus() -> tuple[tuple[str, str], ...]:
    return tuple(printed())


def found(sentence: str) -> Iterator[tuple[str, str]]:
    """Pairs of a source and the number in a sentence of it."""
    pattern = re.compile(place(sentence))
    for source, content in corpus():
        for match in pattern.finditer(content):
            yield source, match[1]


def place(sentence: str) -> str:
    """The pattern of a sentence: N where it is no letter of a word is the number."""
    return re.sub(r"(?<![A-Za-z])N(?![A-Za-z])", lambda _: NUMBER, sentence, count=1)


@pytest.mark.parametrize("name", SAID)
def test_a_quantity_has_one_number_wherever_it_is_said(name: str) -> None:
    said = {pair for sentence in SAID[name] for pair in found(sentence)}
    wrong = sorted((source, number) for source, number in said if number != text(name))
    assert not wrong, f"{name} is {text(name)}"
    assert len({source for source, _ in said}) > 1, "what one page gives needs no name here"


def test_nobody_types_the_number_of_a_quantity() -> None:
    """A number with three digits or more, and its unit, is written by the quantity's name."""
    shapes = {
        name: re.compile(rf"(?<![\d.,]){re.escape(known.text)}\s?{re.escape(known.unit)}(?!\w)")
        for name, known in quantities().items()
        if known.unit and sum(letter.isdigit() for letter in known.text) > 2
    }
    typed = [
        f"{source}: {match[0]} is {name}"
        for source, content in typed_sources()
        for name, shape in shapes.items()
        for match in shape.finditer(content)
    ]
    assert not typed, "\n".join(typed)


def test_a_sentence_with_another_number_is_found() -> None:
    pattern = place(r"at most +N tokens/s")
    assert re.search(pattern, "at most  209 tokens/s")[1] == "209"  # type: ignore[index]
    assert re.search(pattern, "at most 1,209.5 tokens/s")[1] == "1,209.5"  # type: ignore[index]
