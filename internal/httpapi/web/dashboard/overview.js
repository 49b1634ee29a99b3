// A card for each conference, when several are watched.

import { byID, chip, element, isolated, setText } from "./dom.js";
import { orDash } from "./format.js";
import { drawStrip } from "./strip.js";

export class Overview {
  #cards = new Map();

  /** `onChoose(conference)` is called when a card is chosen. */
  show(conferences, onChoose) {
    this.#cards = new Map(conferences.map((conference) => [conference, newCard(conference, onChoose)]));
    byID("cards").replaceChildren(...[...this.#cards.values()].map(({ item }) => item));
    byID("overview").hidden = conferences.length < 2;
  }

  /** Updates the card of a conference. */
  update(conference, chosen, now) {
    const { item, choose, badge, text, counts, total } = this.#cards.get(conference);
    item.dataset.state = conference.liveness.state(now);
    badge.dataset.state = conference.liveness.state(now);
    setText(text, conference.liveness.text(now));
    choose.setAttribute("aria-pressed", chosen);
    setText(total, orDash(conference.roster.active));
    showCounts(counts, conference.roster);
  }

  draw(now) {
    for (const [conference, { strip }] of this.#cards) if (strip.clientWidth > 0) drawStrip(strip, conference.history, now);
  }
}

function newCard(conference, onChoose) {
  const choose = element("button", "choose", isolated(conference.id));
  choose.type = "button";
  choose.addEventListener("click", () => onChoose(conference));
  const text = element("span", "");
  const badge = element("span", "badge", dot(), text);
  const total = element("b", "big", "–");
  const counts = element("span", "counts");
  const strip = element("canvas", "strip");
  strip.setAttribute("role", "img");
  strip.setAttribute("aria-label", "Who was in which status");
  const item = element("li", "card", element("div", "head", element("h3", "", choose), badge), element("p", "now", total, " in the call"), counts, strip);
  return { item, choose, badge, text, total, counts, strip };
}

function dot() {
  const made = element("span", "dot");
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** Shows the number of people by status. */
export function showCounts(target, roster) {
  const counts = roster.counts();
  const key = JSON.stringify(counts);
  if (target.dataset.shown === key) return;
  target.dataset.shown = key;
  target.replaceChildren(...counts.map(([status, number]) => chip(status, `${number} ${status || "no status"}`)));
}
