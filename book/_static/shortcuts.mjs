// Whether a single key acts on the pages of cards and mock interviews: the reader can switch that off.
import { load, make, save } from "./storage.mjs";

const KEY = "halfbits-keys-off";

export const keysWork = () => load(KEY) === null;

/** A box that is ticked while keys act; `words` are the phrases of the language. */
export function keySwitch(words) {
  const box = make("input", {
    type: "checkbox", checked: keysWork(), change: () => save(KEY, box.checked ? null : {}),
  });
  return make("p", { class: "hb-bar" }, make("label", {}, box, ` ${words.keys_switch}`));
}
