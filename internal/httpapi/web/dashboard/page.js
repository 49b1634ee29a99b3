// The dashboard: one or several conferences, live.

import { act, muteEverybody } from "./controls.js";
import { AddForm } from "./add.js";
import { BatchForm } from "./batch.js";
import { showChanges } from "./changes.js";
import { Conference } from "./conference.js";
import { drawDetail, showDetail, showRights } from "./detail.js";
import { byID } from "./dom.js";
import { Overview } from "./overview.js";
import { People } from "./people.js";
import { mayWrite } from "./rights.js";
import { connectSettings, keepToken, keptToken, setParameter } from "./settings.js";
import { Watcher } from "./stream.js";

const demoConference = "conf_demo";

let token = keptToken();
let conferences = new Map();
let chosen = new Conference(demoConference);
let watcher = new Watcher([], "", {});

const target = () => ({ conference: chosen.id, token });
const overview = new Overview();
const people = new People((person, verb) => act(chosen.id, token, person, verb));

function start(ids) {
  watcher.close();
  conferences = new Map(ids.map((id) => [id, new Conference(id)]));
  document.title = `${ids.join(", ")} · Participant Gateway`;
  byID("watching").textContent = ids.join(", ");
  overview.show([...conferences.values()], choose);
  choose(conferences.get(ids[0]));
  watcher = new Watcher(ids, token, { message: onMessage, refused: onRefused, lost: onLost, failed: onFailed });
  if (!document.hidden) watcher.open();
}

/** Shows a conference in detail. It asks for the rights before a stream takes the last connection that the browser opens. */
function choose(conference) {
  chosen = conference;
  people.reset();
  showAll();
  learnRights(conference);
}

function onMessage(id, message) {
  const conference = conferences.get(id);
  const now = Date.now();
  const peopleChanged = conference.apply(message, now);
  if (conference === chosen && peopleChanged) showPeople(now);
  // The rights may have changed while there was no stream.
  if (message.snapshot || conference.mayWrite === null) learnRights(conference);
  update(conference, now);
}

function onRefused(id, error) {
  conferences.get(id).refuse(error, Date.now());
  update(conferences.get(id), Date.now());
}

function onLost() {
  for (const conference of conferences.values()) {
    conference.lost(Date.now());
    update(conference, Date.now());
  }
}

function onFailed(error) {
  for (const id of conferences.keys()) onRefused(id, error);
  byID("connection").open = true;
}

/** Learns whether the person may change a conference, once it is shown in detail. */
async function learnRights(conference) {
  if (conference !== chosen || conference.learning) return;
  conference.learning = true;
  const allowed = await mayWrite(conference.id, token);
  conference.learning = false;
  if (allowed !== null) conference.mayWrite = allowed;
  if (conference === chosen) showRights(conference);
}

function update(conference, now) {
  overview.update(conference, conference === chosen, now);
  if (conference !== chosen) return;
  showDetail(conference, now);
  people.tick(conference.liveness.trueUntil(now));
}

function showPeople(now) {
  people.show(chosen.roster.people, chosen.liveness.trueUntil(now));
  showChanges(chosen.changes);
}

function showAll() {
  const now = Date.now();
  for (const conference of conferences.values()) update(conference, now);
  showPeople(now);
  showRights(chosen);
  draw();
}

function draw() {
  overview.draw(Date.now());
  drawDetail(chosen, Date.now());
}

function tick() {
  const now = Date.now();
  for (const conference of conferences.values()) update(conference, now);
  draw();
}

/** A browser opens six connections to a server at most, so that hidden pages must not hold one. */
function onVisibility() {
  if (!document.hidden) {
    watcher.open();
    return;
  }
  watcher.close();
  onLost();
}

function onConnect(event) {
  event.preventDefault();
  const ids = idsOf(byID("conference").value);
  if (ids.length === 0) return;
  token = byID("token").value.trim();
  keepToken(token, byID("keep").checked);
  setParameter("conference", ids.join(","));
  byID("connection").open = false;
  byID("connection").querySelector("summary").focus();
  start(ids);
}

function idsOf(text) {
  return [...new Set(text.split(",").map((id) => id.trim()).filter(Boolean))];
}

new AddForm(target);
new BatchForm(target);
byID("mute-all").addEventListener("click", () => muteEverybody(chosen.id, token, chosen.roster.active));
byID("choose").addEventListener("submit", onConnect);
document.addEventListener("visibilitychange", onVisibility);
setInterval(tick, 1000);

// The link to Dial is of no use where Dial can be seen.
new IntersectionObserver(([{ isIntersecting }]) => byID("dial-link").classList.toggle("needless", isIntersecting)).observe(byID("dial"));

byID("recent").open = matchMedia("(min-width: 60rem)").matches;
byID("token").value = token;
byID("keep").checked = token !== "";
byID("conference").value = new URLSearchParams(location.search).get("conference") || demoConference;
start(idsOf(byID("conference").value));
connectSettings(showAll);
