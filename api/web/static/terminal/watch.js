// One terminal, large, to look at.

import { look } from "./eye.js";

const place = document.getElementById("terminal");
const status = document.getElementById("terminal-status");

look(place.querySelector(".screen"), place.dataset.from, {
  largest: 1.5,
  say(state, words) {
    place.dataset.state = state;
    status.textContent = words;
  },
});
