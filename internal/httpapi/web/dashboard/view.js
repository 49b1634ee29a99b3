// Updates the page. Names come from outside: they are set as text, never as HTML.

import { clock, length, orDash } from "./format.js";
import { durationAt, label } from "./roster.js";

const byID = (id) => document.getElementById(id);

/** Creates an element with a class and content. */
function element(name, className, ...content) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

export function showFreshness(state, text) {
  byID("freshness").dataset.state = state;
  if (byID("freshness-text").textContent !== text) byID("freshness-text").textContent = text;
}

/** Returns the freshness on the page. */
export function freshness() {
  return byID("freshness").dataset.state;
}

export function showCounts({ total, active }) {
  byID("total").textContent = orDash(total);
  byID("active").textContent = orDash(active);
}

/** Shows the time at which the roster was observed. */
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

/** Updates the table. It keeps existing rows, so that a row keeps the focus. */
export function showPeople(people, onRemove) {
  const body = byID("people").tBodies[0];
  const lostFocus = removeRows(new Set(people.map(({ id }) => id)));
  people.forEach((person, index) => {
    const row = rows.get(person.id) ?? newRow(person.id, onRemove);
    fill(row, person);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  byID("nobody").hidden = people.length > 0;
  byID("people").hidden = people.length === 0;
  if (lostFocus >= 0) (body.rows[lostFocus]?.querySelector("button") ?? byID("people-title")).focus();
}

/** Removes the rows of other participants. Returns the index of the one that had the focus, or -1. */
function removeRows(ids) {
  let lostFocus = -1;
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
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
  updateDuration(row, Date.now());
}

function chip(status) {
  const node = element("span", "chip", status || "no status");
  node.dataset.status = status;
  return node;
}

/** Updates the durations between messages. */
export function updateDurations(now) {
  for (const row of rows.values()) updateDuration(row, now);
}

function updateDuration(row, now) {
  const seconds = durationAt(row.person, now);
  const text = seconds > 0 || row.person.joined_at ? length(seconds) : "–";
  if (row.cells[3].textContent !== text) row.cells[3].textContent = text;
}

const maxChanges = 50;

/** Adds changes at the top of the list. */
export function showChanges(changes, time) {
  const list = byID("changes");
  for (const change of changes) list.prepend(changeItem(change, time));
  while (list.children.length > maxChanges) list.lastElementChild.remove();
  byID("no-changes").hidden = list.children.length > 0;
}

function changeItem(change, time) {
  const item = element("li", "", element("time", "", clock(time)), element("b", "", label(change.participant)), " ", ...description(change));
  if (change.source === "gateway_write") item.append(element("small", "", "through this gateway"));
  return item;
}

function description({ kind, participant, previous_status, changed_fields }) {
  switch (kind) {
    case "added":
      return ["added ", chip(participant.status)];
    case "removed":
      return ["removed, was ", chip(participant.status)];
    default:
      if (changed_fields.includes("status")) return [chip(previous_status), element("span", "unseen", " became "), element("span", "arrow", " → "), chip(participant.status)];
      return [changed_fields.map((field) => fieldText(field, participant)).join(", ")];
  }
}

function fieldText(field, participant) {
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

/** Removes the previous conference from the page. */
export function clear() {
  showPeople([]);
  byID("changes").replaceChildren();
  byID("no-changes").hidden = false;
  showCounts({});
  showTime(null);
  showInterval(null);
  showProblem("problem", "");
}
