// Asks before something that cannot be undone.

import { byID, setText } from "./dom.js";

/** Asks a question, and resolves to whether the person agreed. The focus returns to where it was. */
export function confirmed(question, agreement) {
  const dialog = byID("confirm");
  setText(byID("confirm-question"), question);
  setText(byID("confirm-yes"), agreement);
  dialog.returnValue = "";
  dialog.showModal();
  byID("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
