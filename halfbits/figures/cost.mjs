// What a model costs before anything runs: the same formulas as halfbits/perf/fit.py.
// Units are bytes, operations and seconds. A model is what halfbits/figures/records.py counts.

/** Bits a weight: {code, scale, group, zero}; what a whole row shares (group 0) is left out. */
export function bitsOf({ code, scale, group, zero }) {
  return code + (group ? (scale + zero) / group : 0);
}

/** Weights of all layers, experts and all; norms, embedding and head are not among them. */
export function layerWeights(model) {
  return model.rounded + model.experts;
}

/** Bytes of `rounded` weights in the format and of `kept` ones in 16 bits or more. */
function bytesOf(rounded, kept, weights, storage) {
  const bits = bitsOf(storage[weights]);
  return (rounded * bits + kept * (bits < 16 ? 16 : bits)) / 8;
}

/** Experts that a step of `batch` tokens visits when the router spreads them evenly. */
export function visited({ experts, active }, batch) {
  return experts ? experts * (1 - (1 - active / experts) ** batch) : 0;
}

/** Bytes that one row of `tokens` keeps: every layer its window, and the state in 32 bits. */
export function rowBytes(model, tokens, cache, storage) {
  const kept = model.layers.reduce(
    (sum, [count, elements, window]) => sum + count * elements * seen(tokens, window),
    0,
  );
  return (kept * bitsOf(storage[cache])) / 8 + 4 * model.state;
}

function seen(tokens, window) {
  return window ? Math.min(tokens, window) : tokens;
}

/** Pairs of a prompt: each token with itself and those before it, within the window. */
function pairsOf(tokens, window) {
  const grows = seen(tokens, window);
  return (grows * (grows + 1)) / 2 + (tokens - grows) * grows;
}

/** Operations with cached tokens: of one new token, or of a whole prompt. */
function scores(model, pairs) {
  return model.layers.reduce(
    (sum, [count, , window, each]) => sum + count * each * pairs(window),
    0,
  );
}

/** One new token for each row: operations, and bytes of the weights and of the caches. */
export function decodeWork(model, batch, context, weights, cache, storage) {
  const multiplied = model.rounded + model.active + model.read;
  const rounded = model.rounded + visited(model, batch);
  return {
    flops: batch * (2 * multiplied + scores(model, (window) => seen(context, window))),
    weightBytes: bytesOf(rounded, model.read, weights, storage),
    cacheBytes: batch * rowBytes(model, context, cache, storage),
  };
}

/** Reading prompts of `tokens` tokens at once, the head for the last token alone. */
export function prefillWork(model, batch, tokens, weights, cache, storage) {
  const multiplied = model.rounded + model.active + model.read - model.head;
  const products = 2 * (multiplied * tokens + model.head);
  return {
    flops: batch * (products + scores(model, (window) => pairsOf(tokens, window))),
    weightBytes: bytesOf(layerWeights(model), model.touched, weights, storage),
    cacheBytes: batch * rowBytes(model, tokens, cache, storage),
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
 * machine = {memory, bandwidth, peak}, storage = the layout of each format by name,
 * usable = the share of the memory that weights and caches may take.
 */
export function predicted(machine, model, state, storage, usable) {
  const [batch, context] = [2 ** Number(state.batch), 2 ** Number(state.context)];
  const work = state.phase === "decode" ? decodeWork : prefillWork;
  const done = work(model, batch, context, state.weights, state.cache, storage);
  const roof = roofed(done, machine.peak[state.arithmetic], machine.bandwidth);
  const tokens = batch * (state.phase === "decode" ? 1 : context);
  const loaded = bytesOf(layerWeights(model), model.kept, state.weights, storage);
  const budget = usable * machine.memory;
  const row = rowBytes(model, context, state.cache, storage);
  const rows = Math.max(Math.floor((budget - loaded) / row), 0);
  const needed = loaded + done.cacheBytes;
  return { ...done, ...roof, batch, context, rate: tokens / roof.seconds, needed, rows, budget };
}
