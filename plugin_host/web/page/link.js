/**
 * The connection to the server: OSC both ways over one WebSocket, opened anew whenever it is lost.
 *
 * What is sent goes out at most once in 16 ms for each address, the newest value only. While a
 * control is being turned here, what others say of it is not shown; a moment after the last turn
 * the server is asked how things stand, so that all browsers agree in the end whoever came last.
 */

import { decode, encode } from "./osc.js";

const FLUSH_MS = 16;
const SETTLE_MS = 250;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 4000;

export class Link extends EventTarget {
  /** @param {string} url Of the WebSocket. */
  constructor(url) {
    super();
    this.url = url;
    this.handlers = new Map(); // by address
    this.pending = new Map(); // messages by address, the newest
    this.turned = new Map(); // timers by address, of what is being turned here
    this.commands = new Set(); // to be said again with every new connection
    this.asked = new Set(); // addresses to be asked for again with every new connection
    this.pause = FIRST_PAUSE_MS;
    this.open();
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  open() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => {
      this.pause = FIRST_PAUSE_MS;
      for (const command of this.commands) this.socket.send(command);
      for (const address of this.asked) this.ask(address);
      this.dispatchEvent(new Event("open"));
    });
    this.socket.addEventListener("message", (event) => this.take(event.data));
    this.socket.addEventListener("close", () => {
      this.dispatchEvent(new Event("lost"));
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(this.pause * 1.7, LONGEST_PAUSE_MS);
    });
  }

  /**
   * Has a function called with the values of an address, now and whenever they change.
   * @param {string} address
   * @param {(values: any[]) => void} handler
   */
  listen(address, handler) {
    this.handlers.set(address, [...(this.handlers.get(address) ?? []), handler]);
    this.command("LISTEN", address);
  }

  /**
   * Has a function called with the values of an address that have been asked for: now, with every
   * new connection, and by `ask`. For what costs the server something to find out.
   */
  hear(address, handler) {
    this.handlers.set(address, [handler]);
    this.asked.add(address);
    this.ask(address);
  }

  /** Ends all listening, as when there are other addresses. */
  ignoreAll() {
    for (const address of this.handlers.keys()) {
      this.commands.delete(said("LISTEN", address));
      this.say(said("IGNORE", address));
    }
    this.handlers.clear();
    this.asked.clear();
  }

  /** Sends a command, now and with every new connection. */
  command(name, data) {
    this.commands.add(said(name, data));
    this.say(said(name, data));
  }

  /** Asks for spectra, or for no more of them. */
  showSpectra(isShown) {
    this.commands.delete(said("SPECTRA", !isShown));
    this.command("SPECTRA", isShown);
  }

  say(text) {
    if (this.isOpen) this.socket.send(text);
  }

  /**
   * Sets an address to a value.
   * @param {string} address
   * @param {string} tags
   * @param {(number|string)[]} values
   */
  send(address, tags, values) {
    if (this.pending.size === 0) setTimeout(() => this.flush(), FLUSH_MS);
    this.pending.set(address, encode(address, tags, values));
    clearTimeout(this.turned.get(address));
    this.turned.set(address, setTimeout(() => this.settle(address), SETTLE_MS));
  }

  /** Asks how things stand. */
  ask(address) {
    if (this.isOpen) this.socket.send(encode(address, "", []));
  }

  flush() {
    if (this.isOpen) for (const message of this.pending.values()) this.socket.send(message);
    this.pending.clear();
  }

  settle(address) {
    this.turned.delete(address);
    this.ask(address);
  }

  take(data) {
    if (typeof data === "string") {
      this.dispatchEvent(new CustomEvent("command", { detail: JSON.parse(data) }));
      return;
    }
    for (const { address, values } of decode(data)) {
      if (address === "/stemwire/error") {
        this.dispatchEvent(new CustomEvent("complaint", { detail: values }));
      } else if (address === "/stemwire/spectra") {
        this.dispatchEvent(new CustomEvent("spectra", { detail: values }));
      } else if (!this.turned.has(address)) {
        for (const handler of this.handlers.get(address) ?? []) handler(values);
      }
    }
  }
}

function said(name, data) {
  return JSON.stringify({ COMMAND: name, DATA: data });
}
