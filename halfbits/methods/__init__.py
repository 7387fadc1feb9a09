"""Published quantization methods, each readable from top to bottom."""
