"""The numbers of `python course.py fit` for programs."""

from __future__ import annotations

from halfbits.course.cli.asked import Asked
from halfbits.perf.fit import Fit
from halfbits.perf.recorded import NotRecordedError, Recorded
from halfbits.perf.storage import storage

CHOICES = 3


def as_dict(asked: Asked, fit: Fit) -> dict[str, object]:
    """Numbers of one card for programs: bytes, seconds, counts."""
    return {
        "model": asked.name,
        "kind": asked.sizes.kind,
        "parameters": asked.sizes.total,
        "stored_parameters": asked.sizes.stored,
        "read_parameters": asked.sizes.read,
        "parts": dict(asked.sizes.parts),
        "notes": list(asked.notes),
        "weights": fit.weights.name,
        "checkpoint_bytes": fit.weights.nbytes(asked.sizes.parts),
        "card": fit.card.name,
        "cards": fit.count,
        "memory_bytes": fit.card.memory * fit.count,
        "weight_bytes": fit.weight_bytes,
        "cache": fit.load.cache,
        "cache_bytes_per_token": fit.sizes.cache.per_token * storage(fit.load.cache).bits / 8,
        "cache_bytes_per_row": fit.row_bytes,
        "cache_bytes_per_row_in_full": fit.full_row_bytes,
        "context": fit.load.context,
        "batch": fit.load.batch,
        "fits": fit.fits,
        "does_not_fit": fit.what_fails() or None,
        "rows": fit.rows,
        "tokens": fit.tokens,
        "tokens_per_second_at_most": fit.tokens_a_second(),
        "first_token_seconds_at_least": fit.first_token_seconds(),
        "recorded": recorded_dict(asked, fit),
        "choices": [f"{o.weights.name}, {o.load.cache}, {o.count}" for o in fit.choices()][
            :CHOICES
        ],
    }


def recorded_dict(asked: Asked, fit: Fit) -> dict[str, object]:
    """The recorded kernels' speed for programs, or the reason why there is none."""
    try:
        found = Recorded.of(fit, asked.config)
        step = {
            "device": found.device,
            "tokens_per_second": fit.load.batch / found.step_seconds(),
            "error": found.step_error(),
        }
        return step | {
            "first_token_seconds": found.prompt_seconds(),
            "first_token_kernel": found.prompt_implementation(),
            "first_token_error": found.prompt_error(),
        }
    except NotRecordedError as missing:
        return {"missing": str(missing)}
