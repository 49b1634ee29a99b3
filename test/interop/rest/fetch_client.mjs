// The client of the conformance test that uses fetch: a watch over NDJSON.
import { GatewayError, participants } from './gateway.mjs';
import { run } from './program.mjs';
import { Backoff, cut, isFinal, silent, View } from './view.mjs';

/** The states of a conference, until it ends or the signal aborts. */
async function* watch(gateway, conference, { filters, heartbeat, resumeFrom, signal }) {
  const view = new View(resumeFrom);
  const backoff = new Backoff();
  while (!signal.aborted) {
    let called = false; // whether this call got a message
    try {
      const query = { ...filters, heartbeat_interval: `${heartbeat}s` };
      if (view.token) query.resume_token = view.token;
      for await (const message of messages(gateway, conference, query, 2 * heartbeat, signal)) {
        called = true;
        backoff.reset();
        const state = view.apply(message);
        if (state) yield state;
        if (state?.kind === 'end') return;
      }
      throw cut();
    } catch (thrown) {
      if (signal.aborted) return;
      const error = GatewayError.from(thrown);
      const renewed = called && error.code === 'UNAUTHENTICATED' && gateway.nextCredential();
      if (isFinal(error) && !renewed) throw error;
      const state = view.disconnected(error);
      if (state) yield state;
      await backoff.wait(error, signal);
    }
  }
}

/** The messages of one call. The call ends when the next one takes longer than `seconds`. */
async function* messages(gateway, conference, query, seconds, signal) {
  const silence = new AbortController();
  const stream = gateway.stream('GET', `${participants(conference)}:watch`, {
    query,
    signal: AbortSignal.any([signal, silence.signal]),
  });
  try {
    while (true) {
      const timer = setTimeout(() => silence.abort(silent()), seconds * 1000);
      const { done, value } = await stream.next().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    silence.abort(); // closes the connection
  }
}

await run(watch);
