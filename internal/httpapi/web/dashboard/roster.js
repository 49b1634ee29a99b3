// What the page holds of a conference: after every message it is the gateway's roster.

const order = ["connected", "held", "dialing", "pending"];

export class Roster {
  people = new Map();
  total = null;
  active = null;

  /** Takes a message in, and returns the changes that are news to a reader. */
  apply(message) {
    if (message.snapshot) {
      this.people = new Map(message.snapshot.participants.map((person) => [person.id, observed(person, message.snapshot.observed_time)]));
      this.#count(message.snapshot);
      return [];
    }
    if (message.checkpoint) {
      this.#count(message.checkpoint);
      return [];
    }
    const changes = message.changes?.changes ?? [];
    for (const change of changes) this.#change(change, message.changes.not_after);
    if (changes.length > 0) this.#recount();
    return changes;
  }

  /** Everybody: who is in the conference first, then who is being called. */
  sorted() {
    const rank = (person) => (order.indexOf(person.status) + order.length + 1) % (order.length + 1);
    return [...this.people.values()].sort((a, b) => rank(a) - rank(b) || label(a).localeCompare(label(b)) || (a.id < b.id ? -1 : 1));
  }

  #change({ kind, participant }, time) {
    if (kind === "removed" || kind === "left_filter") {
      this.people.delete(participant.id);
      return;
    }
    this.people.set(participant.id, observed(participant, time));
  }

  #count({ total, active }) {
    if (total !== null) [this.total, this.active] = [total, active];
  }

  // The page watches without a filter, so what it holds is all there is.
  #recount() {
    const inside = [...this.people.values()].filter(({ status }) => isActive(status));
    [this.total, this.active] = [this.people.size, inside.length];
  }
}

/** A participant's duration is of a moment; kept beside it, it can tick. */
function observed(person, time) {
  return { ...person, observedAt: Date.parse(time) };
}

export function isActive(status) {
  return status === "connected" || status === "held";
}

/** Seconds in the conference now; it stands still for who is not in it. */
export function durationAt(person, now) {
  const since = isActive(person.status) ? Math.max(0, Math.floor((now - person.observedAt) / 1000)) : 0;
  return person.duration + since;
}

/** What a person is called by. */
export function label(person) {
  return person.name || person.phone_number || person.id;
}
