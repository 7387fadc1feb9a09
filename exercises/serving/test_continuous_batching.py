"""What `static_batching` and `continuous_batching` must do, one claim a check."""

import random

from halfbits.course.checks import calls, expect, hardened, task
from halfbits.course.checks.cases import each

AT_ONCE = {"short, then long": ([0] * 3, [2, 6, 3], 2), "long, then short": ([0] * 3, [6, 2, 3], 2)}
AT_ONCE |= {"one slot": ([0] * 4, [3, 1, 4, 2], 1), "more slots": ([0] * 3, [5, 2, 7], 8)}
AT_ONCE |= {"as many slots as requests": ([0] * 3, [4, 4, 1], 3)}
LATER = {
    "one comes while others run": ([0, 0, 1], [4, 9, 2], 3),
    "one comes when the first ends": ([0, 0, 3, 3], [3, 8, 2, 2], 2),
    "one comes when a batch ends": ([0, 2, 4], [4, 3, 3], 2),
    "nobody is there at first": ([5, 6], [2, 2], 2),
    "a pause": ([0, 40, 41], [3, 2, 5], 2),
}


static_again = calls.Calls("static_batching", lambda seed: (*drawn(seed)[:2], 3), room=0)
again = calls.Calls("continuous_batching", lambda seed: (*drawn(seed)[:2], 3), room=0)


def drawn(seed, count=25):
    """Requests that come over some time, lengths from 1 to 20, two to five slots."""
    some = random.Random(seed)
    arrivals = sorted(some.randrange(60) for _ in range(count))
    return arrivals, [some.randint(1, 20) for _ in arrivals], some.randint(2, 5)


def stepped(arrivals, lengths, slots, joins):
    """When each is finished, step by step; `joins`: a slot is filled while others run."""
    left, finished, step = list(lengths), [0] * len(lengths), 0
    waiting, running = list(range(len(lengths))), list[int]()
    while waiting or running:
        is_open = joins or not running
        while is_open and waiting and len(running) < slots and arrivals[waiting[0]] <= step:
            running.append(waiting.pop(0))
        step += 1
        for i in running:
            left[i] -= 1
            finished[i] = step
        running = [i for i in running if left[i] > 0]
    return finished


def right(answer, name, several):
    """The answer's times are those, in each case."""
    for arrivals, lengths, slots in each(several):
        got = getattr(answer, name)(list(arrivals), list(lengths), slots)
        of = f"arrivals {arrivals}, lengths {lengths}, {slots} slots: times"
        expect.equal(got, stepped(arrivals, lengths, slots, name == "continuous_batching"), of=of)


@task("static_batching")
def test_next_batch_waits_for_the_longest(answer):
    """A batch ends with its longest request; each request is finished after its own length.

    Short answers are delivered at once, but their slots stand empty.
    """
    right(answer, "static_batching", AT_ONCE)


@task("static_batching")
def test_batch_takes_who_is_there_and_nobody_joins(answer):
    """A batch starts when nothing runs and one request waits, full or not, and is closed then.

    It neither waits for more nor lets anybody in.
    """
    right(answer, "static_batching", LATER)


@task("continuous_batching")
def test_free_slot_is_filled_before_the_next_step(answer):
    """When a request ends, the first that waits takes its slot in the very next step.

    It waits neither for the batch to end nor one step too long.
    """
    right(answer, "continuous_batching", AT_ONCE)


@task("continuous_batching")
def test_nobody_runs_before_arriving(answer):
    """A request that comes later starts when it is there, if a slot is free, beside those that run.

    A slot may stand free for a while, and its next request does not start in the past.
    """
    right(answer, "continuous_batching", LATER)


@task("continuous_batching")
def test_first_come_first_served(answer, seed):
    """Requests start in their order, never the shortest first, and never more than `slots` run.

    The shortest first lets long requests wait forever.
    """
    several = {"one slot": AT_ONCE["one slot"], "many requests": drawn(seed)}
    right(answer, "continuous_batching", several)


@hardened
@task("continuous_batching")
def test_nobody_is_an_empty_list(answer):
    """Without requests the result is an empty list.

    A server starts empty.
    """
    right(answer, "continuous_batching", {"nobody": ([], [], 4)})
