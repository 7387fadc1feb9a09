"""Wrong answers to performance/roofline: each is one misconception."""

OPERATIONS = "operations = 2 * rows * inputs * outputs"
WEIGHTS = 'inputs * outputs * layer["weight_bits"] / 8'
MOVED = f"{WEIGHTS} + 2 * rows * (inputs + outputs)"
PEAK = 'card["peak"][layer["arithmetic"]]'
RESULT = f'return max(operations / {PEAK}, moved / card["bandwidth"])'
READING = f'{WEIGHTS} / card["bandwidth"]'
COMPUTING = f"2 * inputs * outputs / {PEAK}"
MOVING = "2 * (inputs + outputs)"
CROSSOVER = "return reading / (computing - moving) if computing > moving else math.inf"
BY_BITS = """card["peak"]["int8" if layer["weight_bits"] <= 8.25 else "bf16"]"""

EQUIVALENT = {
    "return reading / (computing - moving) if (computing >= moving) else math.inf": (
        "two equal floats out of such sizes do not occur"
    ),
}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers layers by id",
            "second call",
            RESULT,
            RESULT.replace("max", "layer_seconds.__dict__.setdefault(id(layer), max") + ")",
        ),
    ],
    "test_crossover_again_reads_its_arguments_at_every_call": [
        (
            "remembers layers by id",
            "second call",
            CROSSOVER,
            CROSSOVER.replace("return", "return crossover_rows.__dict__.setdefault(id(layer),")
            + ")",
        ),
    ],
    "test_few_rows_take_the_time_of_the_bytes_and_many_that_of_the_operations": [
        ("a product and a sum are one", "arithmetic", OPERATIONS, OPERATIONS.replace("2 * ", "")),
        ("the peak of the bits", "arithmetic", RESULT, RESULT.replace(PEAK, BY_BITS)),
        ("the bytes alone", "arithmetic", RESULT, 'return moved / card["bandwidth"]'),
        (
            "four bits are four times as fast",
            "arithmetic",
            RESULT,
            RESULT.replace(PEAK, f"{PEAK} / layer['weight_bits'] * 16"),
        ),
        ("always bf16", "arithmetic", RESULT, RESULT.replace('layer["arithmetic"]', '"bf16"')),
        ("the weights for each row", "read once", MOVED, f"rows * {MOVED}"),
        ("bits are bytes", "read once", MOVED, MOVED.replace(" / 8", "")),
        ("weights of 16 bits", "read once", MOVED, MOVED.replace('layer["weight_bits"] / 8', "2")),
        ("the faster of the two", "read once", RESULT, RESULT.replace("max", "min")),
        ("the operations alone", "read once", RESULT, f"return operations / {PEAK}"),
        ("no activations", "read once", MOVED, WEIGHTS),
        ("no result is written", "read once", MOVED, MOVED.replace(" + outputs", "")),
        ("activations as the weights", "read once", MOVED, f"{MOVED} * layer['weight_bits'] / 16"),
    ],
    "test_slower_of_the_two_counts_alone": [
        (
            "one after the other",
            "not their sum",
            RESULT,
            RESULT.replace("max(", "sum([")[:-1] + "])",
        ),
    ],
    "test_both_times_are_equal_at_the_crossover": [
        ("without activations", "expected", CROSSOVER, "return reading / computing"),
        (
            "activations on the other side",
            "expected",
            CROSSOVER,
            "return reading / (computing + moving)",
        ),
        ("the ridge", "expected", CROSSOVER, f'return {PEAK} / card["bandwidth"]'),
        (
            "whole rows",
            "expected",
            CROSSOVER,
            CROSSOVER.replace("return ", "return 1.0 * round(").replace(" if", ") if"),
        ),
        ("a product is one operation", "expected", COMPUTING, COMPUTING.removeprefix("2 * ")),
        ("activations of one byte", "expected", MOVING, "(inputs + outputs)"),
        ("upside down", "expected", CROSSOVER, "return (computing - moving) / reading"),
        ("bits are bytes", "expected", READING, READING.replace(" / 8", "")),
    ],
    "test_fewer_bits_reach_the_crossover_earlier": [
        (
            "the bits do not matter",
            "half of the rows",
            READING,
            READING.replace('layer["weight_bits"] / 8', "2"),
        ),
        ("the peak of the bits", "half of the rows", COMPUTING, COMPUTING.replace(PEAK, BY_BITS)),
        (
            "always bf16",
            "more rows in int8",
            COMPUTING,
            COMPUTING.replace('layer["arithmetic"]', '"bf16"'),
        ),
    ],
    "test_narrow_layers_never_reach_it": [
        ("a negative number of rows", "inf", CROSSOVER, "return reading / (computing - moving)"),
        ("never is 0", "inf", CROSSOVER, CROSSOVER.replace("math.inf", "0.0")),
        ("the distance", "inf", CROSSOVER, "return reading / abs(computing - moving)"),
    ],
}
