// Looking at somebody's terminal: nothing that is typed or clicked here goes anywhere.

import { Line } from "./line.js";
import { fitInto, newScreen } from "./screen.js";

// `say(state, words)` is told how it is; returns what ends the looking.
export function look(box, address, { say, largest, fontSize = 15 }) {
  const screen = newScreen(box, {
    disableStdin: true,
    scrollback: 0,
    fontSize,
  });
  fitInto(box, screen, { largest });
  let last = "The terminal ended";
  const told = {
    opened() {
      screen.reset();
      say("open", "Watching");
    },
    resized({ size }) {
      screen.resize(size.columns, size.rows);
    },
    notice({ sentence }) {
      say("open", sentence);
    },
    lost({ bytes }) {
      screen.reset();
      say("open", `${Math.ceil(bytes / 1024)} KiB were too fast to be shown`);
    },
    refused({ sentence }) {
      last = sentence;
    },
  };
  say("waiting", "Connecting");
  const line = new Line(() => address, {
    bytes: (data) => screen.write(data),
    told: (message) => told[message.tell]?.(message),
    lost: (seconds) => say("waiting", `The connection is lost. Trying again in ${seconds} s`),
    over: () => say("over", last),
  });
  return () => {
    line.leave();
    screen.dispose();
    box.replaceChildren();
  };
}
