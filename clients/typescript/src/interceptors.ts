import { Code, type Interceptor } from "@connectrpc/connect";
import { GatewayError } from "./errors.js";
import { sleep } from "./time.js";

/** An API key or a token, or a function that returns the current one before each call. */
export type Credential = string | (() => string | Promise<string>);

/** Sends the credential with each call. */
export function authenticate(credential: Credential): Interceptor {
  return (next) => async (request) => {
    const value =
      typeof credential === "function" ? await credential() : credential;
    // A transport would open a connection for a call that was cancelled meanwhile.
    request.signal.throwIfAborted();
    request.header.set("authorization", `Bearer ${value}`);
    return next(request);
  };
}

// The values of the gateway's published service config, /schema/service_config.json.
const retriedMethods = new Set(["ListParticipants", "RemoveParticipant"]);
const maxAttempts = 4;
const firstDelayMs = 200;
const maxDelayMs = 3_000;
const maxTokens = 10;
const tokenRatio = 0.1;

/**
 * Repeats the calls that are safe to repeat when the gateway is unavailable. While most calls fail,
 * it repeats none, so that retries do not add to an overload.
 */
export function retry(): Interceptor {
  let tokens = maxTokens;
  return (next) => async (request) => {
    if (request.stream || !retriedMethods.has(request.method.name)) {
      return next(request);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await next(request);
        tokens = Math.min(tokens + tokenRatio, maxTokens);
        return response;
      } catch (error) {
        const failure = GatewayError.from(error);
        if (failure.code !== Code.Unavailable) throw error;
        tokens = Math.max(tokens - 1, 0);
        if (attempt === maxAttempts || tokens <= maxTokens / 2) throw error;
        await sleep(retryDelay(attempt, failure), request.signal);
        request.signal.throwIfAborted();
      }
    }
  };
}

function retryDelay(attempt: number, failure: GatewayError): number {
  const backoff = Math.min(firstDelayMs * 2 ** (attempt - 1), maxDelayMs);
  const jitter = 0.8 + 0.4 * Math.random();
  return Math.max(backoff * jitter, failure.retryDelayMs ?? 0);
}
