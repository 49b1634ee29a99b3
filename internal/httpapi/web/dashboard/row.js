// One row of the list of people.

import { chip, element, isolated, setText } from "./dom.js";
import { clock, length, orDash } from "./format.js";
import { durationAt, isActive, label } from "./roster.js";

/** The buttons of a row: the text, and the words for a screen reader before the name. */
const buttons = ["mute", "hold", "disconnect", "remove"];

/** Creates an empty row. */
export function newRow() {
  const row = element("div", "row");
  row.setAttribute("role", "row");
  const cell = (name, role = "cell") => {
    const made = element("div", name);
    made.setAttribute("role", role);
    return made;
  };
  row.append(cell("name", "rowheader"), cell("status"), cell("role"), cell("duration"), cell("joined"), cell("acts"));
  row.lastChild.append(...buttons.map((act) => {
    const button = element("button", "quiet");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.act = act;
    return button;
  }));
  return row;
}

/** Fills a row with a person. */
export function fillRow(row, { id, person, gone }, index) {
  row.dataset.id = id;
  row.classList.toggle("gone", gone);
  row.setAttribute("aria-rowindex", index + 2);
  const [name, status, role, , joined, acts] = row.children;
  name.title = label(person);
  name.replaceChildren(isolated(label(person)));
  if (person.name) name.append(element("small", "", isolated(person.phone_number)));
  status.replaceChildren(gone ? chip("", "left") : chip(person.status));
  if (person.muted && !gone) status.append(element("span", "muted", "muted"));
  setText(role, orDash(person.role));
  setText(joined, clock(person.joined_at));
  for (const button of acts.children) fillButton(button, person, gone);
}

function fillButton(button, person, gone) {
  const { verb, text, possible } = actOf(button.dataset.act, person);
  button.dataset.verb = verb;
  setText(button, text);
  button.ariaLabel = `${text} ${label(person)}`;
  // A button keeps the focus while it cannot be used, which a disabled one would not.
  button.ariaDisabled = String(gone || !possible);
}

function actOf(act, { status, muted }) {
  const active = isActive(status);
  switch (act) {
    case "mute":
      return muted ? { verb: "unmute", text: "Unmute", possible: active } : { verb: "mute", text: "Mute", possible: active };
    case "hold":
      return status === "held" ? { verb: "resume", text: "Resume", possible: true } : { verb: "hold", text: "Hold", possible: active };
    case "disconnect":
      return { verb: "disconnect", text: "Hang up", possible: active };
    default:
      return { verb: "remove", text: "Remove", possible: true };
  }
}

/** Updates the duration between messages. */
export function tickRow(row, { person }, now) {
  const seconds = durationAt(person, now);
  setText(row.children[3], seconds > 0 || person.joined_at ? length(seconds) : "–");
}
