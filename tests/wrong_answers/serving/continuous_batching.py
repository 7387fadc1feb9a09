"""Wrong answers to serving/continuous_batching: each is one misconception."""

NOW = "now = max(now, arrivals[first])"
BATCH = "batch = here[:slots]"
DONE = "finished += [now + n for n in batch]"
ON = "now += max(batch)"
START = "start = max(arrival, heapq.heappop(free))"
END = "heapq.heappush(free, start + length)"
NOTED = "finished.append(start + length)"

ALIKE = "both lists have a place for each request"
ZIPPED = "zip(arrivals[first:], lengths[first:]"
EARLY = "nobody arrives before step 0"
EQUIVALENT = {
    "finished, now = [], -1": EARLY,
    "free, finished = [-1] * slots, []": EARLY,
    f"here = [n for a, n in {ZIPPED}) if a <= now]": ALIKE,
    f"here = [n for a, n in {ZIPPED}, strict=False) if a <= now]": ALIKE,
    "for arrival, length in zip(arrivals, lengths):": ALIKE,
    "for arrival, length in zip(arrivals, lengths, strict=False):": ALIKE,
}

LOCKSTEP = """
def continuous_batching(arrivals, lengths, slots):
    finished, now = [], 0
    for i in range(0, len(lengths), slots):
        now = max(now, arrivals[min(i + slots, len(arrivals)) - 1])
        finished += [now + n for n in lengths[i : i + slots]]
        now = max(finished)
    return finished
"""
SHORTEST = """
def continuous_batching(arrivals, lengths, slots):
    waiting, finished, free = set(range(len(lengths))), [0] * len(lengths), [0] * slots
    step = 0
    while waiting:
        here = sorted((i for i in waiting if arrivals[i] <= step), key=lambda i: lengths[i])
        for i in here:
            slot = min(range(slots), key=free.__getitem__)
            if free[slot] <= step:
                finished[i] = free[slot] = step + lengths[i]
                waiting.discard(i)
        step += 1
    return finished
"""
ROUND_ROBIN = """
def continuous_batching(arrivals, lengths, slots):
    free, finished = [0] * slots, []
    for i, (arrival, length) in enumerate(zip(arrivals, lengths)):
        free[i % slots] = max(free[i % slots], arrival) + length
        finished.append(free[i % slots])
    return finished
"""
FULL = """
def static_batching(arrivals, lengths, slots):
    finished, now = [], 0
    for i in range(0, len(lengths), slots):
        now = max(now, *arrivals[i : i + slots])
        finished += [now + n for n in lengths[i : i + slots]]
        now += max(lengths[i : i + slots])
    return finished
"""

WRONG = {
    "test_static_again_reads_its_arguments_at_every_call": [
        (
            "remembers lists by id",
            "second call",
            "return finished",
            "return static_batching.__dict__.setdefault(id(lengths), finished)",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers lists by id",
            "second call",
            "return finished",
            "return continuous_batching.__dict__.setdefault(id(lengths), finished)",
        ),
    ],
    "test_next_batch_waits_for_the_longest": [
        (
            "all end with the longest",
            "delivered at once",
            DONE,
            "finished += [now + max(batch)] * len(batch)",
        ),
        ("the first ends the batch", "expected", ON, "now += min(batch)"),
        ("one after the other", "expected", ON, "now += sum(batch)"),
        ("a step between batches", "expected", ON, "now += max(batch) + 1"),
        ("the longest of all", "expected", ON, "now += max(here)"),
        ("everybody at once", "expected", BATCH, "batch = here"),
        ("lengths, not times", "expected", DONE, "finished += batch"),
    ],
    "test_batch_takes_who_is_there_and_nobody_joins": [
        ("waits until it is full", "waits for more", FULL),
        ("starts from the arrival", "expected", NOW, "now = arrivals[first]"),
        ("all have arrived", "lets anybody in", "if a <= now", ""),
        (
            "one who comes now does not",
            "expected",
            "if a <= now",
            "if a < now or a == arrivals[first]",
        ),
    ],
    "test_free_slot_is_filled_before_the_next_step": [
        ("waits for the batch", "for the batch", LOCKSTEP),
        ("a step too long", "too long", END, "heapq.heappush(free, start + length + 1)"),
        ("a step too early", "expected", END, "heapq.heappush(free, start + length - 1)"),
        ("a queue for each slot", "expected", ROUND_ROBIN),
        ("the slot that is busy longest", "expected", START, "start = max(arrival, free.pop())"),
        ("the last step, not the end", "expected", NOTED, "finished.append(start + length - 1)"),
    ],
    "test_nobody_runs_before_arriving": [
        ("starts in the past", "past", START, "start = heapq.heappop(free)"),
        (
            "never waits for a slot",
            "expected",
            START,
            "start = max(arrival, heapq.heappop(free) * 0)",
        ),
        ("waits for the batch", "stand free", LOCKSTEP),
        ("counts the waiting", "expected", START, "start = arrival + heapq.heappop(free)"),
    ],
    "test_first_come_first_served": [
        ("the shortest first", "shortest", SHORTEST),
        ("a queue for each slot", "expected", ROUND_ROBIN),
        ("a slot more", "expected", "[0] * slots", "[0] * (slots + 1)"),
    ],
    "test_nobody_is_an_empty_list": [
        ("None for nobody", "None", "return finished", "return finished or None"),
    ],
}
