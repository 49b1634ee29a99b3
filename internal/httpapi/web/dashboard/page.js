// The dashboard: one conference, live.

import { add, APIError, remove } from "./api.js";
import { Roster } from "./roster.js";
import { watch } from "./stream.js";
import * as view from "./view.js";

const demoConference = "conf_demo";
const byID = (id) => document.getElementById(id);

let close = () => {};
let roster = new Roster();
let watched = { conference: "", token: "" };

function start(conference, token) {
  close();
  roster = new Roster();
  watched = { conference, token };
  view.clear();
  view.showFreshness("connecting", "Connecting");
  document.title = `${conference} · Participant Gateway`;
  close = watch(conference, token, {
    message: onMessage,
    lost: (error) => view.showFreshness("lost", error ? `Reconnecting: ${error.message}` : "Reconnecting"),
    failed: (error) => {
      view.showFreshness("failed", "Not connected");
      view.showProblem("problem", textOf(error));
    },
  });
}

function onMessage(message) {
  view.showProblem("problem", "");
  const changes = roster.apply(message);
  if (message.checkpoint) onCheckpoint(message.checkpoint);
  // A stale roster is followed at once by a STALE checkpoint.
  if (message.snapshot || (changes.length > 0 && view.freshness() !== "stale")) view.showFreshness("fresh", "Live");
  if (message.end) view.showFreshness("ended", "The conference has ended");
  if (message.snapshot) view.showTime(message.snapshot.observed_time);
  if (changes.length > 0) {
    view.showTime(message.changes.not_after);
    view.showChanges(changes, message.changes.not_after);
  }
  if (message.snapshot || changes.length > 0) view.showPeople(roster.sorted(), onRemove);
  view.showCounts(roster);
}

function onCheckpoint(checkpoint) {
  if (checkpoint.last_success_time) view.showTime(checkpoint.last_success_time);
  view.showInterval(checkpoint.poll_interval);
  if (checkpoint.freshness === "fresh") view.showFreshness("fresh", "Live");
  else view.showFreshness("stale", `Stale: ${checkpoint.stale_reason.toLowerCase().replaceAll("_", " ")}`);
}

function textOf(error) {
  return error instanceof APIError ? error.text : "The gateway cannot be reached.";
}

async function onRemove(id, button) {
  button.disabled = true;
  view.showProblem("problem", "");
  try {
    await remove(watched.conference, watched.token, id);
  } catch (error) {
    view.showProblem("problem", textOf(error));
    button.disabled = false;
  }
}

async function onAdd(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  button.disabled = true;
  view.showProblem("add-problem", "");
  try {
    await add(watched.conference, watched.token, {
      phone_number: byID("phone_number").value.trim(),
      name: byID("name").value.trim(),
      role: byID("role").value,
      muted: byID("muted").checked,
    });
    form.reset();
    byID("phone_number").focus();
  } catch (error) {
    view.showProblem("add-problem", textOf(error));
  } finally {
    button.disabled = false;
  }
}

byID("add").addEventListener("submit", onAdd);
byID("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  const conference = byID("conference").value.trim();
  const address = new URL(location.href);
  address.searchParams.set("conference", conference);
  history.replaceState(null, "", address);
  start(conference, byID("token").value.trim());
});

setInterval(() => view.tick(Date.now()), 1000);

byID("conference").value = new URLSearchParams(location.search).get("conference") || demoConference;
start(byID("conference").value, "");
