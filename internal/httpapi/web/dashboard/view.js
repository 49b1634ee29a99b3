// Updates the page. It sets text only as text, never as HTML, since names are untrusted.

import { clock, length, orDash } from "./format.js";
import { durationAt, label } from "./roster.js";

const byID = (id) => document.getElementById(id);

/** Creates an element with a class and content. */
function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

export function showFreshness(state, text) {
  byID("freshness").dataset.state = state;
  if (byID("freshness-text").textContent !== text) byID("freshness-text").textContent = text;
}

/** Returns the freshness that the page shows. */
export function freshness() {
  return byID("freshness").dataset.state;
}

export function showCounts({ total, active }) {
  byID("total").textContent = orDash(total);
  byID("active").textContent = orDash(active);
}

/** Shows the time as of which the roster is true. */
export function showTime(time) {
  byID("as-of").textContent = clock(time);
}

export function showInterval(interval) {
  byID("interval").textContent = interval ?? "";
  byID("polled").hidden = !interval;
}

export function showProblem(id, text) {
  byID(id).textContent = text;
  byID(id).hidden = !text;
}

const rows = new Map();

/** Shows the roster in the table. It keeps the rows, so that a focused row keeps the focus. */
export function showPeople(people, onRemove) {
  const body = byID("people").tBodies[0];
  const lostFocus = dropRows(new Set(people.map(({ id }) => id)));
  people.forEach((person, index) => {
    const row = rows.get(person.id) ?? newRow(person.id, onRemove);
    fill(row, person);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  byID("nobody").hidden = people.length > 0;
  byID("people").hidden = people.length === 0;
  if (lostFocus >= 0) (body.rows[lostFocus]?.querySelector("button") ?? byID("people-title")).focus();
}

/** Removes the rows that are not in `held`. It returns the index of the removed row that had the focus, or -1. */
function dropRows(held) {
  let lostFocus = -1;
  for (const [id, row] of rows) {
    if (held.has(id)) continue;
    if (row.contains(document.activeElement)) lostFocus = row.sectionRowIndex;
    row.remove();
    rows.delete(id);
  }
  return lostFocus;
}

function newRow(id, onRemove) {
  const row = element("tr");
  const headings = ["Name", "Status", "Role", "Duration", "Joined"];
  row.append(element("th"), ...headings.slice(1).map((heading) => {
    const cell = element("td");
    cell.dataset.heading = heading;
    return cell;
  }));
  row.cells[0].scope = "row";
  const button = element("button", "quiet", "Remove");
  button.type = "button";
  button.addEventListener("click", () => onRemove(id, button));
  row.append(element("td", "act", button));
  rows.set(id, row);
  return row;
}

function fill(row, person) {
  const [name, status, role, , joined, act] = row.cells;
  row.person = person;
  name.replaceChildren(label(person), element("small", "", person.name ? person.phone_number : ""));
  status.replaceChildren(chip(person.status), ...(person.muted ? [element("span", "muted", "muted")] : []));
  role.textContent = orDash(person.role);
  joined.textContent = clock(person.joined_at);
  act.firstChild.setAttribute("aria-label", `Remove ${label(person)}`);
  tickRow(row, Date.now());
}

function chip(status) {
  const made = element("span", "chip", status || "no status");
  made.dataset.status = status;
  return made;
}

/** Updates the durations between messages. */
export function tick(now) {
  for (const row of rows.values()) tickRow(row, now);
}

function tickRow(row, now) {
  const seconds = durationAt(row.person, now);
  const text = seconds > 0 || row.person.joined_at ? length(seconds) : "–";
  if (row.cells[3].textContent !== text) row.cells[3].textContent = text;
}

const keptChanges = 50;

/** Adds changes at the top of the list. */
export function showChanges(changes, time) {
  const list = byID("changes");
  for (const change of changes) list.prepend(changeItem(change, time));
  while (list.children.length > keptChanges) list.lastElementChild.remove();
  byID("no-changes").hidden = list.children.length > 0;
}

function changeItem(change, time) {
  const item = element("li", "", element("time", "", clock(time)), element("b", "", label(change.participant)), " ", ...describe(change));
  if (change.source === "gateway_write") item.append(element("small", "", "through this gateway"));
  return item;
}

function describe({ kind, participant, previous_status, changed_fields }) {
  switch (kind) {
    case "added":
      return ["added ", chip(participant.status)];
    case "removed":
      return ["removed, was ", chip(participant.status)];
    default:
      if (changed_fields.includes("status")) return [chip(previous_status), element("span", "unseen", " became "), element("span", "arrow", " → "), chip(participant.status)];
      return [changed_fields.map((field) => describeField(field, participant)).join(", ")];
  }
}

function describeField(field, participant) {
  switch (field) {
    case "muted":
      return participant.muted ? "muted" : "unmuted";
    case "role":
      return `is now ${orDash(participant.role)}`;
    case "joined_at":
      return "joined";
    default:
      return `changed ${field.replaceAll("_", " ")}`;
  }
}

/** Clears the page before another conference is shown. */
export function clear() {
  showPeople([]);
  byID("changes").replaceChildren();
  byID("no-changes").hidden = false;
  showCounts({});
  showTime(null);
  showInterval(null);
  showProblem("problem", "");
}
