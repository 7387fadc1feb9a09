// What a page keeps in the browser, and how long things take in words.

/** What is kept under `key`; null without it, a text when it is no JSON. */
export function load(key) {
  let text = null;
  try {
    text = localStorage.getItem(key);
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Keep an object, or forget it when it is null; false when the browser refuses. */
export function save(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Fill the {gaps} of a phrase. */
export const fill = (phrase, gaps) => phrase.replace(/\{(\w+)\}/g, (_, name) => gaps[name]);

/** Milliseconds in one unit: 10 min, 3 h, 8 d; `words` are the phrases of the language. */
export function span(length, words) {
  const minutes = Math.max(0, Math.round(length / 60_000));
  if (minutes < 60) return `${Math.max(1, minutes)} ${words.minutes_unit}`;
  if (minutes < 24 * 60) return `${Math.round(minutes / 60)} ${words.hours_unit}`;
  return `${Math.round(minutes / (24 * 60))} ${words.days_unit}`;
}

/** An element with attributes, listeners (a function as a value) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "html") element.innerHTML = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Let the reader save an object as a file of JSON. */
export function download(content, name) {
  const file = new Blob([JSON.stringify(content, null, 1)], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

const KEYS_OFF = "halfbits-keys-off";

/** Whether a single key acts on the pages of cards and mock interviews; the reader can say no. */
export const keysWork = () => load(KEYS_OFF) === null;

/** A box that is ticked while keys act; `words` are the phrases of the language. */
export function keySwitch(words) {
  const box = make("input", {
    type: "checkbox", checked: keysWork(), change: () => save(KEYS_OFF, box.checked ? null : {}),
  });
  return make("p", { class: "hb-bar" }, make("label", {}, box, ` ${words.keys_switch}`));
}
