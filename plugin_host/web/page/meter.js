/** A level meter: RMS as a bar, the peak as a line, and a lamp for what is above full scale. */

import { attribute, element } from "./dom.js";
import { meterPlace } from "./levels.js";

const TELL_MS = 1000; // how often a screen reader may find another value
const LAMP_MS = 1500;

export class Meter {
  /** @param {string} name Its accessible name. */
  constructor(name) {
    this.node = element(
      "div.meter",
      { role: "meter", "aria-label": name, "aria-valuemin": -60, "aria-valuemax": 0 },
      element("div.rms"),
      element("div.peak"),
    );
    this.toldAt = -TELL_MS;
    this.litAt = -LAMP_MS;
    this.show(-100, -100);
  }

  /** Shows a peak and an RMS, in dB of full scale. */
  show(peak, rms) {
    const now = performance.now();
    this.node.style.setProperty("--rms", meterPlace(rms).toFixed(4));
    this.node.style.setProperty("--peak", meterPlace(peak).toFixed(4));
    if (peak > 0) this.litAt = now;
    this.node.classList.toggle("over", now - this.litAt < LAMP_MS);
    if (now - this.toldAt < TELL_MS) return;
    this.toldAt = now;
    const level = Math.round(Math.min(Math.max(peak, -60), 0));
    attribute(this.node, "aria-valuenow", level);
    attribute(this.node, "aria-valuetext", peak <= -60 ? "silent" : `${Math.round(peak)} decibels`);
  }
}
