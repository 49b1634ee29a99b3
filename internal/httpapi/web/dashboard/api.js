// The unary calls of the API.

/** An error of the API: `message` is for people, `details` are for programs. */
export class APIError extends Error {
  constructor(status, error) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.details = error.details ?? [];
  }

  get info() {
    return this.#detail("ErrorInfo") ?? {};
  }

  /** The error in one text for a person, with what to do about it. */
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

/** The path of a conference's participants, followed by `rest`. */
export function pathOf(conference, rest = "") {
  return `/v2/conferences/${encodeURIComponent(conference)}/participants${rest}`;
}

/** The headers of a call. The credential goes into a header, never into a URL. */
export function headersOf(token, more = {}) {
  return token ? { ...more, "X-Auth-Token": token } : more;
}

/** Returns the error of a response. A response without an error body, such as a proxy's, gives its HTTP status. */
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

/** Lists one participant. It finds out why a stream does not start. */
export function list(conference, token) {
  return call("GET", pathOf(conference) + "?page_size=1", token);
}

/** Adds a participant. With the request id, a request that is sent twice dials once. */
export function add(conference, token, participant) {
  return call("POST", pathOf(conference), token, { ...participant, request_id: newID() });
}

export function remove(conference, token, id) {
  return call("DELETE", pathOf(conference, "/" + encodeURIComponent(id)), token);
}

function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
