"""What `elements_per_token` and `cache_bytes` must do, one claim a check."""

import random

from halfbits.course.checks import expect, hardened, task
from halfbits.course.checks.cases import each


def layers(seed):
    """One layer of each kind; no two of its sizes are equal, and none is twice another."""
    some = random.Random(seed)
    group, heads = some.choice((3, 5, 7)), some.choice((4, 8))
    full = {"kind": "full", "heads": heads * group, "kv_heads": heads}
    full["head_dim"] = some.choice((48, 80, 112))
    window = full | {"kind": "window", "window": some.choice((100, 512, 1000))}
    latent = {"kind": "latent", "heads": 16, "rank": some.choice((256, 384)), "rope_dim": 44}
    return {"full": full, "window": window, "latent": latent}


def kept(layer):
    """The elements of one token."""
    if layer["kind"] == "latent":
        return layer["rank"] + layer["rope_dim"]
    return 2 * layer["kv_heads"] * layer["head_dim"]


def wanted(stack, lengths, bits):
    """The bytes of all caches."""
    seen = ((one, min(n, one.get("window", n))) for one in stack for n in lengths)
    return sum(kept(one) * n for one, n in seen) * bits // 8


def right(answer, stack, lengths, bits=16):
    """The answer's bytes are those."""
    got = answer.cache_bytes(stack, lengths, bits)
    expect.equal(got, wanted(stack, lengths, bits), of=f"{lengths} tokens in {bits} bits: bytes")


@task("elements_per_token")
def test_shared_heads_keep_one_key_and_one_value(answer, seed):
    """A full layer and a window keep 2 * kv_heads * head_dim elements of a token.

    Query heads share keys and values: `heads` says what is computed, `kv_heads` what is kept.
    """
    for name in ("full", "window"):
        layer = layers(seed)[name]
        expect.equal(answer.elements_per_token(layer), kept(layer), of=f"elements of {layer}")


@task("elements_per_token")
def test_latent_is_kept_once_for_all_heads(answer, seed):
    """A latent layer keeps rank + rope_dim elements of a token, however many heads it has.

    Keys and values are made again from the one latent; neither is stored.
    """
    layer = layers(seed)["latent"]
    expect.equal(answer.elements_per_token(layer), kept(layer), of=f"elements of {layer}")


@hardened
@task("elements_per_token")
def test_unknown_kind_is_refused(answer, seed):
    """A kind of layer that is none of the three raises ValueError.

    A layer that silently counts as nothing makes a model look as if it fitted.
    """
    layer = layers(seed)["full"] | {"kind": "recurrent"}
    expect.raises(ValueError, lambda: answer.elements_per_token(layer))


@task("cache_bytes")
def test_all_layers_and_requests_add_up(answer, seed):
    """Every layer keeps every token of every request, in as many bytes as `bits` says.

    A model of several kinds of layers is the sum of its layers, a batch that of its requests.
    """
    full, latent = layers(seed)["full"], layers(seed)["latent"]
    for stack in each({"alike": [full] * 3, "latent": [latent] * 2, "mixed": [full, latent, full]}):
        for lengths in ([1], [700], [30, 4000, 512]):
            right(answer, stack, lengths)


@task("cache_bytes")
def test_each_request_has_its_own_window(answer, seed):
    """A layer with a window keeps at most `window` tokens of each request.

    Short requests stay below it; what a long one forgets, others do not gain.
    """
    some = layers(seed)
    for stack in each({"windows": [some["window"]] * 2, "mixed": [some["full"], some["window"]]}):
        size = some["window"]["window"]
        for lengths in (
            [size - 1],
            [size + 1, 9 * size],
            [size // 2 + 1, size // 2 + 3],
            [7, 8000],
        ):
            right(answer, stack, lengths)


@task("cache_bytes")
def test_bits_are_eighths_of_a_byte(answer, seed):
    """An element takes two bytes in 16 bits, one in 8, and half of one in 4.

    Two elements of 4 bits share a byte.
    """
    for bits in (16, 8, 4):
        right(answer, [*layers(seed).values()], [5, 333, 2048], bits)


@hardened
@task("cache_bytes")
def test_nobody_takes_nothing(answer, seed):
    """No request, or one without tokens, takes 0 bytes.

    A server starts empty.
    """
    for lengths in ([], [0], [0, 0]):
        right(answer, [*layers(seed).values()], lengths)
