/** The strips: one for each stem, and one for the mix. */

import { attribute, element, words } from "./dom.js";
import { SILENCE_DB, TICKS, decibelsAt, placeOf, spoken, written } from "./levels.js";
import { Meter } from "./meter.js";
import { Slider } from "./slider.js";
import { Spectrogram } from "./spectrogram.js";

const TONES = [
  [255, 138, 101],
  [255, 209, 102],
  [79, 195, 247],
  [186, 164, 255],
  [129, 230, 163],
  [244, 143, 177],
  [178, 223, 82],
  [128, 222, 234],
];
const MIX_TONE = [216, 226, 236];

const FADER = {
  minimum: SILENCE_DB,
  maximum: 12.0412,
  rest: 0,
  step: 1,
  largeStep: 6,
  placeOf,
  valueAt: decibelsAt,
  spoken,
};
const PAN = {
  minimum: -1,
  maximum: 1,
  rest: 0,
  step: 0.05,
  largeStep: 0.25,
  placeOf: (value) => (value + 1) / 2,
  valueAt: (place) => (Math.abs(place - 0.5) < 0.03 ? 0 : place * 2 - 1),
  spoken: (value) => sided(value, "centre", "left", "right"),
};

/** A switch: a button that is pressed or not. */
export class Switch {
  /**
   * @param {string} kind Its class, such as "mute".
   * @param {string} label What stands on it.
   * @param {string} name Its accessible name, which begins with the label.
   * @param {(isOn: boolean) => void} onTurn
   */
  constructor(kind, label, name, onTurn) {
    this.node = element(`button.switch.${kind}`, { type: "button", "aria-label": name }, label);
    this.onTurn = onTurn;
    this.show(false);
    this.node.addEventListener("click", () => this.turn(!this.isOn));
  }

  turn(isOn) {
    this.show(isOn);
    this.onTurn(isOn);
  }

  show(isOn) {
    this.isOn = isOn;
    attribute(this.node, "aria-pressed", isOn);
  }
}

/** What all strips have: a name, a fader with a meter, a spectrogram. */
class Strip {
  constructor(link, name, prefix, tone) {
    this.link = link;
    this.prefix = prefix;
    const id = `strip-${name}`;
    this.readout = element("output.readout", { "aria-hidden": "true" });
    this.spectrogram = new Spectrogram(`Spectrogram of ${name}`, tone);
    this.meter = new Meter(`${name} level`);
    this.fader = new Slider(`${name} gain`, "fader", FADER, (decibels) => {
      words(this.readout, written(decibels));
      link.send(`${prefix}/gain_db`, "f", [decibels]);
    });
    const scale = element("div.scale", { "aria-hidden": "true" });
    for (const tick of TICKS) {
      const mark = element("span", {}, String(Math.abs(tick)));
      mark.style.setProperty("--place", placeOf(tick).toFixed(4));
      scale.append(mark);
    }
    this.switches = element("div.switches");
    this.node = element(
      "section.strip",
      { role: "group", "aria-labelledby": id },
      element("h2", { id }, name),
      this.readout,
      this.spectrogram.node,
      element("div.lane", {}, scale, this.fader.node, this.meter.node),
      this.switches,
    );
    this.node.style.setProperty("--colour", `rgb(${tone.join(" ")})`);
    link.listen(`${prefix}/gain_db`, ([decibels]) => {
      this.fader.follow(decibels);
      words(this.readout, written(this.fader.value));
    });
    link.listen(`${prefix}/meter`, ([peak, rms]) => this.meter.show(peak, rms));
  }

  turnBy(orientation) {
    this.fader.turnBy(orientation);
  }
}

/** The strip of a stem: pan, mute and solo beside what all have; keys M and S anywhere in it. */
class StemStrip extends Strip {
  constructor(link, name, tone) {
    const prefix = `/stemwire/stem/${name}`;
    super(link, name, prefix, tone);
    this.side = element("span.side", { "aria-hidden": "true" });
    this.pan = new Slider(`${name} pan`, "pan", PAN, (value) => {
      this.showSide(value);
      link.send(`${prefix}/pan`, "f", [value]);
    });
    this.mute = this.addSwitch("mute", "Mute", name);
    this.solo = this.addSwitch("solo", "Solo", name);
    this.node.insertBefore(element("div.balance", {}, this.pan.node, this.side), this.switches);
    link.listen(`${prefix}/pan`, ([value]) => {
      this.pan.follow(value);
      this.showSide(this.pan.value);
    });
    this.node.addEventListener("keydown", (event) => this.press(event));
  }

  addSwitch(kind, label, name) {
    const made = new Switch(kind, label, `${label} ${name}`, (isOn) =>
      this.link.send(`${this.prefix}/${kind}`, "i", [Number(isOn)]),
    );
    this.link.listen(`${this.prefix}/${kind}`, ([value]) => made.show(Boolean(value)));
    this.switches.append(made.node);
    return made;
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const pressed = { m: this.mute, s: this.solo }[event.key.toLowerCase()];
    if (pressed !== undefined) {
      event.preventDefault();
      pressed.turn(!pressed.isOn);
    }
  }

  showSide(value) {
    words(this.side, sided(value, "C", "L", "R"));
  }
}

/** The strip of the mix, with the level of the input beside it. */
class MixStrip extends Strip {
  constructor(link) {
    super(link, "mix", "/stemwire/master", MIX_TONE);
    this.node.classList.add("mix");
    this.input = new Meter("input level");
    this.node
      .querySelector(".lane")
      .append(element("div.inlet", {}, element("span", { "aria-hidden": "true" }, "in"), this.input.node));
    link.listen("/stemwire/input/meter", ([peak, rms]) => this.input.show(peak, rms));
  }
}

/** All strips of one set of stems. */
export class Mixer {
  /**
   * @param {import("./link.js").Link} link
   * @param {string[]} stems Their names.
   */
  constructor(link, stems) {
    this.strips = [
      ...stems.map((name, index) => new StemStrip(link, name, TONES[index % TONES.length])),
      new MixStrip(link),
    ];
    this.nodes = this.strips.map((strip) => strip.node);
  }

  turnBy(orientation) {
    for (const strip of this.strips) strip.turnBy(orientation);
  }

  /** Shows spectra: the mix first, then the stems, as they come from the server. */
  showSpectra(rows, levels) {
    const bands = levels.length / rows;
    this.strips.forEach((strip, index) => {
      const row = (index + 1) % this.strips.length;
      if (row < rows) strip.spectrogram.add(levels.subarray(row * bands, (row + 1) * bands));
    });
  }
}

function sided(value, centre, left, right) {
  const share = Math.round(Math.abs(value) * 100);
  if (share === 0) return centre;
  const side = value < 0 ? left : right;
  return side.length > 1 ? `${share} percent ${side}` : `${side}${share}`;
}
