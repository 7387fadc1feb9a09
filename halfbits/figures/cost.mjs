// What decoding costs before anything runs: the same formulas as halfbits/perf/cost.py.
// Units are bytes, operations and seconds.

/** Bits a weight: {code, scale, group, zero}; what a whole row shares (group 0) is left out. */
export function bitsOf({ code, scale, group, zero }) {
  return code + (group ? (scale + zero) / group : 0);
}

/** Bytes of a weight [outputs, inputs] with its scales and zero points. */
export function weightBytes({ code, scale, group, zero }, inputs, outputs) {
  const groups = outputs * (group ? Math.ceil(inputs / group) : 1);
  return (inputs * outputs * code) / 8 + (groups * scale) / 8 + (groups * zero) / 8;
}

/** A layer's products as [inputs, outputs]: q k v, out, gate and up, down. */
export function matricesOf({ hidden, inner, heads, kv_heads: kv, head_dim: dim }) {
  return [
    [hidden, (heads + 2 * kv) * dim],
    [heads * dim, hidden],
    [hidden, 2 * inner],
    [inner, hidden],
  ];
}

/** Weights of the matrices of all layers, and with the output head. */
export function weightsOf(model) {
  const one = matricesOf(model).reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0);
  const [block, head] = [model.layers * one, model.hidden * model.vocab];
  return { block, head, all: block + head };
}

/** Bytes of the checkpoint, and those that a step reads; head and embedding in 16 bits or more. */
export function stored(model, weights, storage) {
  const ends = bitsOf(storage[weights]) < 16 ? storage.bf16 : storage[weights];
  const layer = matricesOf(model).reduce(
    (sum, [inputs, outputs]) => sum + weightBytes(storage[weights], inputs, outputs),
    0,
  );
  const norms = ((2 * model.layers + 1) * model.hidden * bitsOf(ends)) / 8;
  const head = weightBytes(ends, model.hidden, model.vocab);
  const read = model.layers * layer + norms + head;
  return { read, total: read + (model.tied ? 0 : head) };
}

/** Bytes that one token keeps in the KV cache. */
export function cacheBytes(model, cache, storage) {
  return (2 * model.layers * model.kv_heads * model.head_dim * bitsOf(storage[cache])) / 8;
}

/** One new token for each row: operations, and bytes of the weights and of the caches. */
export function decodeWork(model, batch, context, weights, cache, storage) {
  const all = weightsOf(model).all;
  const attention = 4 * model.layers * model.heads * model.head_dim * context;
  return {
    flops: batch * (2 * all + attention),
    weightBytes: stored(model, weights, storage).read,
    cacheBytes: batch * context * cacheBytes(model, cache, storage),
  };
}

/** Reading prompts of `tokens` tokens at once, the head for the last token alone. */
export function prefillWork(model, batch, tokens, weights, cache, storage) {
  const { block, head } = weightsOf(model);
  const attention = 2 * model.layers * model.heads * model.head_dim * tokens * (tokens + 1);
  return {
    flops: batch * (2 * (tokens * block + head) + attention),
    weightBytes: stored(model, weights, storage).read,
    cacheBytes: batch * tokens * cacheBytes(model, cache, storage),
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

/**
 * What follows from a state (batch and context as powers of two);
 * machine = {memory, bandwidth, peak}, storage = the layout of each format by name.
 */
export function predicted(machine, model, state, storage) {
  const [batch, context] = [2 ** Number(state.batch), 2 ** Number(state.context)];
  const work = state.phase === "decode" ? decodeWork : prefillWork;
  const done = work(model, batch, context, state.weights, state.cache, storage);
  const roof = roofed(done, machine.peak[state.arithmetic], machine.bandwidth);
  const tokens = batch * (state.phase === "decode" ? 1 : context);
  const checkpoint = stored(model, state.weights, storage).total;
  const row = context * cacheBytes(model, state.cache, storage);
  const rows = Math.max(Math.floor((machine.memory - checkpoint) / row), 0);
  const needed = checkpoint + done.cacheBytes;
  return { ...done, ...roof, batch, context, rate: tokens / roof.seconds, needed, rows };
}
