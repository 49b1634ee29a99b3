// Judges whether what the page shows is true now. Only what was heard counts: the absence of
// an error proves nothing.

import { staleText } from "./errors.js";
import { clock } from "./format.js";
import { silence } from "./silence.js";

/** The liveness of one conference. Times are milliseconds of this computer's clock. */
export class Liveness {
  #heardAt = 0;
  #state = "connecting";
  #detail = "";

  /** Something about the conference was heard. */
  heard(message, now) {
    this.#heardAt = now;
    const { checkpoint, end } = message;
    if (end) this.#set("ended");
    else if (checkpoint?.freshness === "stale") {
      const since = checkpoint.last_success_time ? ` since ${clock(checkpoint.last_success_time)}` : "";
      this.#set("stale", `${since}: ${staleText(checkpoint.stale_reason)}`);
    } else if (checkpoint || message.snapshot || this.#state !== "stale") this.#set("live");
  }

  lost() {
    if (this.#state !== "ended" && this.#state !== "refused") this.#set("lost");
  }

  refused(text) {
    this.#set("refused", text);
  }

  /** Returns the state at a time: connecting, live, stale, lost, refused or ended. */
  state(now) {
    const silent = now - this.#heardAt > silence;
    return silent && (this.#state === "live" || this.#state === "stale") ? "lost" : this.#state;
  }

  /** Returns the state in words. */
  text(now) {
    switch (this.state(now)) {
      case "connecting":
        return "Connecting";
      case "live":
        return "Live";
      case "stale":
        return "Stale" + this.#detail;
      case "lost":
        return this.#heardAt ? `No connection since ${clock(this.#heardAt)}` : "No connection";
      case "ended":
        return "The conference has ended";
      default:
        return this.#detail;
    }
  }

  /** Returns the time up to which durations may count on: they stop when nothing is heard. */
  trueUntil(now) {
    return this.state(now) === "live" ? now : this.#heardAt;
  }

  #set(state, detail = "") {
    this.#state = state;
    this.#detail = detail;
  }
}
