"""Right answers to serving/continuous_batching, each in its own style."""

from halfbits.course.authoring.contract import swap

STEPS = """
def continuous_batching(arrivals, lengths, slots):
    queue = list(zip(arrivals, lengths, range(len(lengths))))
    running, times, step = {}, {}, 0
    while queue or running:
        while queue and queue[0][0] <= step and len(running) < slots:
            _, n, i = queue.pop(0)
            running[i] = n
        step += 1
        for i in list(running):
            running[i] -= 1
            if running[i] == 0:
                del running[i]
                times[i] = step
    return [times[i] for i in range(len(lengths))]
"""
SORTED = """
def continuous_batching(arrivals, lengths, slots):
    ends = []
    for i, arrival in enumerate(arrivals):
        busy = sorted(ends)[-slots:]
        start = arrival if len(busy) < slots else max(arrival, busy[0])
        ends.append(start + lengths[i])
    return ends
"""
BATCHES = """
def static_batching(arrivals, lengths, slots):
    times, now, i = [None] * len(lengths), 0, 0
    while i < len(lengths):
        if arrivals[i] > now:
            now = arrivals[i]
        j = i
        while j < len(lengths) and j - i < slots and arrivals[j] <= now:
            times[j] = now + lengths[j]
            j += 1
        now, i = max(times[i:j]), j
    return times
"""
DEQUE = """
from collections import deque
def static_batching(arrivals, lengths, slots):
    waiting, step, done = deque(zip(arrivals, lengths)), 0, []
    while waiting:
        batch = []
        while waiting and waiting[0][0] <= step and len(batch) < slots:
            batch.append(waiting.popleft()[1])
        done.extend(step + n for n in batch)
        step += max(batch, default=1)
    return done
"""

RIGHT = {
    "a loop over steps": STEPS,
    "the latest ends, sorted": SORTED,
    "two indices": BATCHES,
    "a deque, and idle steps": DEQUE,
    "the smallest by hand": swap(
        "continuous_batching",
        "start = max(arrival, heapq.heappop(free))",
        "start = max(arrival, min(free))\n        free.remove(min(free))",
    ),
}
