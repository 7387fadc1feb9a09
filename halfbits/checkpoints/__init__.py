"""Checkpoints as files: what tensors they hold, and their values, read only as far as asked."""

from halfbits.checkpoints.files import Checkpoint, CheckpointError, StoredTensor
from halfbits.checkpoints.opened import open_checkpoint

__all__ = ["Checkpoint", "CheckpointError", "StoredTensor", "open_checkpoint"]
