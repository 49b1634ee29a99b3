// The list of recent changes.

import { byID, chip, element, isolated } from "./dom.js";
import { clock, orDash } from "./format.js";
import { label } from "./roster.js";

/** Shows changes, newest first: `{ change, time }`. */
export function showChanges(changes) {
  byID("changes").replaceChildren(...changes.map(item));
  byID("no-changes").hidden = changes.length > 0;
}

function item({ change, time }) {
  const made = element("li", "", element("time", "", clock(time)), element("b", "", isolated(label(change.participant))), " ", ...describe(change));
  if (change.source === "gateway_write") made.append(element("small", "", "through this gateway"));
  return made;
}

function describe({ kind, participant, previous_status, changed_fields }) {
  switch (kind) {
    case "added":
      return ["added ", chip(participant.status)];
    case "removed":
      return ["removed, was ", chip(participant.status)];
    default:
      if (changed_fields.includes("status")) return [chip(previous_status), element("span", "unseen", " became "), " → ", chip(participant.status)];
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
