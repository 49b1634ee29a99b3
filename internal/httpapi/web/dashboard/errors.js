// Errors of the API, and what they mean to the person at the page.

import { delay, secondsOf } from "./format.js";

/** An error that the gateway returned. */
export class APIError extends Error {
  constructor(status, error) {
    super(error.message || `HTTP ${status}`);
    this.status = status;
    this.details = error.details ?? [];
  }

  get reason() {
    return this.#detail("ErrorInfo")?.reason ?? "";
  }

  /** "no" if it is certain that nobody was called, "unknown" if a phone may be ringing, else "". */
  get dialled() {
    return this.#detail("ErrorInfo")?.metadata?.dialled ?? "";
  }

  get violations() {
    return this.#detail("BadRequest")?.field_violations ?? [];
  }

  /** The seconds to wait before another attempt. */
  get retryDelay() {
    return secondsOf(this.#detail("RetryInfo")?.retry_delay);
  }

  /** The id under which the operator of the conference service finds the request. */
  get upstreamID() {
    return this.#detail("ErrorInfo")?.metadata?.upstream_request_id ?? "";
  }

  /** Whether the same call may succeed later. */
  get mayRetry() {
    return this.status === 429 || this.status >= 500;
  }

  #detail(kind) {
    return this.details.find((detail) => detail["@type"]?.endsWith("." + kind));
  }
}

/** No answer came in time. */
export class NoAnswer extends Error {}

/** Returns the error of a response. A response without an error body, such as a proxy's, gives its HTTP status. */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return new APIError(response.status, body?.error ?? { message: `HTTP ${response.status} ${response.statusText}` });
}

/** Returns what went wrong, in words for a person. */
export function textOf(error) {
  return error.dialled === "unknown" ? `${reasonOf(error)} A phone may be ringing.` : reasonOf(error);
}

/** Returns what went wrong, without whether a phone may be ringing. */
export function reasonOf(error) {
  if (error instanceof NoAnswer) return "The gateway did not answer in time.";
  if (!(error instanceof APIError)) return "The gateway cannot be reached.";
  const parts = [mainText(error)];
  if (error.retryDelay > 0) parts.push(`Try again in ${delay(error.retryDelay)}.`);
  if (error.upstreamID && !texts[error.reason]) parts.push(`(Reference: ${error.upstreamID})`);
  return parts.join(" ");
}

function mainText(error) {
  if (error.reason === "INVALID_REQUEST" && error.violations.length > 0) return error.violations.map(violationText).join(" ");
  return texts[error.reason] ?? sentence(error.message);
}

/** Returns a violation in words for a person. */
export function violationText({ field, description, reason }) {
  const name = field.split(".").at(-1);
  if (name === "phone_number") {
    return reason === "PHONE_NUMBER_POSSIBLE"
      ? "This is not a possible phone number. Begin with + and the country code, such as +12025551234."
      : `The phone number ${description}.`;
  }
  const label = { name: "The name", role: "The role", conference_id: "The conference" }[name] ?? field;
  return `${label} ${description}.`;
}

function sentence(message) {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return text.endsWith(".") ? text : text + ".";
}

/** Returns why a roster is stale, in words for a person. */
export function staleText(reason) {
  return stale[reason] ?? "the conference service does not answer properly";
}

const stale = {
  UPSTREAM_UNREACHABLE: "the conference service cannot be reached",
  UPSTREAM_UNAVAILABLE: "the conference service has a fault",
  UPSTREAM_TIMEOUT: "the conference service does not answer",
  UPSTREAM_RATE_LIMITED: "the conference service asks for fewer requests",
  UPSTREAM_CREDENTIAL_REFUSED: "the conference service refuses the gateway's credential",
  UPSTREAM_INCOMPLETE: "the conference service sends incomplete lists",
  POLL_DELAYED: "the gateway waits for its turn",
};

const texts = {
  CREDENTIAL_MISSING: "This gateway needs a token. Enter yours above.",
  CREDENTIAL_INVALID: "The gateway does not accept this token.",
  CREDENTIALS_DIFFER: "The gateway got two different tokens.",
  CREDENTIAL_EXPIRED: "Your token has expired. Enter a new one.",
  ISSUER_UNAVAILABLE: "The gateway cannot check your token at the moment.",
  ROLE_NOT_GRANTED: "You may look at this conference, but not change it.",
  CONFERENCE_NOT_GRANTED: "Your token does not give you access to this conference.",
  NUMBER_NOT_ALLOWED: "You may not call numbers with this prefix.",
  DAILY_LIMIT: "You have made all the calls that you may make today.",
  CONFERENCE_NOT_FOUND: "There is no conference with this name.",
  PARTICIPANT_NOT_FOUND: "This person is no longer in the conference.",
  CONFERENCE_FULL: "The conference is full.",
  UPSTREAM_PAYMENT_REQUIRED: "The account of the conference service must be settled first.",
  UPSTREAM_UNAVAILABLE: "The conference service has a fault.",
  UPSTREAM_UNREACHABLE: "The conference service cannot be reached.",
  UPSTREAM_TIMEOUT: "The conference service does not answer.",
  UPSTREAM_RATE_LIMITED: "The conference service asks for fewer requests.",
  UPSTREAM_BREAKER_OPEN: "The conference service has not answered for a while.",
  UPSTREAM_CREDENTIAL_REFUSED: "The conference service refuses the gateway's credential. Ask its operator.",
  ADD_OUTCOME_UNKNOWN: "The conference service did not say whether it made the call.",
  ADD_RATE_LIMITED: "Many calls are waiting already. Nobody was called.",
  CALLER_RATE_LIMITED: "That was too fast.",
  TOO_MANY_STREAMS: "You watch from too many windows. Close some.",
  BATCH_UNKNOWN: "The gateway no longer knows these calls. Check who is missing in the list, and start with those.",
  DRAINING: "The gateway is restarting.",
  INTERNAL: "The gateway has a fault.",
};
