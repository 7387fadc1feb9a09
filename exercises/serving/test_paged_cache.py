"""What `blocks_needed` and `PagedCache` must do, one claim a check."""

import random

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

WIDTH = 3
SIZES = {"blocks of 4": 4, "blocks of 1": 1, "blocks of 7": 7}

again = calls.Calls("blocks_needed", lambda seed: ([9 + seed % 5 * 8, 4, 17], 4), room=0)


def filled(answer, seed, size=4, blocks=40, count=40):
    """A cache, and what three requests that grew in turn have put into it."""
    cache, column = answer.PagedCache(blocks, size, WIDTH), torch.zeros(WIDTH, 2)[:, 0]
    requests = random.Random(seed).choices("abc", k=count)
    entries = cases.normal(seed, count, WIDTH)
    for request, entry in zip(requests, entries, strict=True):
        cache.append(request, column.copy_(entry))  # a model fills one buffer at every step
    return cache, {name: entries[[r == name for r in requests]] for name in "abc"}


def holds(cache, put, of=""):
    """Each request reads these rows."""
    for request, rows in put.items():
        expect.same(cache.read(request), rows, of=f"read({request!r}){of}")


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
    """Each request of each cache reads its own entries, in order, though one buffer brings them.

    Blocks of different requests lie mixed in memory, and an entry has to be copied.
    """
    for size in each(SIZES):
        caches = [filled(answer, seed + number, size) for number in range(2)]
        for cache, put in caches:
            holds(cache, put)


@task("PagedCache")
def test_entries_lie_where_the_table_says(answer, seed):
    """Entry i lies at memory[table[i // block_size], i % block_size], where read takes it from.

    A kernel reads and writes there by the table, and never sees the class: no two tables share a
    block, and what it writes is read.
    """
    for size in each(SIZES):
        cache, put = filled(answer, seed, size)
        expect.array(cache.memory, torch.float32, (40, size, WIDTH), of="memory")
        tables = {name: cache.table(name) for name in put}
        for name, rows in put.items():
            places = [(tables[name][i // size], i % size) for i in range(len(rows))]
            lies = torch.stack([cache.memory[place] for place in places])
            expect.same(lies, rows, of=f"memory by table({name!r}) = {tables[name]}")
        used = [block for table in tables.values() for block in table]
        expect.equal(len(used), len({*used}), of=f"different blocks in {tables}")
        cache.memory.neg_()
        holds(cache, {name: -rows for name, rows in put.items()}, " after memory.neg_()")


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
    """A released request has nothing and may come back; what it gave back is enough for others.

    Names are used again, and the free blocks need not lie side by side. Those that go on are not
    touched.
    """
    cache, put = filled(answer, seed, size=2, blocks=22, count=36)
    before, blocks = cache.free_blocks(), taken([len(put["b"])], 2)
    cache.release("b")
    expect.equal(cache.free_blocks() - before, blocks, of="blocks given back")
    expect.equal(cache.table("b"), [], of="table of a released request")
    holds(cache, {"b": torch.zeros(0, WIDTH)}, " after its release")
    entries = cases.normal(seed + 1, 2 * cache.free_blocks(), WIDTH)
    put["b"], put["d"] = entries.tensor_split([4])
    for request in "bd":
        for entry in put[request]:
            cache.append(request, entry)
    holds(cache, put)


@task("PagedCache")
def test_full_cache_raises_and_stays_as_it_was(answer, seed):
    """MemoryError comes only when a block is needed and none is free, and changes nothing.

    A request with room in its last block goes on; the others wait or are evicted.
    """
    cache, rows = answer.PagedCache(2, 3, WIDTH), cases.normal(seed, 6, WIDTH)
    for request, entry in zip("aaab", rows[:4], strict=True):
        cache.append(request, entry)
    for request in ("a", "new"):
        expect.raises(MemoryError, lambda: cache.append(request, rows[4]))  # noqa: B023
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
    cache.append("a", torch.ones(WIDTH))
    for request in ("x", "a", "a"):
        cache.release(request)
    expect.equal((cache.free_blocks(), cache.table("x")), (3, []), of="free blocks and table('x')")
    holds(cache, {"x": torch.zeros(0, WIDTH)})


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
    cache.read("b")
    expect.same(got, torch.ones(1, WIDTH), of="what was read before")
