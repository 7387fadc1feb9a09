"""Wrong answers to quantization/true_bits: each is one misconception."""

CODES = "codes = 8 * -(-columns * bits // 8)"
GROUPS = "groups = 1 if group is None else -(-columns // group)"
ALL = "return rows * (codes + groups * (scale_bits + zero_bits))"
WEIGHTS = 'weights = sum(layer["rows"] * layer["columns"] for layer in layers)'
MEAN = "return sum(layer_bits(**layer) for layer in layers) / weights"
OWN = 'layer_bits(**layer) / (layer["rows"] * layer["columns"])'
NONE = "raise ValueError"

EQUIVALENT = {}

WRONG = {
    "test_groups_along_a_row_have_a_scale_each": [
        ("the codes alone", "Groups lie along a row", ALL, "return rows * codes"),
        (
            "groups along a column",
            "Groups lie along a row",
            ALL,
            "return rows * codes + columns * -(-rows // group) * (scale_bits + zero_bits)",
        ),
        (
            "one row of scales for all rows",
            "Groups lie along a row",
            ALL,
            "return rows * codes + groups * (scale_bits + zero_bits)",
        ),
        (
            "a scale for each weight",
            "Groups lie along a row",
            GROUPS,
            "groups = columns",
        ),
        ("bytes", "Groups lie along a row", ALL, f"{ALL} // 8"),
        ("a float", "type of", ALL, ALL.replace("rows * (", "float(rows) * (")),
        (
            "as many groups as their length",
            "Groups lie along a row",
            GROUPS,
            "groups = 1 if group is None else group",
        ),
    ],
    "test_zero_point_and_scale_have_their_own_widths": [
        ("without the zero points", "expected", ALL, ALL.replace(" + zero_bits", "")),
        (
            "zero points as wide as codes",
            "expected",
            ALL,
            ALL.replace("zero_bits", "(bits if zero_bits else 0)"),
        ),
        ("scales of 16 bits always", "expected", ALL, ALL.replace("scale_bits", "16")),
        (
            "zero points for each row",
            "expected",
            ALL,
            "return rows * (codes + groups * scale_bits + zero_bits)",
        ),
    ],
    "test_no_group_is_one_scale_for_each_row": [
        (
            "one scale for the layer",
            "another layout",
            ALL,
            "scales = 1 if group is None else rows * groups\n"
            "    return rows * codes + scales * (scale_bits + zero_bits)",
        ),
        ("no scale", "another layout", GROUPS, GROUPS.replace("1 if", "0 if")),
        (
            "a scale for each column",
            "another layout",
            GROUPS,
            GROUPS.replace("1 if", "columns if"),
        ),
    ],
    "test_short_last_group_has_a_whole_scale": [
        (
            "whole groups only",
            "longer than the row",
            GROUPS,
            GROUPS.replace("-(-columns // group)", "columns // group"),
        ),
        (
            "a share of a scale",
            "type of",
            GROUPS,
            GROUPS.replace("-(-columns // group)", "columns / group"),
        ),
        (
            "groups across rows",
            "longer than the row",
            ALL,
            "groups = rows if group is None else -(-rows * columns // group)\n"
            "    return rows * codes + groups * (scale_bits + zero_bits)",
        ),
        (
            "the tail filled up with codes",
            "longer than the row",
            CODES,
            "codes = bits * (columns if group is None else group * -(-columns // group))",
        ),
    ],
    "test_codes_of_a_row_fill_whole_bytes": [
        ("codes without padding", "share a byte", CODES, "codes = columns * bits"),
        ("cut to whole bytes", "share a byte", CODES, "codes = 8 * (columns * bits // 8)"),
        (
            "a padding for the layer, not for each row",
            "share a byte",
            ALL,
            "return 8 * -(-rows * columns * bits // 8) + rows * groups * (scale_bits + zero_bits)",
        ),
        ("a byte for each code", "share a byte", CODES, "codes = 8 * columns * -(-bits // 8)"),
    ],
    "test_layers_weigh_by_their_weights": [
        (
            "the mean of the layers",
            "one size",
            MEAN,
            f"return sum({OWN} for layer in layers) / len(layers)",
        ),
        (
            "the mean of the layers, by rows",
            "one size",
            MEAN,
            f'return sum(layer["rows"] * {OWN} for layer in layers)'
            ' / sum(layer["rows"] for layer in layers)',
        ),
        ("all bits", "off by", MEAN, MEAN.replace(" / weights", "")),
    ],
    "test_layers_in_16_bits_are_counted_too": [
        (
            "quantized layers only",
            "has 4.1",
            WEIGHTS,
            f'layers = [layer for layer in layers if layer["bits"] < 16]\n    {WEIGHTS}',
        ),
        (
            "the kept layers' bits, but not their weights",
            "has 4.1",
            WEIGHTS,
            WEIGHTS.replace("in layers)", 'in layers if layer["bits"] < 16)'),
        ),
    ],
    "test_no_layers_are_refused": [
        ("none takes nothing", "nothing raised", NONE, "return 0.0  #"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MEAN,
            f"return bits_a_weight.__dict__.setdefault(id(layers), {MEAN[7:]})",
        ),
    ],
}
