// Helpers for elements. Text is set only as text, never as HTML, since names are untrusted.

export const byID = (id) => document.getElementById(id);

/** Creates an element with a class (none: "") and content. */
export function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Creates an element whose text does not change the direction of the text around it. */
export function isolated(text) {
  return element("bdi", "", text);
}

/** Sets the text of an element if it differs, so that nothing is announced or laid out twice. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Shows a text in an element, or hides the element if there is none. */
export function showText(target, text) {
  setText(target, text);
  target.hidden = !text;
}

/** Creates the label of a status. */
export function chip(status, text = status || "no status") {
  const made = element("span", "chip", text);
  made.dataset.status = status;
  return made;
}
