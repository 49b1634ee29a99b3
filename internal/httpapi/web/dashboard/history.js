// Who was in which status in the last minutes, as far as this page saw it.

/** How far back the history goes, in milliseconds. */
const span = 10 * 60_000;
const minute = 60_000;

/** Times are milliseconds of this computer's clock. */
export class History {
  /** People by id: `{ person, parts }`; a part is a status, from its time to the next part's. */
  lanes = new Map();
  /** The times at which nothing was heard: `[from, to]`; `to` is Infinity while it lasts. */
  gaps = [];
  began = Date.now();

  /** Records a person's status; "" means that the person has left. */
  show(person, status, now) {
    const lane = this.lanes.get(person.id) ?? { person, parts: [] };
    lane.person = person;
    if (lane.parts.at(-1)?.status !== status) lane.parts.push({ status, from: now });
    this.lanes.set(person.id, lane);
    if (this.lanes.size > 2 * this.#lastSize) this.prune(now);
  }

  /** Records everybody who is there now. */
  showAll(people, now) {
    const absent = new Map(this.lanes);
    for (const person of people) {
      this.show(person, person.status, now);
      absent.delete(person.id);
    }
    for (const { person } of absent.values()) this.show(person, "", now);
  }

  /** Records whether the roster is known to be true. */
  setLive(live, now) {
    const gap = this.gaps.at(-1);
    const open = gap?.[1] === Infinity;
    if (!live && !open) this.gaps.push([now, Infinity]);
    if (live && open) gap[1] = now;
  }

  /** Returns how far back it makes sense to look: to when the page began to watch, at least a minute and at most the span. */
  spanAt(now) {
    return Math.min(Math.max(now - this.began, minute), span);
  }

  /** Forgets what is older than the span. */
  prune(now) {
    const oldest = now - span;
    for (const [id, { parts }] of this.lanes) {
      while (parts.length > 1 && parts[1].from <= oldest) parts.shift();
      if (parts.length === 1 && parts[0].status === "" && parts[0].from <= oldest) this.lanes.delete(id);
    }
    this.gaps = this.gaps.filter(([, to]) => to > oldest);
    this.#lastSize = Math.max(this.lanes.size, 100);
  }

  /** Returns how many people were in each status at a time. */
  countsAt(time) {
    const counts = {};
    for (const { parts } of this.lanes.values()) {
      const status = statusAt(parts, time);
      if (status) counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  }

  #lastSize = 100;
}

/** Returns the status at a time: "" if the person was not there. */
export function statusAt(parts, time) {
  for (let i = parts.length - 1; i >= 0; i--) {
    if (parts[i].from <= time) return parts[i].status;
  }
  return "";
}
