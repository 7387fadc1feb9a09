"""What `weight_bytes` and `rows_that_fit` must count, one claim a check."""

import itertools
import random

from halfbits.course.checks import calls, decoders, expect, hardened, task
from halfbits.course.checks.cases import each

LLAMA_8B = {"parameters": 8_030_261_248, "kept": 1_050_939_392, "bits": 16, "group": 0}
LLAMA_8B |= {"layers": 32, "heads": 32, "kv_heads": 8, "head_dim": 128, "cache_bits": 16}
LLAMA_70B = LLAMA_8B | {"parameters": 70_553_706_496, "kept": 2_102_665_216, "layers": 80}
FORMATS = {
    f"{bits} bits by {n}" if n else f"{bits} bits": {"bits": bits, "group": n}
    for bits, n in itertools.product((16, 8, 4, 3), (0, 32, 64, 128))
}
CARD = {"gib": 80.0, "usable": 0.9, "workspace_gb": 2.0}

again = calls.Calls("weight_bytes", lambda seed: (drawn(seed),))
rows_again = calls.Calls("rows_that_fit", lambda seed: (drawn(seed), CARD.copy(), 100))


def drawn(seed):
    """A model of random sizes with fewer heads in the cache than heads that ask."""
    some = random.Random(seed)
    kept, coded = some.randrange(10**6, 10**9), 128 * some.randrange(10**7, 10**8)
    model = {"parameters": kept + coded, "kept": kept, "bits": 4, "group": 64, "cache_bits": 16}
    return model | decoders.attention(some)


def size(model):
    """Codes, scales and what is kept, in bytes."""
    coded = model["parameters"] - model["kept"]
    scales = coded // model["group"] if model["group"] else 0
    return coded * model["bits"] / 8 + 2 * scales + 2 * model["kept"]


def fits(answer, model, card, context):
    """The answer says how many rows fit, as an int."""
    usable = card["usable"] * card["gib"] * 2**30 - card["workspace_gb"] * 10**9
    want = max(0, int((usable - size(model)) // decoders.cache_bytes(model, context)))
    got = answer.rows_that_fit(model, card, context)
    expect.true(type(got) is int and got == want, expected=f"the int {want}", got=repr(got))


@task("weight_bytes")
def test_codes_scales_and_kept_parts_are_counted(answer, seed):
    """Codes of `bits` bits, two bytes for each group's scale, two for each parameter that is kept.

    What stays in 16 bits does not shrink, and 4 bits with a scale for each 128 are 4.125.
    """
    for form in each(FORMATS):
        for model in (LLAMA_8B, LLAMA_70B, drawn(seed)):
            # Three sums of numbers below 2**40, each rounded to 53 bits.
            want = size(model | form)
            expect.close(answer.weight_bytes(model | form), want, atol=want * 2.0**-50)


@task("rows_that_fit")
def test_rows_beside_the_weights_are_counted(answer, seed):
    """Usable memory less workspace and weights, divided by a row's cache, is a whole number.

    Keys and values are two tensors, in every layer, with the heads of the cache.
    """
    for form in each(FORMATS):
        for model in (LLAMA_8B, drawn(seed), drawn(seed + 1)):
            for bits, context in itertools.product((16, 8, 6, 4), (512, 8192 + seed % 1000)):
                fits(answer, model | form | {"cache_bits": bits}, CARD, context)


@task("rows_that_fit")
def test_each_part_of_the_card_has_its_unit(answer, seed):
    """The memory is in GiB, the workspace in GB, and the share is of the whole memory.

    2**30 is 7 % more than 10**9: on a card of 80 GiB that is 6 GB.
    """
    for sizes in itertools.product((24.0, 80.0, 192.0), (0.8, 0.9, 0.95), (0.5, 3.0, 6.5)):
        card = dict(zip(CARD, sizes, strict=True))
        fits(answer, LLAMA_8B | FORMATS["4 bits by 128"], card, 128 + seed % 50)


@task("rows_that_fit")
def test_nothing_is_left_is_no_rows(answer, seed):
    """0 where the weights do not fit, or leave less than a row.

    A negative number of rows, or a fraction of one, serves nobody.
    """
    fits(answer, LLAMA_70B, CARD, 4096)
    almost = (size(LLAMA_8B) + 0.9 * decoders.cache_bytes(LLAMA_8B, 8192) + 10**9) / 2**30
    for gib in each({"no weights": 8.0, "no row": almost}):
        fits(answer, LLAMA_8B, {"gib": gib, "usable": 1.0, "workspace_gb": 1.0}, 8192)


@task("rows_that_fit")
@hardened
def test_last_byte_may_be_used(answer, seed):
    """A row that ends exactly where the memory ends fits; a context larger by one does not.

    Everything is a whole number of bytes here, so nothing is lost to rounding.
    """
    model = LLAMA_8B | {"parameters": 2**20 + 2**32, "kept": 2**20, "bits": 8}
    whole = size(model) + (3 + seed % 9) * decoders.cache_bytes(model, 1024)
    card = {"gib": whole / 2**30, "usable": 1.0, "workspace_gb": 0.0}
    fits(answer, model, card, 1024)
    fits(answer, model, card, 1025)
