// Calls of the gateway's REST API with fetch.

/** A failed call: the error body of docs/errors.md, or a failure of the connection. */
export class GatewayError extends Error {
  constructor(code, message, { reason = '', metadata = {}, fields = [], retryMs } = {}) {
    super(message);
    Object.assign(this, { code, reason, metadata, fields, retryMs });
  }

  static fromBody({ status, message, details }) {
    const more = {};
    for (const detail of details) {
      switch (detail['@type'].split('.').at(-1)) {
        case 'ErrorInfo':
          more.reason = detail.reason;
          more.metadata = detail.metadata;
          break;
        case 'BadRequest':
          more.fields = detail.field_violations.map((violation) => violation.field);
          break;
        case 'RetryInfo':
          more.retryMs = Math.round(parseFloat(detail.retry_delay) * 1000);
      }
    }
    return new GatewayError(status, message, more);
  }

  static async fromResponse(response) {
    try {
      return GatewayError.fromBody((await response.json()).error);
    } catch {
      // A proxy answered instead of the gateway.
      return new GatewayError('UNAVAILABLE', `HTTP status ${response.status}`);
    }
  }

  static from(error) {
    return error instanceof GatewayError ? error : new GatewayError('UNAVAILABLE', String(error.cause ?? error));
  }
}

/** One gateway, and the credentials that are used one after the other as they are refused. */
export class Gateway {
  constructor(url, credentials = []) {
    this.url = url;
    this.credentials = [...credentials];
  }

  /** Goes on to the next credential, and returns whether there is one. */
  nextCredential() {
    if (this.credentials.length < 2) return false;
    this.credentials.shift();
    return true;
  }

  /** The response of a call, which is OK; its body is not read. */
  async open(method, path, { query = {}, body, signal } = {}) {
    const headers = {};
    if (this.credentials.length > 0) headers.Authorization = `Bearer ${this.credentials[0]}`;
    if (body) headers['Content-Type'] = 'application/json';
    const options = { method, headers, signal, body: body && JSON.stringify(body) };
    const response = await fetch(this.address(path, query), options);
    if (response.ok) return response;
    throw await GatewayError.fromResponse(response);
  }

  /** The URL of a path; a list in the query is a repeated key. */
  address(path, query = {}) {
    const url = new URL(path, this.url);
    for (const [key, values] of Object.entries(query)) {
      for (const value of [values].flat()) url.searchParams.append(key, value);
    }
    return url;
  }

  /** The decoded response of a call, or undefined if it has no body. */
  async call(method, path, options) {
    try {
      const response = await this.open(method, path, options);
      return response.status === 204 ? undefined : await response.json();
    } catch (error) {
      if (error.code === 'UNAUTHENTICATED') this.nextCredential();
      throw GatewayError.from(error);
    }
  }

  /** The messages of an NDJSON response. */
  async *stream(method, path, options) {
    const response = await this.open(method, path, options);
    for await (const line of lines(response.body)) {
      const message = JSON.parse(line);
      if (message.error) throw GatewayError.fromBody(message.error);
      yield message;
    }
  }
}

/** The lines of a stream of bytes, without one that was cut. */
async function* lines(body) {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const found = (rest + text).split('\n');
    rest = found.pop();
    yield* found;
  }
}

export const participants = (conference) => `/v2/conferences/${encodeURIComponent(conference)}/participants`;
export const participant = (conference, id) => `${participants(conference)}/${encodeURIComponent(id)}`;
