// The form that calls one person.

import { add, checkAdd, newRequestID } from "./api.js";
import { confirmed } from "./confirm.js";
import { byID, showText } from "./dom.js";
import { cleanNumber } from "./entries.js";
import { APIError, NoAnswer, textOf } from "./errors.js";

/** When the page says that it still waits, in milliseconds. */
const patience = 5_000;

export class AddForm {
  #form = byID("add");
  #target;
  /** Request ids of adds whose outcome is unknown. The same form sends the same id, so that it dials once. */
  #unresolved = new Map();

  /** `target()` returns the conference and the token. */
  constructor(target) {
    this.#target = target;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#dial();
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

  async #dial() {
    const { conference, token } = this.#target();
    const values = this.#values();
    const key = JSON.stringify([conference, values]);
    this.#show("Calling …");
    byID("dial").setAttribute("aria-disabled", "true");
    const waiting = setTimeout(() => this.#show("Still waiting for an answer. A phone may be ringing."), patience);
    try {
      await this.#check(conference, token, values);
      this.#unresolved.set(key, this.#unresolved.get(key) ?? newRequestID());
      await add(conference, token, values, this.#unresolved.get(key));
      this.#unresolved.delete(key);
      this.#form.reset();
      this.#show(`Calling ${values.name || values.phone_number}.`);
    } catch (error) {
      this.#showError(error, key, values);
    } finally {
      clearTimeout(waiting);
      byID("dial").removeAttribute("aria-disabled");
      byID("phone_number").focus();
    }
  }

  /** Finds out what is wrong, and whether the gateway can be reached at all, before anybody is called. */
  async #check(conference, token, values) {
    try {
      await checkAdd(conference, token, values);
    } catch (error) {
      throw error instanceof APIError ? error : new NotSent(error);
    }
  }

  #showError(error, key, values) {
    if (error instanceof NotSent) {
      this.#show("", `${notSentText(error.cause)} Nobody was called.`);
      return;
    }
    if (error instanceof APIError && error.dialled === "no") {
      this.#unresolved.delete(key);
      this.#show("", textOf(error));
      return;
    }
    const name = values.name || values.phone_number;
    this.#show("", `${textOf(error)} A phone may be ringing: look for ${name} in the list first. `.replace("A phone may be ringing. A", "A") +
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

/** The add was not sent, so that nobody was called. */
class NotSent extends Error {
  constructor(cause) {
    super("not sent", { cause });
  }
}

function notSentText(cause) {
  if (!(cause instanceof NoAnswer)) return textOf(cause);
  return "The gateway did not answer within 5 seconds. If this page is open in many windows, close some.";
}
