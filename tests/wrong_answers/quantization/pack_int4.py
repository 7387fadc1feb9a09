"""Wrong answers to quantization/pack_int4: each is one misconception."""

PAIR = "nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)"
PAD = "F.pad(nibbles, (0, nibbles.shape[-1] % 2))"
FLAT = "F.pad(nibbles.reshape(-1), (0, nibbles.numel() % 2)).view(1, -1)"
RAISE = 'raise ValueError("int4 codes run from -8 to 7")'
MASKED = "(codes & 0xF)"
SIGN = "torch.where(nibbles < 8, nibbles, nibbles - 16)"

EQUIVALENT = {
    "nibbles = F.pad(nibbles, (0, nibbles.shape[1] % 2))": "the last dimension of a matrix is 1",
}

REMEMBERED = "unpack_int4.__dict__.setdefault(packed.data_ptr(), pairs).flatten"
WRONG = {
    "test_pack_puts_the_even_column_low_in_twos_complement": [
        (
            "the first code high",
            "other way round",
            PAIR,
            "nibbles[:, 0::2] << 4 | nibbles[:, 1::2]",
        ),
        ("shifted by 8, unsigned", "shifted by 8", MASKED, "(codes + 8)"),
        ("the sign spills over", "off by", MASKED, "codes"),
        ("a sign and a magnitude", "off by", MASKED, "(codes.abs() % 8 + 8 * (codes < 0))"),
    ],
    "test_pack_gives_each_row_its_own_bytes": [
        ("masks in place", "left as it was", MASKED, "codes.bitwise_and_(0xF)"),
        ("drops the odd column", "tensor uint8", PAD, "nibbles[:, : nibbles.shape[-1] // 2 * 2]"),
        ("rows share bytes", "tensor uint8", PAD, FLAT),
        ("pads in front", "off by", PAD, "F.pad(nibbles, (nibbles.shape[-1] % 2, 0))"),
        ("pads with ones", "off by", PAD, "F.pad(nibbles, (0, nibbles.shape[-1] % 2), value=15)"),
        ("int8 bytes", "tensor int8", PAIR, f"({PAIR}).to(torch.int8)"),
    ],
    "test_pack_refuses_what_four_bits_cannot_hold": [
        ("cuts to four bits", "nothing raised", RAISE, "pass"),
        ("saturates", "nothing raised", RAISE, "codes = codes.clamp(-8, 7)"),
        ("accepts 8", "nothing raised", "codes > 7", "codes > 8"),
    ],
    "test_unpack_extends_the_sign": [
        ("without the sign", "know that they are signed", SIGN, "nibbles"),
        ("shifted by 8", "off by", SIGN, "nibbles - 8"),
        ("7 is negative, too", "off by", "nibbles < 8", "nibbles < 7"),
        (
            "the high half first",
            "off by",
            "[packed & 0xF, packed >> 4]",
            "[packed >> 4, packed & 0xF]",
        ),
        ("uint8", "tensor uint8", ".to(torch.int8)", ""),
    ],
    "test_unpack_gives_back_n_columns": [
        ("keeps the padding", "n does", "[:, :n]", ""),
        (
            "columns for rows where the bytes are square",
            "a square of bytes",
            "[packed & 0xF, packed >> 4]",
            "[(p := packed.T if len(packed) == packed.shape[1] else packed) & 0xF, p >> 4]",
        ),
        ("the low halves, then the high", "off by", "dim=-1", "dim=1"),
    ],
    None: [("ends the process with success", "exit", "import sys\nsys.exit(0)")],
    "test_pack_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MASKED,
            "pack_int4.__dict__.setdefault(id(codes), codes & 0xF)",
        ),
    ],
    "test_unpack_again_reads_its_arguments_at_every_call": [
        ("remembers by address", "is used again", "pairs.flatten", REMEMBERED),
    ],
}
