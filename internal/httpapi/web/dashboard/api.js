// The calls of the API that end with one answer.

/** An error as the API tells it: for people in `message`, for programs in `details`. */
export class APIError extends Error {
  constructor(status, error) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.details = error.details ?? [];
  }

  get info() {
    return this.#detail("ErrorInfo") ?? {};
  }

  /** What a person can do with it, in one text. */
  get text() {
    const parts = [this.message];
    for (const violation of this.#detail("BadRequest")?.field_violations ?? []) {
      const line = `${violation.field} ${violation.description}`;
      if (!this.message.includes(line)) parts.push(line);
    }
    const delay = this.#detail("RetryInfo")?.retry_delay;
    if (delay) parts.push(`Try again in ${delay}.`);
    if (this.info.metadata?.dialled === "unknown") parts.push("The phone may be ringing.");
    if (this.info.metadata?.upstream_request_id) parts.push(`Upstream request ${this.info.metadata.upstream_request_id}.`);
    return `${parts.join(" · ")} (${this.info.reason ?? this.status})`;
  }

  #detail(kind) {
    return this.details.find((detail) => detail["@type"]?.endsWith("." + kind));
  }
}

/** The path of a conference's participants, and what follows it. */
export function pathOf(conference, rest = "") {
  return `/v2/conferences/${encodeURIComponent(conference)}/participants${rest}`;
}

/** Headers of a call: the credential is never part of an address. */
export function headersOf(token, more = {}) {
  return token ? { ...more, "X-Auth-Token": token } : more;
}

/** The error of an answer that is none of the API's own is told by its status. */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return new APIError(response.status, body?.error ?? { message: `HTTP ${response.status} ${response.statusText}` });
}

async function call(method, path, token, body) {
  const response = await fetch(path, {
    method,
    headers: headersOf(token, body ? { "Content-Type": "application/json" } : {}),
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw await errorOf(response);
  return response.status === 204 ? null : response.json();
}

/** One list, for who wants to know why a stream does not begin. */
export function list(conference, token) {
  return call("GET", pathOf(conference) + "?page_size=1", token);
}

/** Dials. The request id makes a second send of the same dial harmless. */
export function add(conference, token, participant) {
  return call("POST", pathOf(conference), token, { ...participant, request_id: newID() });
}

export function remove(conference, token, id) {
  return call("DELETE", pathOf(conference, "/" + encodeURIComponent(id)), token);
}

function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
