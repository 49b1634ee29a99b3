// Finds out what the caller may do.

import { checkAdd } from "./api.js";
import { APIError } from "./errors.js";

/** A number that is reserved for fiction. It is only checked, never called. */
const anyNumber = "+12025550100";

/**
 * Returns whether the caller may change a conference, or null if that cannot be found out now.
 * The gateway checks the caller's role before it checks an add, and sends nothing upstream.
 */
export async function mayWrite(conference, token) {
  try {
    await checkAdd(conference, token, { phone_number: anyNumber });
    return true;
  } catch (error) {
    if (!(error instanceof APIError) || error.mayRetry) return null;
    return !refusals.includes(error.reason);
  }
}

const refusals = [
  "ROLE_NOT_GRANTED", "CONFERENCE_NOT_GRANTED", "CREDENTIAL_MISSING", "CREDENTIAL_INVALID", "CREDENTIAL_EXPIRED", "CREDENTIALS_DIFFER",
];
