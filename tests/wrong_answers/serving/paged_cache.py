"""Wrong answers to serving/paged_cache: each is one misconception."""

UP = "sum(-(-n // block_size) for n in lengths)"
FULL = "if n % size == 0:"
ASK = 'if not self._free:\n                raise MemoryError("no block is free")\n'
TAKE = "self._free.pop()"
WRITE = "self.memory[self._tables[request][n // size], n % size] = entry"
READ = "return rows[: self._lengths.get(request, 0)]"
GATHER = "self.memory[self.table(request)].reshape(-1, self.memory.shape[2])"
GIVE = "self._free += self._tables.pop(request, [])"
FORGET = "self._lengths.pop(request, None)"
TABLE = "return list(self._tables.get(request, []))"

BESIDE = "self.__dict__.setdefault(request, []).append(entry.clone())"
INIT = "self._tables: dict[str, list[int]] = {}"

EQUIVALENT = {
    "self.memory = torch.ones(blocks, block_size, width)": "what nobody wrote is never read",
    "return self._tables.get(request, [])": "the rules do not say that the list is a copy",
    "return rows[: self._lengths.get(request, 1)]": "there are no rows to cut",
    "return rows[: self._lengths.get(request, -1)]": "there are no rows to cut",
}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers lists by id",
            "second call",
            f"return {UP}",
            f"return blocks_needed.__dict__.setdefault(id(lengths), {UP})",
        ),
    ],
    "test_each_request_rounds_up_alone": [
        ("rounded together", "one block", UP, "-(-sum(lengths) // block_size)"),
        ("rounded down", "two halves", UP, UP.replace("-(-n // block_size)", "n // block_size")),
        ("one more than full", "expected", UP, "sum(n // block_size + 1 for n in lengths)"),
        ("tokens", "expected", UP, "sum(lengths)"),
        (
            "all as the longest",
            "expected",
            UP,
            "len(lengths) * -(-max(lengths, default=0) // block_size)",
        ),
    ],
    "test_entries_come_back_in_the_order_of_their_request": [
        (
            "keeps the caller's tensor",
            "has to be copied",
            WRITE,
            "self.__dict__.setdefault('kept ' + request, []).append(entry)",
            f"rows = {GATHER}",
            "rows = torch.stack(self.__dict__['kept ' + request])",
        ),
        ("whole blocks", "expected", READ, "return rows"),
        ("places in the block only", "mixed", WRITE, WRITE.replace("n // size", "0")),
        (
            "one block after the other",
            "mixed",
            GATHER,
            "self.memory[self.table(request)[0] :].reshape(-1, self.memory.shape[2])",
        ),
        (
            "blocks by their number",
            "mixed",
            GATHER,
            "self.memory[sorted(self.table(request))].reshape(-1, self.memory.shape[2])",
        ),
        ("the newest first", "expected", READ, f"{READ}.flip(0)"),
        ("a view as it lies", "mixed", WRITE, f"{WRITE}.as_strided(entry.shape, (1,))"),
        (
            "the caller's buffer is emptied",
            "left as it was",
            WRITE,
            f"{WRITE}\n        entry.zero_()",
        ),
        (
            "one table for all caches",
            "expected",
            INIT,
            "self._tables = PagedCache.__dict__.get('_all', {})\n"
            "        PagedCache._all = self._tables\n"
            "        self._tables.clear()",
        ),
    ],
    "test_entries_lie_where_the_table_says": [
        (
            "the table backwards",
            "never sees the class",
            TABLE,
            "return list(reversed(self._tables.get(request, [])))",
            GATHER,
            GATHER.replace("self.table(request)", "self.table(request)[::-1]"),
        ),
        (
            "filled from the end",
            "never sees the class",
            WRITE,
            WRITE.replace("n % size]", "size - 1 - n % size]"),
            GATHER,
            GATHER.replace("]", "].flip(1)", 1),
        ),
        (
            "kept beside the memory",
            "memory",
            WRITE,
            BESIDE,
            f"rows = {GATHER}",
            "rows = torch.stack(self.__dict__[request])",
        ),
        (
            "read from beside the memory",
            "after memory.neg_()",
            WRITE,
            f"{WRITE}\n        {BESIDE}",
            f"rows = {GATHER}",
            "rows = torch.stack(self.__dict__[request])",
        ),
    ],
    "test_block_is_taken_when_the_last_is_full": [
        ("a block for each entry", "in advance", FULL, "if True:"),
        (
            "one block ahead",
            "in advance",
            "self._lengths[request] = n + 1",
            "self._lengths[request] = n + 1\n"
            "        if (n + 1) % size == 0:\n"
            "            self._tables[request].append(self._free.pop())",
            FULL,
            "if n == 0:",
        ),
    ],
    "test_released_blocks_are_used_again": [
        ("never given back", "given back", GIVE, "self._tables.pop(request, [])"),
        ("the first alone", "given back", GIVE, "self._free += self._tables.pop(request, [])[:1]"),
        (
            "side by side",
            "is not in list",
            TAKE,
            "self._free.pop(self._free.index(self._tables[request][-1] + 1)"
            " if self._tables[request] else 0)",
        ),
        (
            "all blocks are free again",
            "given back",
            GIVE,
            "self._tables.pop(request, [])\n        self._free = list(range(len(self.memory)))",
        ),
        ("its length stays", "self._tables[request]", FORGET, "pass"),
        ("its table stays", "released", GIVE, "self._free += self._tables.get(request, [])"),
    ],
    "test_full_cache_raises_and_stays_as_it_was": [
        ("an IndexError", "IndexError", ASK, "pass\n"),
        ("nothing happens", "nothing raised", 'raise MemoryError("no block is free")', "return"),
        (
            "asks before it looks",
            "MemoryError",
            FULL,
            "if not self._free:\n            raise MemoryError\n        if n % size == 0:",
        ),
        (
            "counts the entry that found no room",
            "IndexError",
            FULL,
            "self._lengths[request] = n + 1\n        if n % size == 0:",
        ),
        (
            "a block from a neighbor",
            "nothing raised",
            'raise MemoryError("no block is free")',
            "self._free.append(next(iter(self._tables.values()))[0])",
        ),
    ],
    "test_unknown_request_has_nothing": [
        ("a KeyError", "KeyError", GIVE, "self._free += self._tables.pop(request)"),
        ("a KeyError in read", "KeyError", READ, "return rows[: self._lengths[request]]"),
    ],
    "test_what_was_read_stays": [
        (
            "a view",
            "the other's entries",
            f"rows = {GATHER}",
            "table = self.table(request)\n"
            "        rows = self.memory[table[0]] if len(table) == 1 else " + GATHER,
        ),
    ],
}
