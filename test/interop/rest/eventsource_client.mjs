// The client of the conformance test that uses EventSource, as a page in a browser does.
import { EventSource } from 'eventsource';
import { GatewayError, participants } from './gateway.mjs';
import { run } from './program.mjs';
import { Backoff, cut, isFinal, silent, View } from './view.mjs';

const messages = ['snapshot', 'changes', 'checkpoint', 'end'];

/** The states of a conference, until it ends or the signal aborts. */
async function* watch(gateway, conference, { filters, heartbeat, resumeFrom, signal }) {
  const view = new View(resumeFrom);
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      const query = { ...filters, heartbeat_interval: `${heartbeat}s` };
      // EventSource sends Last-Event-ID only when it connects again by itself.
      if (view.token) query.resume_token = view.token;
      const url = gateway.address(`${participants(conference)}:watch`, query);
      for await (const { message, broken } of events(url, 2 * heartbeat, signal)) {
        if (message) backoff.reset();
        const state = message ? view.apply(message) : view.disconnected(broken);
        if (state) yield state;
        if (state?.kind === 'end') return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) throw error;
      const state = view.disconnected(error);
      if (state) yield state;
      await backoff.wait(error, signal);
    }
  }
}

/**
 * The messages of one EventSource, and the breaks after which it connects again by itself. It fails when
 * EventSource gives up, and when there is no event for longer than `seconds`.
 */
async function* events(url, seconds, signal) {
  const source = new EventSource(url);
  const queue = new Queue(signal);
  for (const name of messages) {
    source.addEventListener(name, (event) => queue.push({ message: JSON.parse(event.data) }));
  }
  source.addEventListener('failure', (event) => {
    source.close();
    queue.push(Promise.reject(GatewayError.fromBody(JSON.parse(event.data).error)));
  });
  source.addEventListener('error', () => {
    const givenUp = source.readyState === EventSource.CLOSED;
    queue.push(givenUp ? learnWhy(url, signal) : { broken: cut() });
  });
  try {
    while (true) yield await queue.next(seconds);
  } finally {
    source.close();
  }
}

/** Fails with the reason why EventSource gave up: it does not tell the status, so the page asks again. */
async function learnWhy(url, signal) {
  const asking = new AbortController();
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, asking.signal]) });
    throw response.ok ? cut() : await GatewayError.fromResponse(response);
  } catch (error) {
    throw GatewayError.from(error);
  } finally {
    asking.abort();
  }
}

/** Events that wait for the loop. */
class Queue {
  waiting = [];
  wake = () => {};

  constructor(signal) {
    this.signal = signal;
    signal.addEventListener('abort', () => this.wake());
  }

  push(event) {
    // A rejection is handled when the loop takes it.
    Promise.resolve(event).catch(() => {});
    this.waiting.push(event);
    this.wake();
  }

  /** The next event. It fails after a silence of `seconds`, or when the signal aborts. */
  async next(seconds) {
    if (this.waiting.length === 0) await this.woken(seconds);
    this.signal.throwIfAborted();
    if (this.waiting.length === 0) throw silent();
    return this.waiting.shift();
  }

  async woken(seconds) {
    let timer;
    await new Promise((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, seconds * 1000);
    });
    clearTimeout(timer);
  }
}

await run(watch);
