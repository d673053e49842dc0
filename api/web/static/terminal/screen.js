// A terminal on a page, as xterm.js draws it. What it shows comes from a host that a trainee owns:
// nothing in it may reach further than its own characters.

import "./strict.js";
import { Terminal } from "../vendor/xterm.mjs";

const HYPERLINK = 8;
const THEME = {
  background: "#10161a",
  foreground: "#e3e8ea",
  cursor: "#7cc7de",
  cursorAccent: "#10161a",
  selectionBackground: "#2d5566",
  black: "#1c2529",
  red: "#f0857b",
  green: "#7fd29c",
  yellow: "#e6bd6b",
  blue: "#8fb4f0",
  magenta: "#d59be0",
  cyan: "#7cc7de",
  white: "#d5dcdf",
  brightBlack: "#8b989f",
  brightRed: "#ffa79f",
  brightGreen: "#a3e4b8",
  brightYellow: "#f5d592",
  brightBlue: "#b3cdf8",
  brightMagenta: "#e6bdee",
  brightCyan: "#a5dcec",
  brightWhite: "#ffffff",
};

export function newScreen(box, options = {}) {
  const screen = new Terminal({
    cursorBlink: false,
    fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: 15,
    lineHeight: 1.15,
    minimumContrastRatio: 4.5,
    scrollback: 5000,
    theme: THEME,
    ...options,
  });
  // A link says one thing and leads elsewhere; the words stay, the address goes.
  screen.parser.registerOscHandler(HYPERLINK, () => true);
  screen.open(box);
  return screen;
}

// A screen whose size somebody else decides: it is drawn as large as fits into its box.
export function fitInto(box, screen, { largest = 1 } = {}) {
  const style = screen.element.style;
  style.transformOrigin = "0 0";
  style.width = "max-content";
  const fit = () => {
    const drawn = box.querySelector(".xterm-screen");
    const padding = getComputedStyle(box);
    const wide = box.clientWidth - 2 * parseFloat(padding.paddingLeft);
    const high = box.clientHeight - 2 * parseFloat(padding.paddingTop);
    if (!drawn?.offsetWidth || wide <= 0 || high <= 0) return;
    style.transform = `scale(${Math.min(largest, wide / drawn.offsetWidth, high / drawn.offsetHeight)})`;
  };
  screen.onResize(() => requestAnimationFrame(fit));
  new ResizeObserver(fit).observe(box);
  fit();
}
