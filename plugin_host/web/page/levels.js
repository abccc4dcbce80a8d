/** Decibels: where they lie on a fader and on a meter, and how they are written. */

export const SILENCE_DB = -70;
const METER_FLOOR_DB = -60;

// Where on the fader, and what is there: most of the way is for what is turned most.
const LAW = [
  [0, -70],
  [0.05, -60],
  [0.14, -40],
  [0.24, -30],
  [0.37, -20],
  [0.54, -10],
  [0.645, -5],
  [0.75, 0],
  [0.875, 6],
  [1, 12.0412],
];

/** What stands beside the fader. */
export const TICKS = [12, 6, 0, -5, -10, -20, -30, -40];

/** @returns {number} 0 to 1. */
export function placeOf(decibels) {
  return between(LAW, 1, 0, decibels);
}

/** @returns {number} Decibels, at a place from 0 to 1. */
export function decibelsAt(place) {
  return between(LAW, 0, 1, place);
}

/** @returns {number} 0 to 1, evenly in decibels. */
export function meterPlace(decibels) {
  return Math.min(Math.max(1 - decibels / METER_FLOOR_DB, 0), 1);
}

/** As it is written: "−3.2", and "−∞" for silence. */
export function written(decibels) {
  if (decibels <= SILENCE_DB) return "−∞";
  const rounded = Math.round(decibels * 10) / 10;
  const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "";
  return `${sign}${Math.abs(rounded).toFixed(1)}`;
}

/** As it is said: "minus 3.2 decibels", and "silent". */
export function spoken(decibels) {
  if (decibels <= SILENCE_DB) return "silent";
  const rounded = Math.round(decibels * 10) / 10;
  return `${rounded < 0 ? "minus " : ""}${Math.abs(rounded)} decibels`;
}

function between(points, from, to, value) {
  const first = points[0];
  if (value <= first[from]) return first[to];
  for (let index = 1; index < points.length; index += 1) {
    const low = points[index - 1];
    const high = points[index];
    if (value <= high[from]) {
      const share = (value - low[from]) / (high[from] - low[from]);
      return low[to] + share * (high[to] - low[to]);
    }
  }
  return points[points.length - 1][to];
}
