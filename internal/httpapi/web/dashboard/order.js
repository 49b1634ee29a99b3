// The order of the people in the list.

import { label, statuses } from "./roster.js";

const rank = ({ status }) => (statuses.indexOf(status) + statuses.length + 1) % (statuses.length + 1);
const byName = new Intl.Collator(undefined, { numeric: true }).compare;

const comparisons = {
  name: (a, b) => byName(label(a), label(b)),
  status: (a, b) => rank(a) - rank(b),
  role: (a, b) => byName(a.role, b.role),
  joined: (a, b) => Date.parse(a.joined_at ?? 0) - Date.parse(b.joined_at ?? 0),
};

/** Which people are shown, and in which order. */
export class Order {
  column = "status";
  descending = false;
  search = "";
  /** While it is true no row moves: who left stays as a gone row, and who came is added at the end. */
  frozen = false;
  #shown = [];

  /** Sorts by a column; the second time in the other direction. */
  sortBy(column) {
    this.descending = this.column === column && !this.descending;
    this.column = column;
  }

  /** Returns the rows for a roster: `{ id, person, gone }`. */
  arrange(people) {
    this.#shown = this.frozen ? this.#keep(people) : this.#sort(people);
    return this.#shown;
  }

  #sort(people) {
    const compare = comparisons[this.column];
    const sign = this.descending ? -1 : 1;
    return [...people.values()].filter((person) => this.#matches(person))
      .sort((a, b) => sign * compare(a, b) || byName(label(a), label(b)) || (a.id < b.id ? -1 : 1))
      .map(rowOf);
  }

  #keep(people) {
    const known = new Set(this.#shown.map(({ id }) => id));
    const kept = this.#shown.map(({ id, person }) => (people.has(id) ? rowOf(people.get(id)) : { id, person, gone: true }));
    const added = [...people.values()].filter((person) => !known.has(person.id) && this.#matches(person)).map(rowOf);
    return [...kept, ...added];
  }

  #matches({ name, phone_number }) {
    const wanted = this.search.trim().toLocaleLowerCase();
    const digits = wanted.replace(/[\s().-]/g, "");
    return name.toLocaleLowerCase().includes(wanted) || (digits !== "" && phone_number.includes(digits));
  }
}

const rowOf = (person) => ({ id: person.id, person, gone: false });
