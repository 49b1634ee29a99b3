// What a watch knows about a conference, over any transport.
import { GatewayError } from './gateway.mjs';

const final = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'FAILED_PRECONDITION',
  'UNIMPLEMENTED',
  'OUT_OF_RANGE',
  'ALREADY_EXISTS',
]);

/** Whether a further call cannot help. */
export const isFinal = (error) => final.has(error.code);

export const silent = () => new GatewayError('UNAVAILABLE', 'no message for two heartbeats', { reason: 'SILENT' });
export const cut = () => new GatewayError('UNAVAILABLE', 'the stream ended before its last message');

/** A view takes the messages of a watch, and gives the states after them. */
export class View {
  roster = new Map();
  token = '';
  // As the gateway last reported it, and as the last state said.
  known = { fresh: true, staleReason: '' };
  shown = this.known;
  totals = {};
  connected = true;

  /** Begins with the roster and the token of an earlier state. */
  constructor(state) {
    if (!state) return;
    this.roster = new Map(state.roster);
    this.token = state.token;
    this.shown = { fresh: state.fresh, staleReason: state.staleReason };
  }

  /** Applies a message, and returns the state after it, or undefined if it says nothing new. */
  apply(message) {
    this.connected = true;
    const state = this.event(message);
    this.token = message.resume_token;
    if (state) state.token = this.token;
    return state;
  }

  event({ snapshot, changes, checkpoint, end }) {
    if (snapshot) return this.snapshot(snapshot);
    if (changes) return this.changes(changes.changes);
    if (checkpoint) return this.checkpoint(checkpoint);
    if (end) return this.state('end', this.known, { reason: end.reason });
    return undefined;
  }

  snapshot(snapshot) {
    this.roster = new Map(snapshot.participants.map((p) => [p.id, p]));
    this.count(snapshot);
    return this.state('snapshot', this.known, { reason: snapshot.reason });
  }

  changes(changes) {
    for (const { kind, participant } of changes) {
      if (kind === 'removed' || kind === 'left_filter') this.roster.delete(participant.id);
      else this.roster.set(participant.id, participant);
    }
    return this.state('changes', this.known, { changes });
  }

  checkpoint(checkpoint) {
    this.count(checkpoint);
    const expected = checkpoint.participant_count;
    if (expected !== null && expected !== this.roster.size) {
      this.token = '';
      throw new GatewayError('DATA_LOSS', `${expected} participants expected`, { reason: 'ROSTER_MISMATCH' });
    }
    this.known = { fresh: checkpoint.freshness === 'fresh', staleReason: checkpoint.stale_reason };
    const { fresh, staleReason } = this.shown;
    if (this.known.fresh === fresh && this.known.staleReason === staleReason) return undefined;
    return this.state('freshness', this.known);
  }

  count({ total, active }) {
    if (total !== null) this.totals = { total, active };
  }

  /** The state after a break; undefined if the break is known already. */
  disconnected(error) {
    if (!this.connected) return undefined;
    this.connected = false;
    return this.state('disconnected', { fresh: false, staleReason: 'DISCONNECTED' }, { error });
  }

  state(kind, freshness, more) {
    this.shown = freshness;
    return { kind, roster: new Map(this.roster), token: this.token, ...freshness, ...this.totals, ...more };
  }
}

/** The waits between calls: longer with each failure. */
export class Backoff {
  next = 250;

  reset() {
    this.next = 250;
  }

  /** Waits as long as the error demands, and at least as long as the back-off. */
  async wait(error, signal) {
    const delay = Math.max(error.retryMs ?? 0, this.next) * (1 + Math.random() / 4);
    this.next = Math.min(2 * this.next, 10_000);
    await pause(delay, signal);
  }
}

/** Waits until the delay in milliseconds is over or the signal aborts. */
function pause(delay, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delay);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
