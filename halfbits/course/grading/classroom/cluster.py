"""Grades many submissions on a Dask cluster: an embedded one, or machines behind a scheduler."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import queue
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom.journal import TRIES, Result
from halfbits.course.grading.classroom.submissions import Task, checks_digest
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.process.fork_pool import ForkPool
from halfbits.course.grading.process.pool import WorkerPool, pool_for_many
from halfbits.errors import CourseError
from halfbits.folders import CATALOG

START_LIMIT = 60.0
# Enough for a worker to find its next submission waiting; few are lost with a worker.
AHEAD = 2
FEW = 20  # submissions for each process, which take about as long as a cluster's start
_of_thread = threading.local()


def grade_task(task: Task) -> Result:
    """Grade one submission here; raises CourseError when this machine has other checks."""
    catalog, pool = _catalog(task.root), _pool()
    exercise = task.submitted.exercise
    if checks_digest(catalog, exercise) != task.checks:
        raise CourseError(
            f"{platform.node()} has another version of {exercise.key}'s checks or of the "
            f"grader: update the course there, restart its worker, then run this again."
        )
    graded = _graded(task, pool)
    pool.prepare(task.to_run(catalog).preload_for(pool))  # for the next submission
    return graded


def _graded(task: Task, pool: WorkerPool) -> Result:
    return task.grade(_catalog(task.root), pool, f"{platform.node()}:{os.getpid()}")


def grade_tasks(
    tasks: list[Task],
    scheduler: str | None,
    workers: int,
    sent: Callable[[Task], None],
    suspects: Collection[Task] = (),
) -> Iterator[tuple[Task, Result | None]]:
    """The result of each task as it arrives; None if its worker was ended TRIES times.

    A worker that dies takes the tasks that it held along. They are run again, one at a time and
    alone, so that the one that killed it is known and nobody else suffers. `suspects` are
    tasks to run only that way; `sent` is called with each task before it runs.

    A few submissions are graded by threads of this process, without a cluster, which takes
    longer to start than they take; if one ends this very process, the next run knows it.
    """
    if scheduler is None and not suspects and len(tasks) <= FEW * workers and fork_pool.AVAILABLE:
        yield from _at_hand(tasks, workers, sent)
        return
    with _client(scheduler, workers) as client:
        lost = list(suspects)
        for task, graded in _in_parallel(client, tasks, sent):
            if graded is None:
                lost.append(task)
            else:
                yield task, graded
        for task in lost:
            for last in range(2, TRIES + 1):
                ((_, graded),) = _in_parallel(client, [task], sent)
                if graded is not None or last == TRIES:
                    yield task, graded
                    break


def _at_hand(
    tasks: list[Task], workers: int, sent: Callable[[Task], None]
) -> Iterator[tuple[Task, Result | None]]:
    pools = [ForkPool(claim_idle=True) for _ in range(min(workers, len(tasks)))]
    free = queue.SimpleQueue[ForkPool]()
    for pool in pools:
        free.put(pool)

    def grade(task: Task) -> tuple[Task, Result]:
        pool = free.get()
        try:
            sent(task)
            return task, _graded(task, pool)
        finally:
            free.put(pool)

    threads = ThreadPoolExecutor(len(pools))
    try:
        for done in as_completed([threads.submit(grade, task) for task in tasks]):
            yield done.result()
    finally:
        threads.shutdown(cancel_futures=True)
        for pool in pools:
            pool.leave_idle()
            pool.close()


def _in_parallel(
    client: Any, tasks: list[Task], sent: Callable[[Task], None]
) -> Iterator[tuple[Task, Result | None]]:
    import distributed

    waiting, running = iter(tasks), {}
    arrivals = distributed.as_completed(loop=client.loop)

    def send() -> None:
        for task in waiting:
            sent(task)
            future = client.submit(grade_task, task, pure=False)
            running[future.key] = task
            arrivals.add(future)
            return

    for _ in range(AHEAD * max(1, _threads(client))):
        send()
    for future in arrivals:
        task = running.pop(future.key)
        # Workers that joined meanwhile are given work too.
        for _ in range(max(1, AHEAD * _threads(client) - len(running))):
            send()
        yield task, _outcome(future)


def _outcome(future: Any) -> Result | None:
    from distributed import KilledWorker

    if future.cancelled():
        raise CourseError("The connection to the Dask scheduler was lost: run the same again.")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return None
    if error is not None:
        raise error
    return future.result()


def _threads(client: Any) -> int:
    return sum(client.nthreads().values())


@contextlib.contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.logging.distributed": "error",
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(quiet))
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            where = scheduler or stack.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )
            )
            client = stack.enter_context(Client(where, timeout=START_LIMIT, set_as_default=False))
            client.wait_for_workers(1, timeout=START_LIMIT)
            if scheduler is None:
                client.register_plugin(_uninterrupted())
        except (OSError, TimeoutError, ValueError) as error:
            place = f"at {scheduler}" if scheduler else "on this machine"
            raise CourseError(f"No Dask workers answered {place}: {error}.") from error
        yield client


def _uninterrupted() -> Any:
    """Lets the parent alone answer Ctrl-C, which a terminal sends to the workers too."""
    from distributed import WorkerPlugin

    class Uninterrupted(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            # A handler, since what is merely ignored would be ignored by the graded answers too.
            signal.signal(signal.SIGINT, lambda number, frame: None)

    return Uninterrupted()


@cache
def _catalog(root: Path) -> Catalog:
    """The course at `root` if this machine has it there, else the one this package lies in."""
    return load_catalog(root if (root / CATALOG).is_file() else None)


def _pool() -> WorkerPool:
    """This thread's pool of workers, kept from one submission to the next."""
    if not hasattr(_of_thread, "pool"):
        _of_thread.pool = pool_for_many()
    return _of_thread.pool
