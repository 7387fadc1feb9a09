"""Wrong answers to serving/write_a_checkpoint: each is one misconception."""

BLOCKS = "w.numpy().reshape(-1, 32)"
SCALE = "np.abs(blocks).max(axis=1, keepdims=True) / 127"
CODES = "np.round(blocks / np.where(scale == 0, 1, scale)).astype(np.int8)"
BYTES = 'np.concatenate([scale.astype("<f2").view(np.uint8), codes.view(np.uint8)], 1).tobytes()'
STRING = 'struct.pack("<Q", len(text.encode())) + text.encode()'
COUNTS = 'struct.pack("<IQQ", 3, len(tensors), 1)'
ENTRY = 'string("general.architecture") + struct.pack("<I", 8) + string("llama")'
KIND = "0 if tensor.dim() == 1 else 8"
DIMENSIONS = "reversed(tensor.shape)"
OFFSET = 'struct.pack("<IQ", kind, len(data))'
PAD = "data += bytes(-len(data) % 32)"
HEADER_PAD = "header + bytes(-len(header) % 32) + data"
FLOATS = 'tensor.numpy().astype("<f4").tobytes()'

NAN = "0 / 0 becomes the code 0 where the tests run, with a warning"
EQUIVALENT = {
    "blocks = w.numpy().reshape(-2, 32)": "numpy takes any negative number for the open axis",
    f"codes = {CODES.replace('== 0, 1', '== 1, 1')}": NAN,
    f"codes = {CODES.replace('== 0, 1', '== -1, 1')}": NAN,
    f"codes = {CODES.replace('== 0, 1', '== 0, 0')}": NAN,
    f"codes = {CODES.replace('== 0, 1', '== 0, 2')}": "zeros are zeros with any scale",
}

WRONG = {
    "test_block_is_a_scale_and_its_codes": [
        (
            "codes first",
            "expected",
            BYTES,
            BYTES.replace(
                'scale.astype("<f2").view(np.uint8), codes.view(np.uint8)',
                'codes.view(np.uint8), scale.astype("<f2").view(np.uint8)',
            ),
        ),
        (
            "all scales, then all codes",
            "expected",
            BYTES,
            'scale.astype("<f2").tobytes() + codes.tobytes()',
        ),
        ("a float32 scale", "bytes of", BYTES, BYTES.replace("<f2", "<f4")),
        ("big-endian", "expected", BYTES, BYTES.replace("<f2", ">f2")),
        (
            "bfloat16",
            "expected",
            BYTES,
            'np.concatenate([(scale.astype("<f4").view("<u4") >> 16)'
            '.astype("<u2").view(np.uint8), codes.view(np.uint8)], 1).tobytes()',
        ),
        ("blocks down a column", "expected", BLOCKS, "w.numpy().T.reshape(-1, 32)"),
        ("128 levels", "expected", SCALE, SCALE.replace("127", "128")),
        ("truncated", "steps", CODES, CODES.replace("np.round", "np.trunc")),
        ("one scale a row", "expected", SCALE, f"np.full((len(blocks), 1), ({SCALE}).max())"),
        ("an array", "bytes", BYTES, BYTES.removesuffix(".tobytes()")),
        (
            "one scale where it is square",
            "expected",
            SCALE,
            f"{SCALE}\n    scale[:] = scale.max() if w.shape[0] == w.shape[1] else scale",
        ),
    ],
    "test_block_of_zeros_is_zeros": [
        ("a scale of 1", "anything but zeros", SCALE, f"{SCALE}\n    scale[scale == 0] = 1"),
        (
            "codes of 1",
            "anything but zeros",
            CODES,
            CODES.replace("np.round(", "np.round((scale == 0) + "),
        ),
    ],
    "test_gguf_finds_names_shapes_and_types": [
        ("no reversal", "last one first", DIMENSIONS, "tensor.shape"),
        ("all in float32", "expected", KIND, "0"),
        ("the wrong type number", "expected", KIND, "0 if tensor.dim() == 1 else 7"),
        ("big-endian", "expected", "<IQQ", ">IQQ"),
        ("strings end with a zero", "expected", STRING, "text.encode() + bytes(1)"),
        ("version 2", "version", COUNTS, COUNTS.replace("3", "2")),
        ("no metadata", "expected", COUNTS, COUNTS.replace(", 1)", ", 0)")),
        ("lengths of 4 bytes", "expected", STRING, STRING.replace("<Q", "<I")),
    ],
    "test_gguf_finds_the_values": [
        (
            "a line of padding after a whole line",
            "a vector alone",
            HEADER_PAD,
            "header + bytes(32 - len(header) % 32) + data",
        ),
        (
            "offsets in the file",
            "expected",
            OFFSET,
            OFFSET.replace("len(data)", "len(header) + len(data)"),
        ),
        ("every offset is 0", "expected", OFFSET, OFFSET.replace("len(data)", "0")),
        ("no padding before the data", "expected", HEADER_PAD, "header + data"),
        ("float16 vectors", "expected", FLOATS, FLOATS.replace("<f4", "<f2")),
        (
            "offsets without padding",
            "expected",
            OFFSET,
            OFFSET.replace(
                "len(data)",
                "sum(t.numel() * 4 if t.dim() == 1 else t.numel() // 32 * 34"
                " for t in list(tensors.values())[:list(tensors).index(name)])",
            ),
        ),
    ],
    "test_data_are_aligned": [
        ("tensors one after the other", "modulo 32", PAD, "pass"),
        ("multiples of 8", "modulo 32", PAD, PAD.replace("32", "8")),
    ],
    "test_this_book_reads_the_same": [
        ("another architecture", "llama", ENTRY, ENTRY.replace('"llama"', '"tiny"')),
        (
            "another key",
            "architecture",
            ENTRY,
            ENTRY.replace("general.architecture", "architecture"),
        ),
        ("sorted by name", "names", "in tensors.items()", "in sorted(tensors.items())"),
    ],
    "test_length_of_a_string_is_in_bytes": [
        ("letters", "expected", STRING, STRING.replace("len(text.encode())", "len(text)")),
    ],
}
