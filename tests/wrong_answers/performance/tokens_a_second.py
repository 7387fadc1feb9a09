"""Wrong answers to performance/tokens_a_second: each is one misconception."""

NUMBERS = '2 * model["layers"] * model["kv_heads"] * model["head_dim"]'
CACHE = 'rows * context * numbers * model["cache_bits"] / 8'
WEIGHTS = 'model["weights"] * model["bits"] / 8'
ATTENTION = '4 * model["layers"] * model["heads"] * model["head_dim"] * context'
OPERATIONS = 'rows * (2 * model["weights"] + attention)'
MOVING = 'moving = step_bytes(model, rows, context) / card["bandwidth"]'
SECONDS = 'max(moving, operations / card["peak"])'
REFUSED = 'if not (card["bandwidth"] > 0 and card["peak"] > 0):'
RESULT = 'return {"all": rows / seconds, "each": 1 / seconds}'

SLOW = "no card reads or computes one a second, or less"
EQUIVALENT = {
    REFUSED.replace('["bandwidth"] > 0', '["bandwidth"] > 1'): SLOW,
    REFUSED.replace('["peak"] > 0', '["peak"] > 1'): SLOW,
}

WRONG = {
    "test_bytes_again_reads_its_arguments_at_every_call": [
        (
            "remembers models by id",
            "second call",
            f"return {WEIGHTS} + cache",
            f"return step_bytes.__dict__.setdefault(id(model), {WEIGHTS} + cache)",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers models by id",
            "second call",
            RESULT,
            RESULT.replace("{", "tokens_a_second.__dict__.setdefault(id(model), {") + ")",
        ),
    ],
    "test_weights_are_read_once_and_caches_for_each_row": [
        ("the weights for each row", "a cache serves one", WEIGHTS, f"rows * {WEIGHTS}"),
        ("no cache", "a cache serves one", f"{WEIGHTS} + cache", WEIGHTS),
        ("one cache for all", "a cache serves one", CACHE, CACHE.removeprefix("rows * ")),
        ("the new token alone", "a cache serves one", CACHE, CACHE.replace("context * ", "")),
        ("keys alone", "a cache serves one", NUMBERS, NUMBERS.removeprefix("2 * ")),
        ("one layer", "a cache serves one", NUMBERS, '2 * model["kv_heads"] * model["head_dim"]'),
        ("bits are bytes", "a cache serves one", WEIGHTS, WEIGHTS.removesuffix(" / 8")),
        ("weights of 16 bits", "a cache serves one", WEIGHTS, 'model["weights"] * 2'),
        ("a cache of bits", "a cache serves one", CACHE, CACHE.removesuffix(" / 8")),
        ("all heads", "bits of its own", NUMBERS, NUMBERS.replace("kv_heads", "heads")),
        ("the bits of the weights", "bits of its own", CACHE, CACHE.replace("cache_bits", "bits")),
        ("always 16 bits", "bits of its own", CACHE, "rows * context * numbers * 2"),
    ],
    "test_bytes_decide_on_a_card_that_computes_fast": [
        ("all is one user's", "rows", RESULT, RESULT.replace("rows / seconds", "1 / seconds")),
        (
            "each is a share of it",
            "one",
            RESULT,
            RESULT.replace("1 / seconds", "1 / seconds / rows"),
        ),
        ("seconds", "expected", RESULT, 'return {"all": seconds, "each": seconds / rows}'),
        ("exchanged", "expected", RESULT, 'return {"each": rows / seconds, "all": 1 / seconds}'),
        ("a pair", "all", RESULT, "return rows / seconds, 1 / seconds"),
        ("batching is free", "expected", MOVING, MOVING.replace("rows", "1")),
        ("batching is useless", "expected", MOVING, f"{MOVING} * rows"),
    ],
    "test_operations_decide_on_a_card_that_reads_fast": [
        ("one row's operations", "every weight", OPERATIONS, OPERATIONS.removeprefix("rows * ")),
        ("no attention", "every weight", OPERATIONS, OPERATIONS.replace(" + attention", "")),
        ("a product is one operation", "every weight", OPERATIONS, OPERATIONS.replace("2 * ", "")),
        (
            "the heads of the cache",
            "every weight",
            ATTENTION,
            ATTENTION.replace("heads", "kv_heads"),
        ),
        ("scores alone", "every weight", ATTENTION, ATTENTION.replace("4 *", "2 *")),
        (
            "one layer's attention",
            "every weight",
            ATTENTION,
            '4 * model["heads"] * model["head_dim"] * context',
        ),
        ("the bytes alone", "every weight", SECONDS, "moving"),
    ],
    "test_slower_of_the_two_counts_alone": [
        ("one after the other", "not their sum", SECONDS, SECONDS.replace("max(", "sum((") + ")"),
        ("the faster of the two", "not their sum", SECONDS, SECONDS.replace("max", "min")),
    ],
    "test_card_that_does_nothing_is_refused": [
        ("0 alone", "nothing raised", REFUSED, 'if not (card["bandwidth"] and card["peak"]):'),
        ("NaN passes", "nothing raised", REFUSED, 'if min(card["bandwidth"], card["peak"]) <= 0:'),
        ("an infinite rate", "expected", REFUSED, "if False:"),
        ("the bandwidth alone", "peak", REFUSED, 'if not card["bandwidth"] > 0:'),
    ],
}
