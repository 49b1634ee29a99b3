// Watches conferences over one stream, and opens it again until it is closed.

import { watchConferences } from "./api.js";
import { APIError } from "./errors.js";
import { SilenceTimer } from "./silence.js";
import { events } from "./sse.js";

/** The gateway sends something about each conference at least this often, in seconds. */
const heartbeat = 5;
/** When a conference that was refused for now is asked for again, in milliseconds. */
const refusedPause = 10_000;

/**
 * Watches conferences. It calls
 * - `message(conference, message)` for each message,
 * - `refused(conference, error)` when one conference ends with an error, and the others go on,
 * - `lost(error)` when the stream broke and is opened again; the error is null unless the gateway sent one,
 * - `failed(error)` when the gateway refuses the stream for good.
 */
export class Watcher {
  #token;
  #on;
  #positions = new Map();
  #abort = null;

  constructor(conferences, token, on) {
    this.#token = token;
    this.#on = on;
    for (const conference of conferences) this.#positions.set(conference, "");
  }

  /** Opens the stream, unless it is open. Conferences go on where they were. */
  open() {
    if (this.#abort) return;
    this.#abort = new AbortController();
    this.#run(this.#abort.signal);
  }

  /** Closes the stream. `open` opens it again. */
  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #run(closed) {
    for (let attempt = 0; this.#positions.size > 0; attempt++) {
      const failure = await this.#once(closed, () => { attempt = 0; }).catch((error) => error);
      if (closed.aborted || this.#positions.size === 0) return;
      const known = failure instanceof APIError ? failure : null;
      if (known && !known.mayRetry && !this.#lostRole(known)) {
        this.close();
        this.#on.failed(known);
        return;
      }
      this.#on.lost(known);
      const backoff = Math.min(500 * 2 ** attempt, 10_000) * (0.75 + Math.random() / 2);
      await pause(Math.max(backoff, (known?.retryDelay ?? 0) * 1000), closed);
    }
  }

  /** Reads one stream to its end. It rejects if the stream fails, is closed or is silent. */
  async #once(closed, onMessage) {
    const timer = new SilenceTimer();
    try {
      const watches = [...this.#positions].map(([conference_id, resume_token]) => ({ conference_id, resume_token }));
      const response = await watchConferences(this.#token, { watches, heartbeat_interval: `${heartbeat}s` }, timer.signalWith(closed));
      for await (const { event, data } of events(response, () => timer.heard())) {
        if (closed.aborted) return;
        if (event === "failure") throw new APIError(data.error.code, data.error);
        onMessage();
        this.#receive(data, (delay) => setTimeout(() => timer.end(), delay));
      }
    } finally {
      timer.end();
    }
  }

  /**
   * Reports whether an error means that the caller became a viewer while the stream was open. The next stream begins
   * without positions; if it is refused too, that is final.
   */
  #lostRole({ reason }) {
    const resumed = [...this.#positions].some(([, position]) => position !== "");
    if (reason !== "ROLE_NOT_GRANTED" || !resumed) return false;
    for (const conference of this.#positions.keys()) this.#positions.set(conference, "");
    return true;
  }

  #receive({ conference_id: conference, message, error }, reopenLater) {
    if (error) {
      const refusal = new APIError(error.code, error);
      if (refusal.mayRetry) reopenLater(refusedPause);
      else if (this.#lostRole(refusal)) reopenLater(0);
      else this.#positions.delete(conference);
      this.#on.refused(conference, refusal);
      return;
    }
    if (message.resume_token) this.#positions.set(conference, message.resume_token);
    if (message.end) this.#positions.delete(conference);
    try {
      this.#on.message(conference, message);
    } catch (fault) {
      reportError(fault); // A fault of the page is not one of the stream.
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
