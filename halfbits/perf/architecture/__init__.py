"""What a published model holds, from its config.json alone: parameters by part, and its cache.

`sizes(config)` reads the fields of a Hugging Face configuration (absent, null or nested ones too)
and counts every tensor of the checkpoint. What a config does not say is refused, not guessed.
"""

from halfbits.perf.architecture.fields import ConfigError, Fields, read_config
from halfbits.perf.architecture.sizes import Cache, Sizes, sizes

__all__ = ["Cache", "ConfigError", "Fields", "Sizes", "read_config", "sizes"]
