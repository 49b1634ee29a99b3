// Ends a stream that has gone silent. A connection can be dead without an error.

/** A stream that is silent for so long is dead, in milliseconds: two heartbeats of 5 s are missing. */
export const silence = 12_000;

/** Aborts its signal after a silence, or when the stream is ended. */
export class SilenceTimer {
  #dead = new AbortController();
  #timer = 0;

  constructor() {
    this.heard();
  }

  /** The signal that ends the stream: on silence, on `end`, or on another signal. */
  signalWith(other) {
    return AbortSignal.any([other, this.#dead.signal]);
  }

  /** Something was heard. */
  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), silence);
  }

  end() {
    clearTimeout(this.#timer);
    this.#dead.abort();
  }
}
