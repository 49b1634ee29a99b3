// The calls of the API.

import { errorOf, NoAnswer } from "./errors.js";

/** How long the gateway may take to answer a call that waits for the conference service, in milliseconds. */
const callTimeout = 35_000;
/** An add may take 75 s: the conference service may connect for 60 s. */
const addTimeout = 80_000;
/** A check needs the gateway alone. */
const checkTimeout = 5_000;

/** Returns the headers of a call. The credential goes into a header, never into a URL. */
export function headersOf(token, more = {}) {
  return token ? { ...more, "X-Auth-Token": token } : more;
}

/** Sends JSON to a path below /v2/conferences, and returns the successful response. */
export async function send(method, path, token, { body, accept, signal } = {}) {
  const headers = headersOf(token, { ...(body && { "Content-Type": "application/json" }), ...(accept && { Accept: accept }) });
  const response = await fetch("/v2/conferences" + path, { method, headers, signal, body: body && JSON.stringify(body) });
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function call(method, path, token, body, timeout = callTimeout) {
  try {
    const response = await send(method, path, token, { body, signal: AbortSignal.timeout(timeout) });
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    throw error.name === "TimeoutError" ? new NoAnswer() : error;
  }
}

const conferencePath = (conference, rest) => `/${encodeURIComponent(conference)}/${rest}`;
const personPath = (conference, id) => conferencePath(conference, "participants/" + encodeURIComponent(id));

/** Checks an add. Nobody is called, and nothing is sent to the conference service. */
export function checkAdd(conference, token, participant) {
  return call("POST", conferencePath(conference, "participants"), token, { ...participant, validate_only: true }, checkTimeout);
}

/** Adds a participant. Calls with the same request id dial once. */
export function add(conference, token, participant, requestID) {
  return call("POST", conferencePath(conference, "participants"), token, { ...participant, request_id: requestID }, addTimeout);
}

export function remove(conference, token, id) {
  return call("DELETE", personPath(conference, id), token);
}

/** Mutes, unmutes, holds, resumes or disconnects a participant. */
export function control(conference, token, id, verb) {
  return call("POST", `${personPath(conference, id)}/${verb}`, token);
}

export function muteAll(conference, token) {
  return call("POST", conferencePath(conference, "mute-all"), token);
}

/** Opens the stream of a batch. */
export function batchAdd(conference, token, batch, signal) {
  return send("POST", conferencePath(conference, "participants:batchAdd"), token, { body: batch, accept: "text/event-stream", signal });
}

/** Opens the stream of several conferences. */
export function watchConferences(token, request, signal) {
  return send("POST", ":watch", token, { body: request, accept: "text/event-stream", signal });
}

/** Returns a new id for a request. */
export function newRequestID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
