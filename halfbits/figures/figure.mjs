// What every component shares: state in attributes, traits and the page's address.

import { h } from "./builders.mjs";

const Base = globalThis.HTMLElement ?? class {};

/** A component. A subclass states `static state` (name: default text) and writes build, update. */
export class Figure extends Base {
  static state = {};
  static allowed = {}; // name: the texts that may come from outside
  static tasks = []; // {text, done(figure), said}

  connectedCallback() {
    if (this.state) return;
    const script = this.querySelector(':scope > script[type="application/json"]');
    this.data ??= script ? JSON.parse(script.textContent) : {};
    this.state = { ...this.constructor.state };
    const given = {};
    for (const name in this.state) {
      if (this.hasAttribute(name)) given[name] = this.getAttribute(name);
    }
    this.inputs = {};
    this.checks = [];
    this.accept(given);
    this.initial = { ...this.state };
    if (this.hasAttribute("linked")) this.link();
    this.classList.add("hb-figure");
    const tasks = this.constructor.tasks.map((task) => this.tried(task));
    this.replaceChildren(...this.build(), h("div", { class: "hb-try" }, tasks));
    this.refresh();
    this.drawnIn = this.room;
    new ResizeObserver(() => {
      if (this.isConnected && this.room !== this.drawnIn) this.update();
      this.drawnIn = this.room;
    }).observe(this);
  }

  /** The width in pixels for a drawing, so that its letters keep their size. */
  get room() {
    return Math.max(260, Math.min(740, this.clientWidth - 34));
  }

  /** Changes made by the person here: drawn, told to the outside, kept in the address. */
  set(changes) {
    this.accept(changes);
    this.refresh();
    this.dispatchEvent(new CustomEvent("hb-change", { bubbles: true }));
    if (this.hasAttribute("linked")) this.remember();
  }

  /** Changes that come from outside: drawn. */
  receive(changes) {
    this.accept(changes);
    this.refresh();
  }

  accept(changes) {
    const allowed = this.constructor.allowed;
    const known = Object.entries(changes).filter(
      ([name, text]) => name in this.state && (allowed[name]?.includes(String(text)) ?? true),
    );
    Object.assign(this.state, this.settle(Object.fromEntries(known)));
  }

  /** The changes as they are kept, with what follows from them. */
  settle(changes) {
    return changes;
  }

  /** What Python sees of the state. */
  traits() {
    return { ...this.state };
  }

  refresh() {
    for (const [name, input] of Object.entries(this.inputs)) {
      const text = String(this.state[name]);
      if (input.type === "checkbox") input.checked = text === "true";
      else if (input.value !== text && document.activeElement !== input) input.value = text;
      else if (input.tagName === "SELECT") input.value = text;
    }
    Object.values(this.written ?? {}).forEach((write) => write());
    this.update();
    this.checks.forEach((check) => check());
  }

  tried(task) {
    const said = h("output", { class: "hb-said" });
    this.checks.push(() => {
      if (!said.value && task.done(this)) said.value = ` Done. ${task.said}`;
    });
    return h("p", {}, h("strong", {}, "Try this. "), task.text, said);
  }

  link() {
    const mine = () => {
      const pairs = [...new URLSearchParams(location.hash.slice(1))];
      const own = pairs.filter(([key]) => key.startsWith(`${this.id}.`));
      return Object.fromEntries(own.map(([key, text]) => [key.slice(this.id.length + 1), text]));
    };
    this.accept(mine());
    addEventListener("hashchange", () => this.isConnected && this.receive(mine()));
  }

  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const all = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
      for (const name in this.state) {
        const key = `${this.id}.${name}`;
        if (this.state[name] === this.initial[name]) all.delete(key);
        else all.set(key, this.state[name]);
      }
      history.replaceState(history.state, "", `#${all}`);
    }, 250);
  }

  /** A labeled <select> for the state called `name`. */
  choice(name, label, options = this.constructor.allowed[name]) {
    const rows = options.map((option) => (Array.isArray(option) ? option : [option, option]));
    const input = h("select", {}, ...rows.map(([value, text]) => h("option", { value }, text)));
    return this.labeled(name, label, input, "change");
  }

  /** A labeled slider with its value written beside it. */
  slider(name, label, min, max, step, written = (text) => text) {
    const shown = h("b", {}); // an <output> here would take the label from the slider
    const input = h("input", { type: "range", min, max, step });
    const made = this.labeled(name, label, input, "input");
    made.firstChild.append(" ", shown);
    const write = () => {
      shown.textContent = written(this.state[name]);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    this.written = { ...this.written, [name]: write };
    return made;
  }

  check(name, label) {
    const input = h("input", { type: "checkbox" });
    input.addEventListener("change", () => this.set({ [name]: String(input.checked) }));
    this.inputs[name] = input;
    return h("label", { class: "hb-check" }, input, label);
  }

  labeled(name, label, input, event) {
    input.addEventListener(event, () => this.set({ [name]: input.value }));
    this.inputs[name] = input;
    return h("label", {}, h("span", {}, label), input);
  }
}

/** Define a component once, and make what anywidget loads: the same element with its traits. */
export function widget(tag, component) {
  if (globalThis.customElements && !customElements.get(tag)) customElements.define(tag, component);
  const names = Object.keys(component.state);
  return {
    render({ model, el }) {
      const figure = document.createElement(tag);
      figure.data = model.get("data");
      for (const name of names) figure.setAttribute(name, model.get(name));
      figure.addEventListener("hb-change", () => {
        for (const [name, value] of Object.entries(figure.traits())) model.set(name, value);
        model.save_changes();
      });
      for (const name of names) {
        model.on(`change:${name}`, () => {
          if (model.get(name) !== figure.traits()[name])
            figure.receive({ [name]: model.get(name) });
        });
      }
      el.append(figure);
    },
  };
}
