// The watch: one conference's messages, over and over until it is closed.

import { APIError, errorOf, headersOf, list, pathOf } from "./api.js";

/**
 * Watches a conference. `on.message` gets each message, `on.lost` an error (or null)
 * when the stream broke and is opened again, `on.failed` the error that ends it.
 * The function that is returned closes it.
 */
export function watch(conference, token, on) {
  return token ? watchByFetch(conference, token, on) : watchByEventSource(conference, on);
}

const events = ["snapshot", "changes", "checkpoint", "end"];

/** Without a credential EventSource does it: it reconnects, and resumes by itself. */
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
    source.addEventListener("failure", ({ data }) => judge(failureOf(JSON.parse(data))));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) reopen();
      else if (!abort.signal.aborted) on.lost(null);
    });
  };

  const judge = (error) => {
    if (abort.signal.aborted) return;
    if (!(error instanceof APIError) || isPassing(error)) {
      on.lost(error instanceof APIError ? error : null);
      return;
    }
    abort.abort();
    on.failed(error);
  };

  // EventSource gives up for good on an answer that is an error, and does not tell
  // which: a plain call does.
  const reopen = async () => {
    const error = await list(conference).catch((refused) => refused);
    judge(error);
    await pause(3000 + Math.random() * 2000, abort.signal);
    if (!abort.signal.aborted) open();
  };

  open();
  return () => abort.abort();
}

function resuming(position) {
  return position ? "?" + new URLSearchParams({ resume_token: position }) : "";
}

/** With a credential it is fetched, since EventSource cannot send a header. */
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
        if (error instanceof APIError && !isPassing(error)) {
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

/** Whether it is worth calling again: the server is busy, or says to come back. */
function isPassing(error) {
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
