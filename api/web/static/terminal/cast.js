// An asciicast v2 on two clocks: its own, and the one on which long pauses are short.

const LONGEST_PAUSE = 2;

// Lines that were cut off or are of another make are left out: the rest still plays.
function eventsOf(lines) {
  const events = [];
  for (const line of lines) {
    try {
      const [at, kind, data] = JSON.parse(line);
      if (typeof at === "number" && typeof data === "string") events.push({ at, kind, data });
    } catch {
      continue;
    }
  }
  return events;
}

export class Cast {
  constructor(text) {
    const [first, ...rest] = text.split("\n").filter(Boolean);
    const heading = JSON.parse(first);
    if (heading.version !== 2) throw new Error("This is not an asciicast of version 2");
    this.columns = heading.width;
    this.rows = heading.height;
    this.events = eventsOf(rest);
    let quick = 0;
    let before = 0;
    for (const event of this.events) {
      quick += Math.min(event.at - before, LONGEST_PAUSE);
      event.quick = quick;
      before = event.at;
    }
  }

  length(skips) {
    const last = this.events.at(-1);
    return last ? this.moment(last, skips) : 0;
  }

  moment(event, skips) {
    return skips ? event.quick : event.at;
  }

  // The place on one clock that is `at` on the cast's own.
  placeOf(at, skips) {
    if (!skips) return at;
    const next = this.events.find((event) => event.at >= at);
    return next ? Math.max(0, next.quick - Math.min(next.at - at, LONGEST_PAUSE)) : this.length(true);
  }

  // How many events have happened at a place of a clock.
  countAt(place, skips) {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.moment(this.events[middle], skips) <= place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
