// Everything that the page knows of one conference.

import { textOf } from "./errors.js";
import { History } from "./history.js";
import { Liveness } from "./liveness.js";
import { Roster } from "./roster.js";

export class Conference {
  id;
  roster = new Roster();
  liveness = new Liveness();
  history = new History();
  /** The error with which the gateway refused the conference, or null. */
  refusal = null;
  /** The last interval between two lists, as the gateway reported it. */
  pollInterval = "";
  /** The time as of which the roster is true. */
  asOf = null;
  /** The last changes, newest first: `{ change, time }`. */
  changes = [];
  /** Whether the caller may change the conference; null until it is known. */
  mayWrite = null;
  /** Whether that is being found out. */
  learning = false;

  constructor(id) {
    this.id = id;
  }

  /** Applies a message, and returns whether people changed. */
  apply(message, now) {
    const live = this.liveness.state(now) === "live";
    this.refusal = null;
    this.liveness.heard(message, now);
    const changes = this.roster.apply(message);
    this.history.setLive(this.liveness.state(now) === "live", now);
    if (message.snapshot || !live) this.history.showAll(this.roster.people.values(), now);
    for (const { kind, participant } of changes) this.history.show(participant, kind === "removed" ? "" : participant.status, now);
    this.asOf = message.snapshot?.observed_time ?? message.changes?.not_after ?? message.checkpoint?.last_success_time ?? this.asOf;
    this.pollInterval = message.checkpoint?.poll_interval ?? this.pollInterval;
    this.#keep(changes, this.asOf);
    return changes.length > 0 || message.snapshot !== undefined;
  }

  lost(now) {
    this.liveness.lost();
    this.history.setLive(false, now);
  }

  refuse(error, now) {
    this.refusal = error;
    this.liveness.refused(textOf(error));
    this.history.setLive(false, now);
  }

  #keep(changes, time) {
    const kept = 50;
    const newest = changes.map((change) => ({ change, time })).reverse();
    this.changes = [...newest, ...this.changes].slice(0, kept);
  }
}
