// What decoding costs before anything runs: the same formulas as halfbits/perf/cost.py.
// Units are bytes, operations and seconds.

export const BITS = {
  fp64: 64,
  fp32: 32,
  tf32: 32,
  fp16: 16,
  bf16: 16,
  fp8: 8,
  int8: 8,
  int4: 4,
  fp4: 4,
};

/** Weights of the matrices of all layers, and with the output head. */
export function weightsOf(model) {
  const { layers, hidden, inner, heads, kv_heads: kv, head_dim: dim, vocab } = model;
  const block = layers * (2 * hidden * dim * (heads + kv) + 3 * hidden * inner);
  return { block, head: hidden * vocab, all: block + hidden * vocab };
}

/** Bytes that one token keeps in the KV cache. */
export function cacheBytes(model, cache) {
  return (2 * model.layers * model.kv_heads * model.head_dim * BITS[cache]) / 8;
}

/** One new token for each row: operations, and bytes of the weights and of the caches. */
export function decodeWork(model, batch, context, weights, cache) {
  const all = weightsOf(model).all;
  const attention = 4 * model.layers * model.heads * model.head_dim * context;
  return {
    flops: batch * (2 * all + attention),
    weightBytes: (all * BITS[weights]) / 8,
    cacheBytes: batch * context * cacheBytes(model, cache),
  };
}

/** Reading prompts of `tokens` tokens at once, the head for the last token alone. */
export function prefillWork(model, batch, tokens, weights, cache) {
  const { block, head, all } = weightsOf(model);
  const attention = 4 * model.layers * model.heads * model.head_dim * tokens * tokens;
  return {
    flops: batch * (2 * (tokens * block + head) + attention),
    weightBytes: (all * BITS[weights]) / 8,
    cacheBytes: batch * tokens * cacheBytes(model, cache),
  };
}

/** The roofline's least time and what sets it; peak in operations, bandwidth in bytes a second. */
export function roofed(work, peak, bandwidth) {
  const bytes = work.weightBytes + work.cacheBytes;
  const compute = work.flops / peak;
  const memory = bytes / bandwidth;
  const intensity = work.flops / bytes;
  const ridge = peak / bandwidth;
  return {
    seconds: Math.max(compute, memory),
    compute,
    memory,
    intensity,
    ridge,
    memoryBound: intensity < ridge,
  };
}

/** What follows from a state (batch and context as powers of two); machine = {memory, bandwidth, peak}. */
export function predicted(machine, model, state) {
  const [batch, context] = [2 ** Number(state.batch), 2 ** Number(state.context)];
  const work = state.phase === "decode" ? decodeWork : prefillWork;
  const done = work(model, batch, context, state.weights, state.cache);
  const roof = roofed(done, machine.peak[state.arithmetic], machine.bandwidth);
  const tokens = batch * (state.phase === "decode" ? 1 : context);
  const needed = done.weightBytes + done.cacheBytes;
  const rows = Math.floor(
    (machine.memory - done.weightBytes) / (context * cacheBytes(model, state.cache)),
  );
  return {
    ...done,
    ...roof,
    batch,
    context,
    rate: tokens / roof.seconds,
    needed,
    rows: Math.max(rows, 0),
  };
}
