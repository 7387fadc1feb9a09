"""Published quantization methods, each readable from top to bottom in its own file.

A method of weights or activations is a module with one function of one form:

    quantize(model: Llama, calibration: Tensor | None, **options) -> (Llama, nbytes: float)

`calibration` is int64 [sequences, tokens] (`halfbits.methods.calibration.windows`); a method that
looks at no data takes None. `model` comes back untouched. The copy is in eval mode and computes in
float32 with the values that the stored form has: codes times scales in the matrices of the blocks,
float16 values in embedding, head and norms. `nbytes` are the true bytes of that stored form: codes,
scales, zero points, kept columns, and everything in 16 bits. What is quantized while the model
runs, the activations, takes no bytes.

    rtn           round to nearest, with the best clip by grid or by fixed point
    gptq          rounding column by column, the rest of the row making up for each error
    awq           scales of the inputs, and clips, by the error of the outputs
    smoothquant   int8 activations: their outliers moved into the weights
    llm_int8      int8 activations: their outlier columns kept in 16 bits
    rotation      4-bit activations: Hadamard rotations, folded into the weights or online
    rounding      learned rounding of a layer (AdaRound)
    autoround     learned rounding of a whole block, by the signs of gradients
    qat           training through the rounding, with the model itself as the teacher
    low_rank      a low-rank correction of the weight's error in 16 bits

Others have forms of their own: `kv_cache` (a model whose keys and values are rounded),
`sensitivity` (a number for each matrix) and `allocate` (a width for each matrix).
"""
