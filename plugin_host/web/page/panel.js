/** What is told beside the strips: state, figures, model, switches for all, and the ledger. */

import { attribute, element, words } from "./dom.js";
import { Switch } from "./mixer.js";

const STATUS = "/stemwire/status";
const LOOK_MS = 400;
const STATES = {
  running: "Running",
  restarting: "The engine restarts",
  swapping: "Another model loads",
  waiting: "No engine yet",
};

/** The lamp and the words that say whether all is well. */
export class State {
  constructor(node) {
    this.node = node;
    this.isLinked = false;
    this.state = "waiting";
  }

  listen(link) {
    link.listen(`${STATUS}/state`, ([state]) => {
      this.state = state;
      this.show();
    });
  }

  link(isLinked) {
    this.isLinked = isLinked;
    this.show();
  }

  show() {
    const state = this.isLinked ? this.state : "lost";
    attribute(this.node, "data-state", state);
    const said = this.isLinked ? (STATES[state] ?? state) : "Connection lost, trying again";
    words(this.node.querySelector(".words"), said);
  }
}

/** Latency, load and underruns, for a glance. */
export class Figures {
  constructor(node) {
    this.latency = this.add(node, "Latency", "ms");
    this.load = this.add(node, "Load", "%");
    this.underruns = this.add(node, "Underruns", "");
    node.append(...[this.latency, this.load, this.underruns].map((figure) => figure.node));
  }

  add(node, name, unit) {
    const value = element("span.value", {}, "–");
    const made = element(
      "div",
      {},
      element("dt", {}, name),
      element("dd", {}, value, unit && element("span.unit", {}, ` ${unit}`)),
    );
    return { node: made, value };
  }

  listen(link) {
    link.listen(`${STATUS}/latency_ms`, ([ms]) => words(this.latency.value, ms.toFixed(1)));
    link.listen(`${STATUS}/load`, ([load]) => {
      words(this.load.value, String(Math.round(load * 100)));
      this.load.node.classList.toggle("warns", load > 0.8);
    });
    link.listen(`${STATUS}/underruns`, ([count]) => {
      words(this.underruns.value, String(count));
      this.underruns.node.classList.toggle("warns", count > 0);
    });
  }
}

/** The choice of the model. */
export class ModelChoice {
  constructor(node, onTurn) {
    this.select = element("select", { id: "model-choice" });
    this.model = "";
    this.models = [];
    this.wanted = ""; // until it plays, or cannot
    node.append(element("label", { for: "model-choice" }, "Model"), this.select);
    this.look = () => {};
    for (const event of ["pointerenter", "focus"]) {
      this.select.addEventListener(event, () => this.look());
    }
    this.select.addEventListener("change", () => {
      this.wanted = this.select.value;
      attribute(this.select, "aria-busy", "true");
      onTurn(this.wanted);
    });
  }

  listen(link) {
    link.hear("/stemwire/models", (models) => this.show(models, this.model));
    this.look = () => {
      link.ask("/stemwire/models"); // what the server knows, and has it look; then what it has seen
      setTimeout(() => link.ask("/stemwire/models"), LOOK_MS);
    };
    link.listen("/stemwire/model", ([model]) => {
      if (model !== this.model) this.wanted = "";
      this.show(this.models, model);
    });
  }

  /** Shows that what was chosen does not play. */
  settle() {
    this.wanted = "";
    this.show(this.models, this.model);
  }

  show(models, model) {
    this.models = models;
    this.model = model;
    const names = models.includes(model) || !model ? models : [model, ...models];
    const shown = [...this.select.options].map((option) => option.value);
    if (String(shown) !== String(names)) {
      this.select.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
    }
    this.select.value = this.wanted || model;
    attribute(this.select, "aria-busy", this.wanted !== "");
  }
}

/** Bypass, reset and panic. */
export function makeSwitches(node, link) {
  const add = (kind, label, name) => {
    const made = new Switch(kind, label, name, (isOn) =>
      link.send(`/stemwire/${kind}`, "i", [Number(isOn)]),
    );
    node.append(made.node);
    return { listen: () => link.listen(`/stemwire/${kind}`, ([on]) => made.show(Boolean(on))) };
  };
  const bypass = add("bypass", "Bypass", "Bypass: play the input as it came");
  const reset = element(
    "button.switch.reset",
    { type: "button", "aria-label": "Reset: let the model forget what it has heard" },
    "Reset",
  );
  reset.addEventListener("click", () => link.send("/stemwire/reset", "i", [1]));
  node.append(reset);
  const panic = add("panic", "Panic", "Panic: silence everything");
  return [bypass, panic];
}

/** Where the latency comes from, and what else there is to know. */
export class Details {
  constructor(node) {
    this.bar = element("div.bar", { "aria-hidden": "true" });
    this.parts = element("dl.parts");
    this.total = element("span");
    this.more = element("dl.more");
    this.notes = element("ul.notes");
    this.latency = { ledger: "", frames: 0, ms: 0 };
    this.figures = new Map();
    node.append(
      element("section.ledger", {}, element("h2", {}, "Latency", this.total), this.bar, this.parts),
      element("section.about", {}, element("h2", {}, "Engine"), this.more, this.notes),
    );
    for (const name of ["Model file", "Computed by", "Restarts"]) {
      const value = element("dd", {}, "–");
      this.figures.set(name, value);
      this.more.append(element("div", {}, element("dt", {}, name), value));
    }
  }

  listen(link) {
    const tell = (name, address) =>
      link.listen(`${STATUS}/${address}`, ([value]) =>
        words(this.figures.get(name), String(value) || "–"),
      );
    tell("Model file", "model");
    tell("Computed by", "runtime");
    tell("Restarts", "restarts");
    link.listen(`${STATUS}/notes`, ([notes]) => {
      this.notes.replaceChildren(...(notes ? [element("li", {}, notes)] : []));
    });
    const renew = (key) => ([value]) => {
      this.latency[key] = value;
      this.show();
    };
    link.listen(`${STATUS}/ledger`, renew("ledger"));
    link.listen(`${STATUS}/latency`, renew("frames"));
    link.listen(`${STATUS}/latency_ms`, renew("ms"));
  }

  show() {
    const { ledger, frames, ms } = this.latency;
    const parts = partsOf(ledger);
    const inMs = (count) => (frames ? ` = ${((count * ms) / frames).toFixed(1)} ms` : "");
    words(this.total, `${frames} frames${inMs(frames)}`);
    this.bar.replaceChildren(
      ...parts.map(([what, count]) => {
        const piece = element("span", { "data-what": what, "data-frames": count });
        piece.style.setProperty("--frames", count);
        return piece;
      }),
    );
    this.parts.replaceChildren(
      ...parts.map(([what, count]) =>
        element(
          "div",
          { "data-what": what },
          element("dt", {}, what),
          element("dd", {}, `${count} `, element("span.unit", {}, inMs(count))),
        ),
      ),
    );
  }
}

/** "model 64 + worker 256 = 320 frames" in parts: [["model", 64], ["worker", 256]]. */
function partsOf(ledger) {
  return [...ledger.matchAll(/(?:^| \+ )([^+=]+?) (\d+)(?= \+ | = )/g)].map(
    ([, what, frames]) => [what, Number(frames)],
  );
}
