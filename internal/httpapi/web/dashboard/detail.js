// The conference that is shown in detail.

import { byID, setText, showText } from "./dom.js";
import { clock, orDash } from "./format.js";
import { textOf } from "./errors.js";
import { showCounts } from "./overview.js";
import { drawStrip } from "./strip.js";

/** Shows everything but the people. */
export function showDetail(conference, now) {
  const { roster, liveness } = conference;
  setText(byID("title"), conference.id);
  byID("freshness").dataset.state = liveness.state(now);
  setText(byID("freshness-text"), conference.refusal ? "Not connected" : liveness.text(now));
  showText(byID("problem"), conference.refusal ? textOf(conference.refusal) : "");
  setText(byID("total"), orDash(roster.total));
  setText(byID("active"), orDash(roster.active));
  setText(byID("as-of"), clock(conference.asOf));
  setText(byID("interval"), conference.pollInterval);
  byID("polled").hidden = !conference.pollInterval;
  showCounts(byID("counts"), roster);
}


/** Shows the forms and buttons only to those who may use them. */
export function showRights({ mayWrite }) {
  document.documentElement.dataset.rights = mayWrite ? "write" : "read";
  byID("read-only").hidden = mayWrite !== false;
  for (const id of ["dialing", "mute-all", "jump-to-dial", "dial-link"]) byID(id).hidden = !mayWrite;
}

export function drawDetail({ history }, now) {
  drawStrip(byID("strip"), history, now);
  setText(byID("strip-from"), clock(now - history.spanAt(now)));
}
