/**
 * A spectrogram that moves from right to left: the newest column comes at the right, the bass is
 * at the bottom. Its colours go from the ground over the stem's own colour to white.
 */

import { element } from "./dom.js";

const GROUND = [11, 14, 18];
const LIGHT = [255, 255, 255];
const PIXELS_PER_COLUMN = 2;

export class Spectrogram {
  /**
   * @param {string} name Its accessible name.
   * @param {[number, number, number]} tone The colour of what it shows.
   */
  constructor(name, tone) {
    this.node = element("canvas.spectrogram", { role: "img", "aria-label": name });
    this.canvas = this.node.getContext("2d", { alpha: false });
    this.colours = Array.from({ length: 256 }, (_, level) => colour(level / 255, tone));
    new ResizeObserver(() => this.resize()).observe(this.node);
  }

  resize() {
    const columns = Math.max(Math.round(this.node.clientWidth / PIXELS_PER_COLUMN), 1);
    if (columns !== this.node.width) this.node.width = columns;
    this.clear();
  }

  clear() {
    this.canvas.fillStyle = `rgb(${GROUND.join(" ")})`;
    this.canvas.fillRect(0, 0, this.node.width, this.node.height);
  }

  /** @param {Uint8Array} levels One for each band, the bass first. */
  add(levels) {
    if (this.node.height !== levels.length) {
      this.node.height = levels.length;
      this.clear();
    }
    this.canvas.drawImage(this.node, -1, 0);
    const column = this.canvas.createImageData(1, levels.length);
    levels.forEach((level, band) => {
      column.data.set(this.colours[level], 4 * (levels.length - 1 - band));
    });
    this.canvas.putImageData(column, this.node.width - 1, 0);
  }
}

function colour(level, tone) {
  const shade = level ** 1.8; // quiet things stay in the ground
  const mixed = (from, to, share) => from.map((part, at) => part + share * (to[at] - part));
  const half = 0.6;
  const rgb =
    shade < half ? mixed(GROUND, tone, shade / half) : mixed(tone, LIGHT, (shade - half) / 0.4);
  return [...rgb.map(Math.round), 255];
}
