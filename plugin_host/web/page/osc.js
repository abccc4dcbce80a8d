/**
 * OSC messages, as bytes and as values: {address, values}.
 *
 * Numbers go as "i" or "f", texts as "s". What comes in may hold i, f, s, b, T, F, and bundles.
 */

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder();

/**
 * @param {string} address
 * @param {string} tags One letter for each value: "i", "f" or "s".
 * @param {(number|string)[]} values
 * @returns {Uint8Array}
 */
export function encode(address, tags, values) {
  const parts = [padded(address), padded(`,${tags}`)];
  values.forEach((value, index) => {
    if (tags[index] === "s") {
      parts.push(padded(String(value)));
      return;
    }
    const bytes = new DataView(new ArrayBuffer(4));
    if (tags[index] === "i") bytes.setInt32(0, Number(value));
    else bytes.setFloat32(0, Number(value));
    parts.push(new Uint8Array(bytes.buffer));
  });
  return joined(parts);
}

/**
 * @param {ArrayBuffer} buffer A message or a bundle.
 * @returns {{address: string, values: (number|string|boolean|Uint8Array)[]}[]}
 */
export function decode(buffer) {
  return decodeView(new DataView(buffer));
}

function decodeView(view) {
  const reader = new Reader(view);
  const address = reader.text();
  if (address === "#bundle") {
    reader.at += 8; // the timetag: what comes to us is for now
    const messages = [];
    while (reader.at < view.byteLength) {
      const size = reader.int();
      messages.push(...decodeView(new DataView(view.buffer, view.byteOffset + reader.at, size)));
      reader.at += size;
    }
    return messages;
  }
  const tags = reader.at < view.byteLength ? reader.text().slice(1) : "";
  return [{ address, values: [...tags].map((tag) => reader.value(tag)) }];
}

class Reader {
  constructor(view) {
    this.view = view;
    this.at = 0;
  }

  value(tag) {
    if (tag === "i") return this.int();
    if (tag === "s") return this.text();
    if (tag === "b") return this.blob();
    if (tag === "T" || tag === "F") return tag === "T";
    if (tag !== "f") throw new RangeError(`OSC of type ${tag} is not understood`);
    this.at += 4;
    return this.view.getFloat32(this.at - 4);
  }

  int() {
    this.at += 4;
    return this.view.getInt32(this.at - 4);
  }

  text() {
    let end = this.at;
    while (this.view.getUint8(end) !== 0) end += 1;
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + this.at, end - this.at);
    this.at = end + 4 - (end % 4);
    return TEXT.decode(bytes);
  }

  blob() {
    const size = this.int();
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + this.at, size);
    this.at += size + ((4 - (size % 4)) % 4);
    return bytes;
  }
}

function padded(text) {
  const bytes = UTF8.encode(text);
  const whole = new Uint8Array(bytes.length + 4 - (bytes.length % 4));
  whole.set(bytes);
  return whole;
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
