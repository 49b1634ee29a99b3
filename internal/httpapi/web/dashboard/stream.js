// Watches one conference and reconnects until it is closed.

import { APIError, errorOf, headersOf, list, pathOf } from "./api.js";

/**
 * Watches a conference. It calls `on.message` with each message, `on.lost` with an error
 * or null when the stream broke and is opened again, and `on.failed` with the error that
 * ends the watch. It returns a function that closes the watch.
 */
export function watch(conference, token, on) {
  return token ? watchByFetch(conference, token, on) : watchByEventSource(conference, on);
}

const events = ["snapshot", "changes", "checkpoint", "end"];

/** Watches without a credential: EventSource reconnects and resumes by itself. */
function watchByEventSource(conference, on) {
  const abort = new AbortController();
  let position = "";

  const open = () => {
    const source = new EventSource(pathOf(conference, ":watch") + resuming(position));
    abort.signal.addEventListener("abort", () => source.close());
    for (const event of events) {
      source.addEventListener(event, ({ data, lastEventId }) => {
        position = lastEventId;
        if (event === "end") abort.abort();
        on.message(JSON.parse(data));
      });
    }
    source.addEventListener("failure", ({ data }) => handleFailure(failureOf(JSON.parse(data))));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) reopen();
      else if (!abort.signal.aborted) on.lost(null);
    });
  };

  const handleFailure = (error) => {
    if (abort.signal.aborted) return;
    if (!(error instanceof APIError) || mayRetry(error)) {
      on.lost(error instanceof APIError ? error : null);
      return;
    }
    abort.abort();
    on.failed(error);
  };

  // EventSource gives up on an error response and does not report its status. A list
  // returns the status.
  const reopen = async () => {
    const error = await list(conference).catch((refused) => refused);
    handleFailure(error);
    await pause(3000 + Math.random() * 2000, abort.signal);
    if (!abort.signal.aborted) open();
  };

  open();
  return () => abort.abort();
}

function resuming(position) {
  return position ? "?" + new URLSearchParams({ resume_token: position }) : "";
}

/** Watches with a credential: EventSource cannot send headers, fetch can. */
function watchByFetch(conference, token, on) {
  const abort = new AbortController();
  const run = async () => {
    let position = "";
    for (let attempt = 0; !abort.signal.aborted; attempt++) {
      let failure = null;
      try {
        for await (const message of messages(conference, token, position, abort.signal)) {
          if (message.error) throw failureOf(message);
          attempt = 0;
          position = message.resume_token || position;
          on.message(message);
          if (message.end) return;
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof APIError && !mayRetry(error)) {
          on.failed(error);
          return;
        }
        failure = error instanceof APIError ? error : null;
      }
      on.lost(failure);
      await pause(Math.min(1000 * 2 ** attempt, 15000) * (0.75 + Math.random() / 2), abort.signal);
    }
  };
  run();
  return () => abort.abort();
}

async function* messages(conference, token, position, signal) {
  const response = await fetch(pathOf(conference, ":watch") + resuming(position), {
    headers: headersOf(token, { Accept: "application/x-ndjson" }), signal,
  });
  if (!response.ok) throw await errorOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

function failureOf({ error }) {
  return new APIError(error.code, error);
}

/** Reports whether a later call may succeed. */
function mayRetry(error) {
  return error.status === 429 || error.status >= 500;
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
