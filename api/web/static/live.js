// Keeps the parts marked data-live fresh by asking for the same page again, and counts the clock.
// Without this module, or when it fails, the page is as it was sent; reloading it does the same.

const { from: page, events, tag } = document.getElementById("main").dataset;
// A page that is told of changes asks seldom by itself.
const EVERY_MS = events ? 30000 : 4000;
const connection = document.getElementById("connection");
const parts = () => [...document.querySelectorAll("[data-live]")];

// Nothing is taken from under somebody's hands: an open details, the focus, or words half-written.
const written = (field) => field.value !== field.defaultValue;
const inUse = (part) =>
  part.contains(document.activeElement) ||
  part.querySelector("details[open]") !== null ||
  [...part.querySelectorAll("textarea")].some(written);

function replace(fresh) {
  for (const part of parts()) {
    const next = fresh.getElementById(part.id);
    if (next && !inUse(part) && next.innerHTML !== part.innerHTML) {
      part.replaceChildren(...document.importNode(next, true).childNodes);
    }
    part.removeAttribute("data-stale");
  }
}

function offline(since) {
  const time = since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  connection.textContent = `Offline since ${time}; what you see may be old`;
  for (const part of parts()) part.setAttribute("data-stale", "");
}

let since = null;
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(page, {
      headers: { Accept: "text/html" },
      signal: AbortSignal.timeout(10000),
    });
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (since) connection.textContent = "Online again";
    since = null;
  } catch {
    since ??= new Date();
    offline(since);
  }
}

function count() {
  for (const clock of document.querySelectorAll("[data-running]")) {
    const seconds = Number(clock.dataset.seconds) + 1;
    clock.dataset.seconds = String(seconds);
    const two = (number) => String(number).padStart(2, "0");
    clock.textContent =
      `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }
}

function listen() {
  let shown = tag;
  new EventSource(events).addEventListener("board", ({ data }) => {
    if (data !== shown) look();
    shown = data;
  });
}

async function keepLooking() {
  await look();
  setTimeout(keepLooking, EVERY_MS);
}

if (parts().length) {
  setTimeout(keepLooking, EVERY_MS);
  setInterval(count, 1000);
  if (events) listen();
  document.addEventListener("visibilitychange", look);
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
