// Plays a recording: at any speed, from any place, with long pauses left out.

import { Cast } from "./cast.js";
import { fitInto, newScreen } from "./screen.js";

const place = document.getElementById("player");
const box = place.querySelector(".screen");
const [status, play, seek, time, speed, skip] = [
  "player-status", "play", "seek", "time", "speed", "skip",
].map((id) => document.getElementById(id));
const STEP_SECONDS = 5;

const screen = newScreen(box, { disableStdin: true, scrollback: 0 });
fitInto(box, screen, { largest: 1.5 });

let cast;
let at = 0;
let shown = 0;
let since = 0;

const spelled = (seconds) => {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = `${Math.floor(whole / 60) % 60}:${two(whole % 60)}`;
  return whole < 3600 ? minutes : `${Math.floor(whole / 3600)}:${minutes.padStart(5, "0")}`;
};
const isPlaying = () => play.getAttribute("aria-pressed") === "true";

function say(state, words) {
  place.dataset.state = state;
  status.textContent = words;
}

function apply({ kind, data }) {
  if (kind === "o") screen.write(data);
  else if (kind === "m") say(place.dataset.state, data);
  else if (kind === "r") {
    const [columns, rows] = data.split("x").map(Number);
    // Writing is a queue: the size must change between what came before and after it.
    if (columns > 0 && rows > 0) screen.write("", () => screen.resize(columns, rows));
  }
}

function show(where) {
  at = Math.min(Math.max(0, where), cast.length(skip.checked));
  const count = cast.countAt(at, skip.checked);
  if (count < shown) {
    screen.reset();
    screen.resize(cast.columns, cast.rows);
    shown = 0;
  }
  for (; shown < count; shown += 1) apply(cast.events[shown]);
  seek.value = at;
  const words = `${spelled(at)} / ${spelled(cast.length(skip.checked))}`;
  if (time.value !== words) time.value = words;
  seek.setAttribute("aria-valuetext", words);
}

function pause(isPaused) {
  if (!isPaused && at >= cast.length(skip.checked)) show(0);
  play.setAttribute("aria-pressed", String(!isPaused));
  play.textContent = isPaused ? "Play" : "Pause";
  since = performance.now();
  if (!isPaused) requestAnimationFrame(tick);
}

function tick(now) {
  if (!isPlaying()) return;
  show(at + ((now - since) / 1000) * Number(speed.value));
  since = now;
  if (at >= cast.length(skip.checked)) pause(true);
  else requestAnimationFrame(tick);
}

function measure() {
  seek.max = cast.length(skip.checked);
}

function keys(event) {
  if (event.target.closest("select, input[type=checkbox], a, nav")) return;
  const acts = {
    " ": () => pause(isPlaying()),
    ArrowLeft: () => show(at - STEP_SECONDS),
    ArrowRight: () => show(at + STEP_SECONDS),
    Home: () => show(0),
    End: () => show(cast.length(skip.checked)),
  };
  if (!acts[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === " " && event.target === play) return;
  event.preventDefault();
  acts[event.key]();
}

function begin() {
  screen.resize(cast.columns, cast.rows);
  measure();
  play.addEventListener("click", () => pause(isPlaying()));
  seek.addEventListener("input", () => show(Number(seek.value)));
  skip.addEventListener("change", () => {
    const own = cast.events[shown - 1]?.at ?? 0;
    measure();
    show(cast.placeOf(own, skip.checked));
  });
  for (const jump of document.querySelectorAll("[data-at]")) {
    jump.addEventListener("click", () => show(cast.placeOf(Number(jump.dataset.at), skip.checked)));
  }
  document.addEventListener("keydown", keys);
  // A report links to the second at which something happened: #t=75
  const wanted = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  show(wanted ? cast.placeOf(Number(wanted[1]), skip.checked) : 0);
  say("open", "Space plays and pauses, the arrows go five seconds back and on");
  play.focus();
}

try {
  const answer = await fetch(place.dataset.cast);
  if (!answer.ok) throw new Error(`The recording cannot be had: ${answer.status} ${answer.statusText}`);
  cast = new Cast(await answer.text());
  begin();
} catch (error) {
  say("over", error.message);
}
