// Runs a component's arithmetic on vectors that Python wrote: node widgets_in_node.mjs FOLDER < JSON.
// A float64 travels as the 16 hexadecimal digits of its bits, so that NaN and -0 arrive whole.

import { pathToFileURL } from "node:url";

const view = new DataView(new ArrayBuffer(8));
const folder = pathToFileURL(`${process.argv[2]}/`);

export function number(hex) {
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

export function hex(x) {
  view.setFloat64(0, x);
  const bits = Number.isNaN(x) ? 0x7ff8000000000000n : view.getBigUint64(0);
  return bits.toString(16).padStart(16, "0");
}

const load = (name) => import(new URL(`${name}.mjs`, folder));

const JOBS = {
  async formats({ codes, values }) {
    const { decode, encode, limits, neighbor, rounder, spacing } = await load("formats");
    const out = {
      decoded: {},
      next: {},
      encoded: {},
      saturated: {},
      rounded: {},
      spacing: {},
      limits: {},
    };
    const code = (made) => (made === null ? null : made.toString());
    for (const [name, texts] of Object.entries(codes)) {
      out.decoded[name] = texts.map((text) => hex(decode(BigInt(text), name)));
      out.next[name] = texts.map((text) => code(neighbor(BigInt(text), name, 1)));
      const known = limits(name);
      out.limits[name] = [known.largest, known.smallestNormal, known.smallest, known.eps].map(hex);
    }
    for (const [name, numbers] of Object.entries(values)) {
      const x = numbers.map(number);
      const round = rounder(name);
      out.encoded[name] = x.map((one) => code(encode(one, name)));
      out.saturated[name] = x.map((one) => code(encode(one, name, "saturate")));
      out.rounded[name] = x.map((one) => (encode(one, name) === null ? null : hex(round(one))));
      out.spacing[name] = x.map((one) => hex(spacing(one, name)));
    }
    return out;
  },
  async "bit-explorer"({ values, texts }) {
    const { exact, parsed } = await load("numbers");
    const plain = (text) => text.replaceAll(",", "").replace("−", "-");
    return {
      exact: values.map((one) => plain(exact(number(one), 2000))),
      parsed: texts.map((text) => (parsed(text) === undefined ? null : hex(parsed(text)))),
    };
  },
  async "bit states"({ states }) {
    const { BitExplorer } = await load("bit-explorer");
    return states.map((changes) => {
      const figure = new BitExplorer();
      figure.state = { ...BitExplorer.state };
      figure.accept(changes);
      return figure.state;
    });
  },
  async "number-line"({ names, numbers, shapes }) {
    const { fitted, sample, values } = await load("fitting");
    const x = numbers.map(number);
    const fit = (name, scaling) => Object.values(fitted(x, name, scaling)).map(hex);
    return {
      values: names.map((name) => values(name).map(hex)),
      none: names.map((name) => fit(name, "none")),
      largest: names.map((name) => fit(name, "largest to largest")),
      samples: shapes.map((shape) => sample(shape, 0)),
    };
  },
  async accumulator({ names, series, length }) {
    const { kahan, naive, pairwise, terms, wide } = await load("sums");
    const row = (name, kind) => {
      const x = terms(kind, length, name);
      const sums = [naive, kahan, wide].map((way) => way(x, name).map(hex));
      return { terms: x.map(hex), sums, pairwise: hex(pairwise(x, name)) };
    };
    return names.map((name) => series.map((kind) => row(name, kind)));
  },
  async roofline({ machines, models, storage, usable, states }) {
    const { predicted } = await load("cost");
    return states.map(([machine, model, state]) =>
      predicted(machines[machine], models[model], state, storage, usable),
    );
  },
  async quantize({ matrix, choices }) {
    const { quantized, unpacked } = await load("quantize");
    const { WEIGHTS } = await load("weights");
    const rows = matrix.map((row) => row.map(number));
    return {
      packed: unpacked(WEIGHTS).flat().map(hex),
      made: choices.map((choice) => {
        const { groups, values, trueBits } = quantized(rows, choice);
        const codes = groups.flatMap((group) => group.codes);
        return {
          codes,
          scales: groups.map(({ scale }) => hex(scale)),
          values: values.map(hex),
          trueBits,
        };
      }),
    };
  },
  async outliers({ choices }) {
    const { treated } = await load("cures");
    const { unpacked } = await load("quantize");
    const { ACTIVATIONS } = await load("activations");
    const { WEIGHTS } = await load("weights");
    const [x, weights] = [unpacked(ACTIVATIONS), unpacked(WEIGHTS)];
    const errors = choices.map((choice) => treated(x, weights, choice).error);
    return { packed: x.flat().map(hex), errors };
  },
  async "precision-ladder"({ rows }) {
    const { change, front } = await load("precision-ladder");
    return {
      front: front(rows).map(({ name }) => name),
      changes: rows.map((row) => change(row, rows[0])),
    };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { job, ...payload } = JSON.parse(text);
process.stdout.write(JSON.stringify(await JOBS[job](payload)));
