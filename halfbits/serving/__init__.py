"""A server under load, simulated step by step: who waits for what, and how long.

    request      what arrives: when, how many tokens, and which of them others have as well
    step         what one step does, and how long that takes by a fit to measured steps
    replica      how long it takes at least on a card, and how many blocks of cache fit beside
                 the weights
    block_pool   the paged cache: blocks that are free, held, or kept for a prefix
    policy       static or continuous batching, prompts whole or in chunks, who is admitted
    simulation   the loop over steps: admission, one step, preemption
    report       TTFT, TPOT and goodput, of simulated and of measured requests
    load         requests at a given rate to a server on this machine

A simulation has no randomness of its own: the same requests give the same times.
"""

from halfbits.serving.block_pool import BlockPool
from halfbits.serving.policy import Policy
from halfbits.serving.replica import Replica
from halfbits.serving.report import Served, load_report, percentile
from halfbits.serving.request import Request, poisson
from halfbits.serving.simulation import Run, simulate
from halfbits.serving.step import Linear, Step

__all__ = [
    "BlockPool",
    "Linear",
    "Policy",
    "Replica",
    "Request",
    "Run",
    "Served",
    "Step",
    "load_report",
    "percentile",
    "poisson",
    "simulate",
]
