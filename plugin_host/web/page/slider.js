/**
 * A slider: the faders and the pans, for finger, mouse, keyboard and screen reader.
 *
 * A finger takes it wherever it touches and moves it from where it is: nothing jumps on stage. A
 * mouse that clicks beside the cap puts it there; with Shift it moves a tenth as far. Twice quickly,
 * or the key 0, is back to the middle (0 dB). Arrows are a step, with Shift a tenth of one; Page Up
 * and Page Down are large steps, Home and End the ends.
 */

import { attribute, element } from "./dom.js";

const TWICE_MS = 350;
const STILL_PIXELS = 6;

/**
 * @typedef {Object} Scale What a slider means.
 * @property {number} minimum
 * @property {number} maximum
 * @property {number} rest The value that it goes back to.
 * @property {number} step
 * @property {number} largeStep
 * @property {(value: number) => number} placeOf From 0 to 1.
 * @property {(place: number) => number} valueAt
 * @property {(value: number) => string} spoken
 */

export class Slider {
  /**
   * @param {string} name Its accessible name.
   * @param {string} kind Its class: "fader" or "pan".
   * @param {Scale} scale
   * @param {(value: number) => void} onTurn
   */
  constructor(name, kind, scale, onTurn) {
    this.scale = scale;
    this.onTurn = onTurn;
    this.grip = null; // while it is held
    this.tapped = -Infinity; // when it was, shortly and without being moved
    this.node = element(
      `div.slider.${kind}`,
      {
        role: "slider",
        tabindex: "0",
        "aria-label": name,
        "aria-valuemin": scale.minimum,
        "aria-valuemax": Math.round(scale.maximum * 10) / 10,
      },
      element("div.track"),
      element("div.cap"),
    );
    this.turnBy("horizontal");
    this.show(scale.rest);
    const on = (event, handler) => this.node.addEventListener(event, handler.bind(this));
    on("pointerdown", this.take);
    on("pointermove", this.move);
    on("pointerup", this.release);
    on("pointercancel", this.drop);
    on("lostpointercapture", this.drop);
    on("keydown", this.press);
  }

  /** @param {"horizontal"|"vertical"} orientation Which way it goes. */
  turnBy(orientation) {
    this.isVertical = orientation === "vertical";
    attribute(this.node, "aria-orientation", orientation);
  }

  get isHeld() {
    return this.grip !== null;
  }

  /** Shows a value that comes from elsewhere; not while somebody holds it here. */
  follow(value) {
    if (!this.isHeld) this.show(value);
  }

  show(value) {
    this.value = value;
    this.node.style.setProperty("--place", this.scale.placeOf(value).toFixed(4));
    attribute(this.node, "aria-valuenow", Math.round(value * 100) / 100);
    attribute(this.node, "aria-valuetext", this.scale.spoken(value));
  }

  turn(value) {
    const { minimum, maximum } = this.scale;
    this.show(Math.min(Math.max(value, minimum), maximum));
    this.onTurn(this.value);
  }

  // ---- pointers ---------------------------------------------------------------------------------

  take(event) {
    if (event.button !== 0 || this.isHeld) return;
    if (event.timeStamp - this.tapped < TWICE_MS) {
      this.tapped = -Infinity;
      this.turn(this.scale.rest);
      return;
    }
    this.node.setPointerCapture(event.pointerId);
    this.node.classList.add("held");
    const cap = this.node.querySelector(".cap").getBoundingClientRect();
    const isOnCap = this.isVertical
      ? event.clientY >= cap.top && event.clientY <= cap.bottom
      : event.clientX >= cap.left && event.clientX <= cap.right;
    this.grip = { id: event.pointerId, from: this.along(event), place: 0, way: 0 };
    this.grip.place = this.scale.placeOf(this.value);
    if (event.pointerType === "mouse" && !isOnCap) {
      this.grip.place = this.placeUnder(event);
      this.turn(this.scale.valueAt(this.grip.place));
    }
  }

  move(event) {
    if (!this.isHeld || event.pointerId !== this.grip.id) return;
    const now = this.along(event);
    const moved = now - this.grip.from;
    this.grip.from = now;
    this.grip.way += Math.abs(moved);
    const place = this.grip.place + (moved / this.travel) * (event.shiftKey ? 0.1 : 1);
    this.grip.place = Math.min(Math.max(place, 0), 1);
    if (moved !== 0) this.turn(this.scale.valueAt(this.grip.place));
  }

  release(event) {
    if (!this.isHeld || event.pointerId !== this.grip.id) return;
    if (this.grip.way < STILL_PIXELS) this.tapped = event.timeStamp;
    this.drop();
  }

  drop() {
    this.grip = null;
    this.node.classList.remove("held");
  }

  /** Pixels from the low end. */
  along(event) {
    return this.isVertical ? -event.clientY : event.clientX;
  }

  /** Pixels that the cap can go. */
  get travel() {
    const cap = this.node.querySelector(".cap");
    return this.isVertical
      ? this.node.clientHeight - cap.offsetHeight
      : this.node.clientWidth - cap.offsetWidth;
  }

  placeUnder(event) {
    const box = this.node.getBoundingClientRect();
    const past = this.isVertical ? box.bottom - event.clientY : event.clientX - box.left;
    const margin = (this.isVertical ? box.height : box.width) - this.travel;
    return Math.min(Math.max((past - margin / 2) / this.travel, 0), 1);
  }

  // ---- keys -------------------------------------------------------------------------------------

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { minimum, maximum, rest, step, largeStep } = this.scale;
    const small = event.shiftKey ? step / 10 : step;
    const by = (change, grid) => Math.round((this.value + change) / grid) * grid;
    const wanted = {
      ArrowUp: () => by(small, small),
      ArrowRight: () => by(small, small),
      ArrowDown: () => by(-small, small),
      ArrowLeft: () => by(-small, small),
      PageUp: () => by(largeStep, step),
      PageDown: () => by(-largeStep, step),
      Home: () => minimum,
      End: () => maximum,
      0: () => rest,
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    this.turn(wanted());
  }
}
