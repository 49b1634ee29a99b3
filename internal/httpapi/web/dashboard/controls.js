// Mutes, holds, hangs up and removes people.

import { control, muteAll, remove } from "./api.js";
import { confirmed } from "./confirm.js";
import { byID, showText } from "./dom.js";
import { textOf } from "./errors.js";
import { count } from "./format.js";
import { label } from "./roster.js";

/** Who is hung up on is asked for. */
const questions = {
  disconnect: (name) => [`Hang up on ${name}?`, "Hang up"],
  remove: (name) => [`Remove ${name} from the conference? A call that is open ends.`, "Remove"],
};

/** Does what a button of a row says. */
export async function act(conference, token, person, verb) {
  // The isolation keeps a name in its own direction, as <bdi> does for elements.
  const name = `\u2068${label(person)}\u2069`;
  if (questions[verb] && !(await confirmed(...questions[verb](name)))) return;
  await attempt(name, () => (verb === "remove" ? remove(conference, token, person.id) : control(conference, token, person.id, verb)));
}

/** Mutes everybody in a conference with a number of people. */
export async function muteEverybody(conference, token, number) {
  if (!(await confirmed(`Mute ${count(number, "person", "people")}? Each can be unmuted again alone.`, "Mute all"))) return;
  await attempt("Mute all", () => muteAll(conference, token));
}

async function attempt(subject, call) {
  showText(byID("act-problem"), "");
  try {
    await call();
  } catch (error) {
    showText(byID("act-problem"), `${subject}: ${textOf(error)}`);
  }
}
