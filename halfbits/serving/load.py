"""An open-loop load: requests leave at their own times, whether the server keeps up or not.

The clock of a request starts when it was to leave, so that nobody's wait is hidden.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from halfbits.errors import CourseError
from halfbits.serving.client import Server, ServerError
from halfbits.serving.report import Served
from halfbits.serving.request import Request, fixed, poisson

MOST_REQUESTS, MOST_SECONDS = 1000, 600


@dataclass
class Load:
    """What came of each request, in their order; `errors` says why some have no times.

    `prompt_tokens` are those that the server counted, 0 where it did not say.
    """

    served: list[Served] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    prompt_tokens: list[int] = field(default_factory=list)
    late: float = 0.0  # the longest that this machine sent a request after its time, in seconds


def arrivals(rate: float, seconds: float, answer: int, seed: int = 0) -> list[Request]:
    """Requests at `rate` a second for `seconds` seconds, each with an answer of `answer` tokens.

    Raises CourseError in one sentence for a rate or a time that is not positive, for more than
    MOST_REQUESTS requests or MOST_SECONDS seconds, and when none falls into the time.
    """
    for name, value in (("--rate", rate), ("--seconds", seconds), ("--answer", answer)):
        if not value > 0:
            raise CourseError(f"{name} is {value:g}; a number above 0 was expected.")
    if seconds > MOST_SECONDS or rate * seconds > MOST_REQUESTS:
        raise CourseError(
            f"{rate:g} a second for {seconds:g} s are too many: "
            f"at most {MOST_REQUESTS} requests and {MOST_SECONDS} s are sent."
        )
    drawn = poisson(rate, MOST_REQUESTS, fixed(1), fixed(answer), seed)
    found = list(takewhile(lambda request: request.arrival <= seconds, drawn))
    if not found:
        raise CourseError(f"no request falls into {seconds:g} s at {rate:g} a second: take longer.")
    return found


def send(
    server: Server, requests: Sequence[Request], prompts: Sequence[str], patience: float = 30.0
) -> Load:
    """Send each request at its arrival, each on a thread of its own; times are seconds since now.

    A request fails that is refused or broken off, hears nothing for `patience` seconds, or is not
    done `patience` seconds after the last one was sent. All threads have ended on return.
    """
    start = time.perf_counter()
    until = start + requests[-1].arrival + patience
    load = Load([Served(one.arrival, ()) for one in requests], prompt_tokens=[0] * len(requests))

    def ask(place: int) -> None:
        one = requests[place]
        try:
            answer = server.complete(prompts[place], one.answer, until, patience)
        except ServerError as error:
            load.errors.append(str(error))
            return
        times = [at - start for at in answer.times]
        load.served[place] = Served(one.arrival, times, answer.tokens)
        load.prompt_tokens[place] = answer.prompt_tokens

    threads = []
    for place, one in enumerate(requests):
        time.sleep(max(0.0, start + one.arrival - time.perf_counter()))
        load.late = max(load.late, time.perf_counter() - start - one.arrival)
        threads.append(threading.Thread(target=ask, args=(place,), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return load
