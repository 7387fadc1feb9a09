// Small builders of elements, and numbers in few characters.

/** An HTML element with attributes and children. */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element with attributes and children. */
export function s(tag, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== "" && child !== undefined));
  return element;
}

/** A row of terms and values: [["term", "value"], ...]. */
export function facts(rows) {
  return h(
    "dl",
    {},
    rows.map(([term, ...value]) => h("div", {}, h("dt", {}, term), h("dd", {}, ...value))),
  );
}

/** A table with a head; the first cell of each row is its head. */
export function table(caption, head, rows) {
  const line = (row) =>
    h(
      "tr",
      {},
      row.map((cell, i) => (i ? h("td", {}, cell) : h("th", { scope: "row" }, cell))),
    );
  return h(
    "div",
    { class: "hb-scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((cell) => h("th", { scope: "col" }, cell)),
        ),
      ),
      h("tbody", {}, rows.map(line)),
    ),
  );
}

/** A Number in few characters. */
export function brief(x, digits = 4) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const plain = size === 0 || (size >= 1e-3 && size < 1e7);
  const text = plain
    ? Number(x.toPrecision(digits)).toLocaleString("en-US", { maximumSignificantDigits: digits })
    : x.toExponential(Math.max(digits - 2, 1));
  return (Object.is(x, -0) ? "-0" : text).replace("-", "−").replace("e+", "e").replace("e-", "e−");
}
