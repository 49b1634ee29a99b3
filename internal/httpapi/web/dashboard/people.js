// The list of people. Only the rows near the visible part of the page exist, so that a
// thousand people cost no more than twenty.

import { byID, setText } from "./dom.js";
import { count } from "./format.js";
import { Order } from "./order.js";
import { fillRow, newRow, tickRow } from "./row.js";

/** Rows that exist above and below the visible ones. */
const spareRows = 8;
/** How long rows stay where they are after the pointer or a key was used on them, in milliseconds. */
const calm = 3_000;

export class People {
  #body = byID("people-body");
  #order = new Order();
  #rows = [];
  #elements = new Map();
  #unused = [];
  #people = new Map();
  #trueUntil = 0;
  #pointed = false;
  #thaw = 0;
  #current = { id: "", act: "mute" };
  #reachable = null;

  /** `onAct(person, verb)` is called for each button. */
  constructor(onAct) {
    this.#listen(onAct);
    const render = frameLimited(() => this.#render());
    addEventListener("scroll", render, { passive: true });
    addEventListener("resize", render);
    new ResizeObserver(render).observe(byID("row-height"));
  }

  /** Shows a roster. Durations count on until `trueUntil`. */
  show(people, trueUntil) {
    this.#people = people;
    this.#trueUntil = trueUntil;
    this.#rows = this.#order.arrange(people);
    this.#render();
    this.tick(trueUntil);
    this.#showCount();
  }

  /** Counts the durations on until a time. */
  tick(trueUntil) {
    this.#trueUntil = trueUntil;
    for (const { element, row } of this.#elements.values()) tickRow(element, row, trueUntil);
  }

  /** Forgets the order of the rows, before another conference is shown. */
  reset() {
    this.#order.frozen = false;
    this.#current = { id: "", act: "mute" };
  }

  #showCount() {
    const shown = this.#rows.filter(({ gone }) => !gone).length;
    const text = this.#order.search ? `${shown} of ${count(this.#people.size, "person", "people")} found` : "";
    setText(byID("found"), text);
    byID("nobody").hidden = this.#rows.length > 0;
    setText(byID("nobody"), this.#order.search ? "Nobody matches the search." : "No participants.");
    byID("people").setAttribute("aria-rowcount", this.#rows.length + 1);
  }

  #render() {
    const height = byID("row-height").offsetHeight;
    const top = this.#body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - spareRows);
    const last = Math.min(this.#rows.length, Math.ceil((innerHeight - top) / height) + spareRows);
    this.#body.style.height = `${this.#rows.length * height}px`;
    const focused = this.#focusedID();
    const wanted = this.#wanted(first, last, focused);
    const dropped = this.#drop(wanted);
    let next = this.#body.firstElementChild;
    for (const [id, index] of wanted) {
      const element = this.#element(id, index, height);
      if (element === next) next = next.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
    this.#markCurrent();
    if (dropped >= 0) this.#focusNear(dropped);
  }

  /** Returns the ids of the rows that must exist, with their indexes. The row with the focus always exists. */
  #wanted(first, last, focused) {
    const wanted = new Map();
    const kept = focused ? this.#rows.findIndex(({ id }) => id === focused) : -1;
    if (kept >= 0 && kept < first) wanted.set(focused, kept);
    for (let index = first; index < last; index++) wanted.set(this.#rows[index].id, index);
    if (kept >= Math.max(first, last)) wanted.set(focused, kept);
    return wanted;
  }

  /** Takes away the rows that are not wanted, and returns the index of the one that had the focus, or -1. */
  #drop(wanted) {
    let dropped = -1;
    for (const [id, { element, index }] of this.#elements) {
      if (wanted.has(id)) continue;
      if (element.contains(document.activeElement)) dropped = index;
      element.remove();
      this.#elements.delete(id);
      this.#unused.push(element);
    }
    return dropped;
  }

  /** Returns the element of a row. It changes only what differs: this runs for each frame of a scroll. */
  #element(id, index, height) {
    const row = this.#rows[index];
    const known = this.#elements.get(id);
    const same = known && known.row.person === row.person && known.row.gone === row.gone && known.index === index && known.height === height;
    if (same) return known.element;
    const element = known?.element ?? this.#unused.pop() ?? newRow();
    fillRow(element, row, index);
    tickRow(element, row, this.#trueUntil);
    element.style.transform = `translateY(${index * height}px)`;
    this.#elements.set(id, { element, row, index, height });
    return element;
  }

  #focusedID() {
    return this.#body.contains(document.activeElement) ? document.activeElement.closest(".row").dataset.id : "";
  }

  /** Moves the focus to the row at an index, or to the title if there is none. */
  #focusNear(index) {
    const row = this.#rows[Math.min(index, this.#rows.length - 1)];
    if (row) this.#focus(row.id, this.#current.act);
    else byID("people-title").focus();
  }

  #focus(id, act) {
    this.#current = { id, act };
    const index = this.#rows.findIndex((row) => row.id === id);
    const height = byID("row-height").offsetHeight;
    const top = this.#body.getBoundingClientRect().top + index * height;
    if (top < 2 * height || top > innerHeight - 3 * height) scrollBy(0, top - innerHeight / 2);
    this.#render();
    this.#button(id, act)?.focus({ preventScroll: true });
  }

