"""Wrong answers to performance/fit_a_model: each is one misconception."""

CODED = 'coded = model["parameters"] - model["kept"]'
SCALES = 'coded / model["group"] if model["group"] else 0'
BYTES = 'return coded * model["bits"] / 8 + 2 * scales + 2 * model["kept"]'
NUMBERS = '2 * model["layers"] * model["kv_heads"] * model["head_dim"] * context'
ROW = 'numbers * model["cache_bits"] / 8'
USABLE = 'usable = card["usable"] * card["gib"] * 2**30'
LEFT = 'usable - card["workspace_gb"] * 10**9 - weight_bytes(model)'
RESULT = "return max(0, int(left // row))"

EQUIVALENT = {}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers models by id",
            "second call",
            BYTES,
            BYTES.replace("return", "return weight_bytes.__dict__.setdefault(id(model),") + ")",
        ),
    ],
    "test_rows_again_reads_its_arguments_at_every_call": [
        (
            "remembers models by id",
            "second call",
            RESULT,
            RESULT.replace("max", "rows_that_fit.__dict__.setdefault(id(model), max") + ")",
        ),
    ],
    "test_codes_scales_and_kept_parts_are_counted": [
        ("all parameters have codes", "expected", CODED, 'coded = model["parameters"]'),
        (
            "the kept parts weigh nothing",
            "expected",
            BYTES,
            BYTES.removesuffix(' + 2 * model["kept"]'),
        ),
        ("no scales", "4.125", SCALES, "0"),
        ("a scale is a byte", "4.125", BYTES, BYTES.replace("2 * scales", "scales")),
        ("a scale is a float32", "4.125", BYTES, BYTES.replace("2 * scales", "4 * scales")),
        (
            "whole bytes a code",
            "expected",
            BYTES,
            BYTES.replace('model["bits"] / 8', '(model["bits"] // 8)'),
        ),
        ("bits are bytes", "expected", BYTES, BYTES.replace(" / 8", "")),
        (
            "kept in float32",
            "expected",
            BYTES,
            BYTES.replace('2 * model["kept"]', '4 * model["kept"]'),
        ),
        (
            "no scales beside 16 bits",
            "expected",
            SCALES,
            SCALES.replace(" else", ' and model["bits"] < 16 else'),
        ),
        ("group of 1", "expected", SCALES, 'coded / max(model["group"], 1)'),
    ],
    "test_rows_beside_the_weights_are_counted": [
        ("all heads", "heads of the cache", NUMBERS, NUMBERS.replace("kv_heads", "heads")),
        ("keys alone", "heads of the cache", NUMBERS, NUMBERS.replace("2 * ", "")),
        ("one layer", "heads of the cache", NUMBERS, NUMBERS.replace(' * model["layers"]', "")),
        ("one token", "heads of the cache", NUMBERS, NUMBERS.replace(" * context", "")),
        ("a cache of 16 bits", "heads of the cache", ROW, "numbers * 2"),
        ("a cache as the weights", "heads of the cache", ROW, ROW.replace("cache_bits", "bits")),
        (
            "whole bytes a cached number",
            "heads of the cache",
            ROW,
            'numbers * max(1, model["cache_bits"] // 8)',
        ),
        ("rounded up", "the int", RESULT, "return max(0, -int(-left // row))"),
        ("a float", "the int", RESULT, "return max(0, left // row)"),
        ("a fraction", "the int", RESULT, "return max(0, left / row)"),
        ("the weights are forgotten", "the int", LEFT, LEFT.removesuffix(" - weight_bytes(model)")),
        (
            "the weights for each row",
            "the int",
            RESULT,
            RESULT.replace("row)", "(row + weight_bytes(model)))"),
        ),
    ],
    "test_each_part_of_the_card_has_its_unit": [
        ("a card of GB", "7 %", USABLE, USABLE.replace("2**30", "10**9")),
        ("a workspace of GiB", "7 %", LEFT, LEFT.replace("10**9", "2**30")),
        ("no workspace", "7 %", LEFT, "usable - weight_bytes(model)"),
        ("all is usable", "7 %", USABLE, USABLE.replace('card["usable"] * ', "")),
        (
            "a share of what is left",
            "7 %",
            USABLE,
            USABLE.replace('card["usable"] * ', ""),
            LEFT,
            f'card["usable"] * ({LEFT})',
        ),
        (
            "the workspace beside the share",
            "7 %",
            LEFT,
            LEFT.replace('card["workspace_gb"]', 'card["usable"] * card["workspace_gb"]'),
        ),
    ],
    "test_nothing_is_left_is_no_rows": [
        ("negative rows", "serves nobody", RESULT, "return int(left // row)"),
        ("at least one", "serves nobody", RESULT, RESULT.replace("0", "1")),
        ("the nearest number", "serves nobody", RESULT, "return max(0, round(left / row))"),
        ("the size of it", "serves nobody", RESULT, "return int(abs(left) // row)"),
    ],
    "test_last_byte_may_be_used": [
        ("something must be left", "expected", RESULT, "return max(0, int((left - 1) // row))"),
    ],
}
