// The page's copy of a roster. After every message it equals the gateway's roster.

/** The statuses, in the order in which people and counts are shown. */
export const statuses = ["connected", "held", "dialing", "pending", "disconnected", "rejected"];

export class Roster {
  people = new Map();
  total = null;
  active = null;

  /** Applies a message and returns its changes. */
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

  /** Returns the number of people by status, in the order of `statuses`, without zeros. */
  counts() {
    const counts = new Map(statuses.map((status) => [status, 0]));
    for (const { status } of this.people.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    return [...counts].filter(([, number]) => number > 0);
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

  // The page watches without a filter, so it holds all participants.
  #recount() {
    const inside = [...this.people.values()].filter(({ status }) => isActive(status));
    [this.total, this.active] = [this.people.size, inside.length];
  }
}

/** Adds the time at which `duration` was true, so that the page can count on. */
function observed(person, time) {
  return { ...person, observedAt: Date.parse(time) };
}

export function isActive(status) {
  return status === "connected" || status === "held";
}

/** Returns the seconds in the conference. They grow only while the participant is active. */
export function durationAt(person, now) {
  const since = isActive(person.status) ? Math.max(0, Math.floor((now - person.observedAt) / 1000)) : 0;
  return person.duration + since;
}

/** Returns the text that names a participant. */
export function label(person) {
  return person.name || person.phone_number || person.id;
}