  #button(id, act) {
    return this.#elements.get(id)?.element.querySelector(`[data-act=${act}]`);
  }

  /** One button can be reached with Tab; the arrow keys move to the others. */
  #markCurrent() {
    if (!this.#elements.has(this.#current.id)) this.#current.id = this.#elements.keys().next().value ?? "";
    const current = this.#button(this.#current.id, this.#current.act) ?? null;
    if (current === this.#reachable) return;
    if (this.#reachable) this.#reachable.tabIndex = -1;
    if (current) current.tabIndex = 0;
    this.#reachable = current;
  }

  #listen(onAct) {
    const area = byID("people");
    this.#body.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      const row = this.#rows.find(({ id }) => id === button.closest(".row").dataset.id);
      if (row && button.getAttribute("aria-disabled") !== "true") onAct(row.person, button.dataset.verb);
    });
    this.#body.addEventListener("focusin", ({ target }) => {
      this.#current = { id: target.closest(".row").dataset.id, act: target.dataset.act };
      this.#markCurrent();
    });
    this.#body.addEventListener("keydown", (event) => this.#onKey(event));
    area.addEventListener("pointerenter", () => this.#freeze(true));
    area.addEventListener("pointermove", () => this.#freeze(true));
    area.addEventListener("pointerleave", () => this.#freeze(false));
    for (const header of area.querySelectorAll("[data-sort]")) header.addEventListener("click", () => this.#sortBy(header.dataset.sort));
    byID("search").addEventListener("input", ({ target }) => {
      this.#order.search = target.value;
      this.#rearrange();
    });
  }

  #onKey(event) {
    this.#freeze(this.#pointed);
    const index = this.#rows.findIndex(({ id }) => id === this.#current.id);
    const page = Math.floor(innerHeight / byID("row-height").offsetHeight) - 2;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      const to = Math.min(Math.max(index + steps[event.key], 0), this.#rows.length - 1);
      this.#focus(this.#rows[to].id, this.#current.act);
    } else if (event.key === "ArrowRight") event.target.nextElementSibling?.focus();
    else if (event.key === "ArrowLeft") event.target.previousElementSibling?.focus();
    else return;
    event.preventDefault();
  }

  /** Rows stay where they are while the pointer is on them, and for a moment after it was or a key was pressed. */
  #freeze(pointed) {
    this.#pointed = pointed;
    this.#order.frozen = true;
    clearTimeout(this.#thaw);
    if (!pointed) this.#thaw = setTimeout(() => this.#rearrange(), calm);
  }

  #rearrange() {
    this.#order.frozen = false;
    this.show(this.#people, this.#trueUntil);
  }

  #sortBy(column) {
    this.#order.sortBy(column);
    for (const header of byID("people").querySelectorAll("[data-sort]")) {
      const direction = this.#order.descending ? "descending" : "ascending";
      header.closest("[role=columnheader]").setAttribute("aria-sort", header.dataset.sort === column ? direction : "none");
    }
    this.#rearrange();
  }
}

/** Returns a function that calls another at most once a frame. */
function frameLimited(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}
