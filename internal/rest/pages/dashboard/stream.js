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
  const source = new EventSource(pathOf(conference, ":watch"));
  let ended = false;
  for (const event of events) {
    source.addEventListener(event, ({ data }) => {
      if (event === "end") {
        ended = true;
        source.close();
      }
      on.message(JSON.parse(data));
    });
  }
  source.addEventListener("failure", ({ data }) => {
    const error = failureOf(JSON.parse(data));
    if (!isPassing(error)) {
      ended = true;
      source.close();
      on.failed(error);
      return;
    }
    on.lost(error);
  });
  source.addEventListener("error", async () => {
    if (ended) return;
    if (source.readyState !== EventSource.CLOSED) {
      on.lost(null);
      return;
    }
    // It was refused, and EventSource does not tell why: a plain call does.
    const why = await list(conference).then(() => new APIError(0, { message: "the stream was refused" }), (error) => error);
    if (!ended) on.failed(why);
  });
  return () => {
    ended = true;
    source.close();
  };
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
  const query = position ? "?" + new URLSearchParams({ resume_token: position }) : "";
  const response = await fetch(pathOf(conference, ":watch") + query, {
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
