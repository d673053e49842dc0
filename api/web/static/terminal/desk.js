// A terminal that one types in, with its bar of buttons: a trainee's own, or one that staff joined.

import { FitAddon } from "../vendor/addon-fit.mjs";
import { Line } from "./line.js";
import { fitInto, newScreen } from "./screen.js";

const place = document.getElementById("terminal");
const isGuest = "joined" in place.dataset;
const box = place.querySelector(".screen");
const status = document.getElementById("terminal-status");
const again = document.getElementById("again");
const button = (act) => place.querySelector(`[data-act="${act}"]`);
const encoder = new TextEncoder();
const kept = {
  get: (key, usual) => localStorage.getItem(`terminal.${key}`) ?? usual,
  set: (key, value) => localStorage.setItem(`terminal.${key}`, value),
};

const screen = newScreen(box, {
  fontSize: isGuest ? 15 : Number(kept.get("size", 15)),
  screenReaderMode: kept.get("reader", "no") === "yes",
});
const fit = new FitAddon();
screen.loadAddon(fit);
// A guest sees the size that the trainee has.
if (isGuest) fitInto(box, screen, { largest: 1.5 });
else fit.fit();

// A reload takes its own shell over, also where the old connection is not known to be gone yet.
const mine = `terminal.session.${place.dataset.from}`;
let hasShown = false;
let last = "";

function say(state, words) {
  place.dataset.state = state;
  status.textContent = words;
}

const told = {
  opened({ session, host, resumed }) {
    screen.reset();
    hasShown = false;
    place.dataset.host = host;
    if (!isGuest) sessionStorage.setItem(mine, session);
    say("waiting", resumed ? `Back on ${host}` : `Waiting for your turn on ${host}`);
    tellSize();
  },
  resized({ size }) {
    screen.resize(size.columns, size.rows);
  },
  notice({ sentence }) {
    say(place.dataset.state, sentence);
  },
  ended({ code, sentence }) {
    last = sentence || (code ? `The shell ended with code ${code}` : "The shell ended");
  },
  refused({ sentence }) {
    last = sentence;
    say("over", sentence);
  },
};

say("waiting", "Connecting");
const line = new Line(address, {
  bytes(data) {
    screen.write(data);
    if (hasShown) return;
    hasShown = true;
    say("open", `Connected to ${place.dataset.host}`);
  },
  told(message) {
    told[message.tell]?.(message);
  },
  lost(seconds) {
    say("waiting", `${last || "The connection is lost; your shell goes on"}. Trying again in ${seconds} s`);
    last = "";
  },
  over() {
    say("over", last || "The terminal ended");
    screen.options.disableStdin = true;
    again.hidden = false;
    if (box.contains(document.activeElement)) again.focus();
  },
});

function address() {
  const { from } = place.dataset;
  if (isGuest) return from;
  const session = sessionStorage.getItem(mine) ?? "";
  return `${from}&${new URLSearchParams({ session, columns: screen.cols, rows: screen.rows })}`;
}

function tellSize() {
  if (isGuest) return;
  line.tell({ tell: "resize", size: { columns: screen.cols, rows: screen.rows } });
}

// What is typed

screen.onData((text) => line.send(encoder.encode(text)));
screen.onBinary((text) => line.send(Uint8Array.from(text, (sign) => sign.charCodeAt(0))));

screen.attachCustomKeyEventHandler((event) => {
  if (!event.ctrlKey || !event.shiftKey || event.altKey) return true;
  const act = { KeyC: "copy", KeyL: "leave", KeyV: "" }[event.code];
  if (act === undefined) return true;
  // The browser's own paste brings the text without asking for a permission.
  if (act && event.type === "keydown") {
    event.preventDefault();
    acts[act]();
  }
  return false;
});

// The bar

const acts = {
  smaller: () => resizeFont(-1),
  larger: () => resizeFont(1),
  leave: () => (again.hidden ? button("leave") : again).focus(),
  reader() {
    const reads = !screen.options.screenReaderMode;
    screen.options.screenReaderMode = reads;
    kept.set("reader", reads ? "yes" : "no");
    showReader();
  },
  async copy() {
    const text = screen.getSelection();
    if (!text) return say(place.dataset.state, "Select something first, then copy");
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      screen.textarea.focus();
      document.execCommand("copy");
    }
    say(place.dataset.state, `Copied ${text.length} ${text.length === 1 ? "character" : "characters"}`);
  },
  async paste() {
    try {
      screen.paste(await navigator.clipboard.readText());
    } catch {
      say(place.dataset.state, "The browser keeps its clipboard; paste with Ctrl+Shift+V");
    }
    screen.focus();
  },
  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else place.requestFullscreen();
    screen.focus();
  },
};

function resizeFont(by) {
  const size = Math.min(32, Math.max(8, screen.options.fontSize + by));
  screen.options.fontSize = size;
  kept.set("size", size);
  fit.fit();
}

function showReader() {
  button("reader").setAttribute("aria-pressed", String(screen.options.screenReaderMode));
}

for (const one of place.querySelectorAll("[data-act]")) {
  one.addEventListener("click", () => (one.dataset.act === "leave" ? screen.focus() : acts[one.dataset.act]()));
}
if (!navigator.clipboard?.readText) button("paste").hidden = true;
showReader();
again.addEventListener("click", () => location.reload());

// Its size

let timer = 0;
if (!isGuest) {
  new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => fit.fit(), 100);
  }).observe(box);
  screen.onResize(tellSize);
}
screen.focus();
