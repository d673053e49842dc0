// Every open terminal of an exercise. The list comes from the page itself, asked for again; only
// those that are in sight are drawn.

import { look } from "./eye.js";

const EVERY_MS = 3000;
const wall = document.getElementById("wall");
const watched = new WeakMap();

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) (isIntersecting ? draw : rest)(target);
}, { rootMargin: "200px" });

function draw(card) {
  if (watched.has(card)) return;
  const address = `/live/watch/${wall.dataset.exercise}/${card.dataset.session}`;
  const say = (state) => card.setAttribute("data-state", state);
  watched.set(card, look(card.querySelector(".pane"), address, { say, fontSize: 11 }));
}

function rest(card) {
  watched.get(card)?.();
  watched.delete(card);
}

function gone(element) {
  for (const card of element.querySelectorAll("[data-session]")) forget(card);
  element.remove();
}

function forget(card) {
  sight.unobserve(card);
  rest(card);
  card.remove();
}

// A section's heading is its own; its cards are told apart by their ids and never drawn anew.
function renewSection(section, next) {
  const list = section.querySelector(".panes");
  for (const card of [...list.children]) if (!next.querySelector(`#${card.id}`)) forget(card);
  for (const card of next.querySelectorAll("[data-session]")) {
    const mine = document.getElementById(card.id);
    if (!mine) {
      list.append(document.importNode(card, true));
      sight.observe(list.lastElementChild);
    } else {
      mine.dataset.signal = card.dataset.signal;
      mine.querySelector(".signal").replaceWith(document.importNode(card.querySelector(".signal"), true));
    }
  }
}

function renew(fresh) {
  const next = fresh.getElementById("wall");
  for (const part of [...wall.children]) {
    if (!part.id || !fresh.getElementById(part.id)) gone(part);
  }
  let before = null;
  for (const part of next.children) {
    let mine = part.id ? document.getElementById(part.id) : null;
    if (mine) renewSection(mine, part);
    else {
      mine = document.importNode(part, true);
      if (before) before.after(mine);
      else wall.prepend(mine);
      for (const card of mine.querySelectorAll("[data-session]")) sight.observe(card);
    }
    before = mine;
  }
}

async function ask() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(10000) });
      if (answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
      wall.removeAttribute("data-stale");
    } catch {
      wall.setAttribute("data-stale", "");
    }
  }
  setTimeout(ask, EVERY_MS);
}

for (const card of wall.querySelectorAll("[data-session]")) sight.observe(card);
setTimeout(ask, EVERY_MS);
