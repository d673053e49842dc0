// A WebSocket to a terminal that comes back by itself. Binary frames are bytes; text frames tell.

const PIECE = 32 * 1024;
const REFUSED = 4403;
const DONE = 1000;
const NOT_UNDERSTOOD = 1007;
const FINAL = new Set([DONE, REFUSED, NOT_UNDERSTOOD]);
const LONGEST_PAUSE_MS = 5000;

export class Line {
  #socket = null;
  #tries = 0;
  #timer = 0;
  #isLeft = false;

  // `address` is asked at each try; `on` has bytes(Uint8Array), told(object), lost(seconds), over().
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.#open();
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  #open() {
    this.#timer = 0;
    const url = new URL(this.address(), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#tries = 0;
      if (typeof data === "string") this.on.told(JSON.parse(data));
      else this.on.bytes(new Uint8Array(data));
    };
    socket.onclose = ({ code }) => this.#closed(code);
    this.#socket = socket;
  }

  #closed(code) {
    if (this.#isLeft) return;
    if (FINAL.has(code)) {
      this.#isLeft = true;
      this.on.over();
      return;
    }
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.#tries);
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#open(), pause);
    this.on.lost(Math.ceil(pause / 1000));
  }

  hurry() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  leave() {
    this.#isLeft = true;
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(bytes) {
    if (!this.isOpen) return;
    for (let start = 0; start < bytes.length; start += PIECE) {
      this.#socket.send(bytes.subarray(start, start + PIECE));
    }
  }

  tell(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }
}
