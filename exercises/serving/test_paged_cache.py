"""What `blocks_needed` and `PagedCache` must do, one claim a check."""

import random

import torch

from halfbits.course.checks import cases, expect, hardened, task
from halfbits.course.checks.cases import each

WIDTH = 3
SIZES = {"blocks of 4": 4, "blocks of 1": 1, "blocks of 7": 7}


def filled(answer, seed, size=4, blocks=40, count=40):
    """A cache, and what three requests that grew in turn have put into it."""
    cache, buffer = answer.PagedCache(blocks, size, WIDTH), torch.empty(WIDTH)
    requests, entries = (
        random.Random(seed).choices("abc", k=count),
        cases.normal(seed, count, WIDTH),
    )
    for request, entry in zip(requests, entries, strict=True):
        cache.append(request, buffer.copy_(entry))  # as a model fills one buffer at every step
    return cache, {name: entries[[r == name for r in requests]] for name in "abc"}


def holds(cache, put):
    """The cache gives back what was put into it, and its tables say where it lies."""
    for request, rows in put.items():
        expect.same(cache.read(request), rows, of=f"read({request!r})")


def taken(lengths, size):
    """The blocks of requests of these lengths."""
    return sum((n + size - 1) // size for n in lengths)


@task("blocks_needed")
def test_each_request_rounds_up_alone(answer):
    """Blocks are counted for each request, rounded up, and added; no tokens take no block.

    A block belongs to one request: two halves of different requests are not one block.
    """
    for lengths in ([1], [16], [17], [1, 1, 1], [9, 8, 7], [0, 5], [300, 20, 16], []):
        for size in (1, 8, 16):
            got = answer.blocks_needed(lengths, size)
            expect.equal(got, taken(lengths, size), of=f"{lengths} in blocks of {size}: blocks")


@task("PagedCache")
def test_entries_come_back_in_the_order_of_their_request(answer, seed):
    """Each request reads its own entries, in order, though the caller fills one buffer anew.

    Blocks of different requests lie mixed in memory, and an entry has to be copied.
    """
    for size in each(SIZES):
        holds(*filled(answer, seed, size))


@task("PagedCache")
def test_entries_lie_where_the_table_says(answer, seed):
    """Entry i lies at memory[table[i // block_size], i % block_size]; no two tables share a block.

    A kernel reads memory and table, and never sees the class.
    """
    for size in each(SIZES):
        cache, put = filled(answer, seed, size)
        expect.array(cache.memory, torch.float32, (40, size, WIDTH), of="memory")
        tables = {name: cache.table(name) for name in put}
        for name, rows in put.items():
            blocks, places = [tables[name][i // size] for i in range(len(rows))], range(len(rows))
            lies = cache.memory[blocks, [i % size for i in places]]
            expect.same(lies, rows, of=f"memory by table({name!r}) = {tables[name]}")
        used = [block for table in tables.values() for block in table]
        expect.equal(len(used), len({*used}), of=f"different blocks in {tables}")


@task("PagedCache")
def test_block_is_taken_when_the_last_is_full(answer):
    """A request takes a block with its first entry, and another only when that one is full.

    Taken in advance, blocks stand empty, as a reservation does.
    """
    for size in each(SIZES):
        cache = answer.PagedCache(9, size, WIDTH)
        for n in range(2 * size + 1):
            expect.equal(9 - cache.free_blocks(), taken([n], size), of=f"blocks taken for {n}")
            cache.append("a", torch.zeros(WIDTH))


@task("PagedCache")
def test_released_blocks_are_used_again(answer, seed):
    """What a finished request gives back is enough for others; those that go on are not touched.

    The free blocks need not lie side by side.
    """
    cache, put = filled(answer, seed, size=2, blocks=22, count=36)
    released = put.pop("b")
    before = cache.free_blocks()
    cache.release("b")
    expect.equal(cache.free_blocks() - before, taken([len(released)], 2), of="blocks given back")
    put["d"] = cases.normal(seed + 1, 2 * cache.free_blocks(), WIDTH)
    for entry in put["d"]:
        cache.append("d", entry)
    expect.equal(cache.free_blocks(), 0, of="free blocks")
    holds(cache, put)


@task("PagedCache")
def test_released_request_starts_anew(answer, seed):
    """After its release a request has no entries and no blocks, and may come back.

    Names are used again; old entries must not reappear.
    """
    cache, _ = filled(answer, seed)
    cache.release("a")
    expect.equal(cache.table("a"), [], of="table of a released request")
    expect.same(cache.read("a"), torch.zeros(0, WIDTH), of="read of a released request")
    rows = cases.normal(seed + 1, 5, WIDTH)
    for entry in rows:
        cache.append("a", entry)
    holds(cache, {"a": rows})


@task("PagedCache")
def test_full_cache_raises_and_stays_as_it_was(answer, seed):
    """MemoryError comes only when a block is needed and none is free, and changes nothing.

    A request with room in its last block goes on; the others wait or are evicted.
    """
    cache, rows = answer.PagedCache(2, 3, WIDTH), cases.normal(seed, 6, WIDTH)
    for request, entry in zip("aaabaa", rows[:4], strict=False):
        cache.append(request, entry)
    expect.raises(MemoryError, lambda: cache.append("a", rows[4]))
    expect.raises(MemoryError, lambda: cache.append("new", rows[4]))
    cache.append("b", rows[5])
    holds(cache, {"a": rows[:3], "b": rows[[3, 5]], "new": rows[:0]})
    cache.release("b")
    cache.append("a", rows[4])
    holds(cache, {"a": rows[[0, 1, 2, 4]]})


@hardened
@task("PagedCache")
def test_unknown_request_has_nothing(answer):
    """A request that nobody has heard of reads [0, width], has no blocks, and can be released.

    A client may hang up before its first token, or twice.
    """
    cache = answer.PagedCache(3, 2, WIDTH)
    cache.release("x")
    cache.append("a", torch.ones(WIDTH))
    cache.release("a")
    cache.release("a")
    expect.equal(cache.free_blocks(), 3, of="free blocks")
    expect.equal(cache.table("x"), [], of="table('x')")
    expect.same(cache.read("x"), torch.zeros(0, WIDTH), of="read('x')")


@hardened
@task("PagedCache")
def test_what_was_read_stays(answer):
    """What `read` gave stays as it was when its block belongs to another request.

    A view of the memory would show the other's entries.
    """
    cache = answer.PagedCache(1, 4, WIDTH)
    cache.append("a", torch.ones(WIDTH))
    got = cache.read("a")
    cache.release("a")
    cache.append("b", torch.zeros(WIDTH))
    expect.same(got, torch.ones(1, WIDTH), of="what was read before")
