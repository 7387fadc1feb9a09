"""What `elements_per_token` and `cache_bytes` must do, one claim a check."""

import random

from halfbits.course.checks import calls, expect, hardened, task
from halfbits.course.checks.cases import each

LATENT = {"kind": "latent", "heads": 16, "rope_dim": 44}
again = calls.Calls("elements_per_token", lambda s: (LATENT | {"rank": 9 + s % 5},), room=0)
cache_again = calls.Calls("cache_bytes", lambda s: ([layers(s)["full"]], [s % 5, 90], 16), room=0)


def layers(seed):
    """One layer of each kind; no two of its sizes are equal, and none is twice another."""
    some = random.Random(seed)
    group, heads = some.choice((3, 5, 7)), some.choice((4, 8))
    full = {"kind": "full", "heads": heads * group, "kv_heads": heads}
    full["head_dim"] = some.choice((48, 80, 112))
    window = full | {"kind": "window", "window": some.choice((100, 512, 1000))}
    return {"full": full, "window": window, "latent": LATENT | {"rank": some.choice((256, 384))}}


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
    expect.equal(type(got).__name__, "int", of="type")
    expect.equal(got, wanted(stack, lengths, bits), of=f"{lengths} tokens in {bits} bits: bytes")


@task("elements_per_token")
def test_shared_heads_and_latents_are_kept_once(answer, seed):
    """Of a token a layer keeps 2 * kv_heads * head_dim elements, a latent one rank + rope_dim.

    `heads` says what is computed, `kv_heads` what is kept. Keys and values of all heads are made
    again from the one latent; neither is stored.
    """
    for layer in each(layers(seed)):
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

    A model of several kinds of layers is the sum of its layers, a batch that of its requests. In
    4 bits two elements share a byte.
    """
    full, latent = layers(seed)["full"], layers(seed)["latent"]
    for stack in each({"alike": [full] * 3, "latent": [latent] * 2, "mixed": [full, latent, full]}):
        for bits in (16, 8, 4):
            for lengths in ([1], [700], [30, 4000, 512]):
                right(answer, stack, lengths, bits)
    # Half a byte a token more than whole ones.
    right(answer, [LATENT | {"rank": 257}], [4, 30], 4)


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


@hardened
@task("cache_bytes")
def test_nobody_takes_nothing(answer, seed):
    """No request, or one without tokens, takes 0 bytes.

    A server starts empty.
    """
    for lengths in ([], [0], [0, 0]):
        right(answer, [*layers(seed).values()], lengths)
