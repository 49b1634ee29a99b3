// The form that calls one person.

import { add, checkAdd, newRequestID } from "./api.js";
import { confirmed } from "./confirm.js";
import { byID, showText } from "./dom.js";
import { cleanNumber } from "./entries.js";
import { NoAnswer, reasonOf } from "./errors.js";

/** When the page says that it still waits, in milliseconds. */
const patience = 5_000;

export class AddForm {
  #form = byID("add");
  #target;
  /** Request ids of adds whose outcome is unknown. The same form sends the same id, so that it dials once. */
  #unresolved = new Map();
  #busy = false;

  /** `target()` returns the conference and the token. */
  constructor(target) {
    this.#target = target;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#busy) this.#dial();
    });
    byID("dial-anew").addEventListener("click", () => this.#dialAnew());
  }

  #values() {
    return {
      phone_number: cleanNumber(byID("phone_number").value),
      name: byID("name").value.trim(),
      role: byID("role").value,
      muted: byID("muted").checked,
    };
  }

  /** A second click while a call is made must not make another one. The button keeps the focus, which a disabled one would not. */
  #setBusy(busy) {
    this.#busy = busy;
    byID("dial").setAttribute("aria-disabled", busy);
  }

  async #dial() {
    const { conference, token } = this.#target();
    const values = this.#values();
    const key = JSON.stringify([conference, values]);
    this.#show("Calling …");
    this.#setBusy(true);
    const waiting = setTimeout(() => this.#show("Still waiting for an answer. A phone may be ringing."), patience);
    try {
      await check(conference, token, values);
      await this.#add(conference, token, values, key);
      this.#form.reset();
      this.#show(`Calling ${values.name || values.phone_number}.`);
    } catch (error) {
      this.#showError(error, key, values);
    } finally {
      clearTimeout(waiting);
      this.#setBusy(false);
      byID("phone_number").focus();
    }
  }

  /** Adds with the id of an earlier attempt whose outcome is unknown, if there was one. */
  async #add(conference, token, values, key) {
    const earlier = this.#unresolved.get(key);
    const requestID = earlier ?? newRequestID();
    this.#unresolved.set(key, requestID);
    try {
      await add(conference, token, values, requestID);
      this.#unresolved.delete(key);
    } catch (error) {
      // It is certain that nobody was called, unless an earlier attempt did.
      if (error.dialled === "no" && !earlier) this.#unresolved.delete(key);
      throw error;
    }
  }

  #showError(error, key, values) {
    const reason = error instanceof NotSent ? notSentText(error.cause) : reasonOf(error);
    const surelyNot = error instanceof NotSent || error.dialled === "no";
    if (surelyNot && !this.#unresolved.has(key)) {
      this.#show("", `${reason} Nobody was called.`);
      return;
    }
    const name = values.name || values.phone_number;
    this.#show("", `${reason} A phone may be ringing: look for ${name} in the list first. ` +
      "Dial asks for the same call again, not for a second one.");
    byID("dial-anew").hidden = false;
  }

  /** Forgets a call with an unknown outcome. */
  async #dialAnew() {
    const values = this.#values();
    const question = `A phone may be ringing already. Make a second call to ${values.name || values.phone_number}?`;
    if (!(await confirmed(question, "Call a second time"))) return;
    this.#unresolved.delete(JSON.stringify([this.#target().conference, values]));
    this.#dial();
  }

  #show(state, problem = "") {
    showText(byID("add-state"), state);
    showText(byID("add-problem"), problem);
    byID("dial-anew").hidden = true;
  }
}

/** Finds out what is wrong, and whether the gateway can be reached at all, before anybody is called. */
async function check(conference, token, values) {
  try {
    await checkAdd(conference, token, values);
  } catch (error) {
    throw new NotSent(error);
  }
}

/** The add was not sent, so that nobody was called. */
class NotSent extends Error {
  constructor(cause) {
    super("not sent", { cause });
  }
}

function notSentText(cause) {
  if (!(cause instanceof NoAnswer)) return reasonOf(cause);
  return "The gateway did not answer within 5 seconds. If this page is open in many windows, close some.";
}
