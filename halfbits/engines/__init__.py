"""The tiny language model in other people's engines: one adapter each, one table for all.

    own            this course's Llama, float32 with the values that the codes stand for
    transformers   a folder of safetensors; compressed codes are unpacked to float32 first
    onnxruntime    a folder of onnxruntime-genai; codes stay packed, activations become int8
    llama.cpp      a GGUF file; codes stay packed, activations become 8-bit blocks

An engine that is not installed says in one sentence what installs it (`MissingEngineError`).
"""

from halfbits.engines.engine import Engine, MissingEngineError, as_module
from halfbits.engines.installed import ENGINES, open_engine
from halfbits.engines.own import Own

__all__ = ["ENGINES", "Engine", "MissingEngineError", "Own", "as_module", "open_engine"]
