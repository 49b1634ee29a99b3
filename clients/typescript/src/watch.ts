import { Code } from "@connectrpc/connect";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import type {
  ParticipantRole,
  ParticipantStatus,
  WatchParticipantsResponse,
} from "./gen/audian/conference/v2/participant_service_pb.js";
import type { GatewayClient } from "./client.js";
import { GatewayError } from "./errors.js";
import { Roster } from "./roster.js";
import type { State } from "./state.js";
import { sleep, within } from "./time.js";

export interface WatchOptions {
  /** Only participants with one of these statuses. Default: all. */
  readonly statuses?: readonly ParticipantStatus[] | undefined;
  /** Only participants with one of these roles. Default: all. */
  readonly roles?: readonly ParticipantRole[] | undefined;
  /** Only participants with one of these ids, 100 at most. Default: all. */
  readonly participantIds?: readonly string[] | undefined;
  /** The longest time between two messages: 5,000 to 60,000 ms. Default: 15,000 ms. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** A state of an earlier watch of the same conference, to continue from. Default: begin anew. */
  readonly resumeFrom?: State | undefined;
  /** Ends the watch. The iteration then ends without an error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Watches a conference. The iterator gives a state for each snapshot, each batch of changes, each
 * change of the freshness and each break. It ends after the state `end`, or when the caller
 * cancels: with `break`, with the signal, or by closing the client.
 *
 * After a break it calls again and continues where it was. A call without a message for two
 * heartbeat intervals is a break too. The iterator throws a GatewayError if another call cannot
 * succeed, for example because the conference does not exist or the credential is refused.
 */
export function watch(
  client: GatewayClient,
  conferenceId: string,
  options: WatchOptions = {},
): AsyncIterableIterator<State, undefined, undefined> {
  const stop = new AbortController();
  const states = watchUntil(stop, client, conferenceId, options);
  return {
    next: () => states.next(),
    return() {
      // Without this, a return would wait for a call of next that is under way.
      stop.abort();
      return states.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* watchUntil(
  stop: AbortController,
  client: GatewayClient,
  conferenceId: string,
  options: WatchOptions,
): AsyncGenerator<State, undefined, undefined> {
  const abort = () => {
    stop.abort();
  };
  const { signal } = options;
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  const removeListener = client.onClose(abort);
  try {
    yield* new Watch(client, conferenceId, options, stop.signal).states();
  } finally {
    signal?.removeEventListener("abort", abort);
    removeListener();
  }
  return undefined;
}

// Another call with the same arguments and credential would end in the same way.
const finalCodes = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.FailedPrecondition,
  Code.Unimplemented,
  Code.OutOfRange,
  Code.AlreadyExists,
]);

const firstDelayMs = 250;
const maxDelayMs = 10_000;

class Watch {
  readonly #roster: Roster;
  readonly #heartbeatInterval: Duration;
  readonly #silenceMs: number;
  // Whether the present call got a message, and how many calls in a row got none.
  #received = false;
  #failures = 0;

  constructor(
    private readonly client: GatewayClient,
    private readonly conferenceId: string,
    private readonly options: WatchOptions,
    private readonly signal: AbortSignal,
  ) {
    this.#roster = new Roster(options.resumeFrom);
    const heartbeatMs = options.heartbeatIntervalMs ?? 15_000;
    this.#heartbeatInterval = durationFromMs(heartbeatMs);
    // The gateway, not the timer, refuses an interval outside its range.
    this.#silenceMs = 2 * Math.min(Math.max(heartbeatMs, 5_000), 60_000);
  }

  async *states(): AsyncGenerator<State, void, undefined> {
    while (!this.#isCancelled()) {
      const failure = yield* this.#call();
      if (!failure || this.#isCancelled()) return;
      if (this.#isFinal(failure)) throw failure;
      const state = this.#roster.disconnect(failure);
      if (state) yield state;
      await sleep(this.#delay(failure), this.signal);
    }
  }

  /** Gives the states of one call, and returns why it broke; undefined after the end. */
  async *#call(): AsyncGenerator<State, GatewayError | undefined, undefined> {
    this.#received = false;
    try {
      for await (const message of this.#messages()) {
        this.#received = true;
        this.#failures = 0;
        const state = this.#roster.apply(message);
        if (state) yield state;
        if (state?.kind === "end") return undefined;
      }
    } catch (error) {
      return GatewayError.from(error);
    }
    return new GatewayError("the stream ended early", Code.Unavailable);
  }

  /**
   * Calls on a connection of its own: after a silent one a new call must not use it again, and
   * other calls on it must not suffer.
   */
  async *#messages(): AsyncGenerator<WatchParticipantsResponse, void> {
    const cancel = new AbortController();
    const connection = this.client.connect();
    const stream = connection.service.watchParticipants(this.#request(), {
      signal: cancel.signal,
    });
    const messages = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#unlessSilent(messages.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      cancel.abort();
      connection.close();
    }
  }

  #request() {
    const { statuses = [], roles = [], participantIds = [] } = this.options;
    return {
      conferenceId: this.conferenceId,
      resumeToken: this.#roster.token,
      statuses: [...statuses],
      roles: [...roles],
      participantIds: [...participantIds],
      heartbeatInterval: this.#heartbeatInterval,
    };
  }

  #unlessSilent<T>(next: Promise<T>): Promise<T> {
    return within(next, this.#silenceMs, this.signal, () => {
      const message = `no message for ${String(this.#silenceMs / 1000)} s`;
      return new GatewayError(message, Code.Unavailable, { reason: "SILENT" });
    });
  }

  #isCancelled(): boolean {
    return this.signal.aborted;
  }

  #isFinal({ code }: GatewayError): boolean {
    const expired = code === Code.Unauthenticated && this.#received;
    if (expired && this.client.renewsCredential) return false;
    return finalCodes.has(code);
  }

  #delay({ retryDelayMs = 0 }: GatewayError): number {
    const backoff = Math.min(firstDelayMs * 2 ** this.#failures, maxDelayMs);
    this.#failures++;
    return Math.max(retryDelayMs, backoff) * (1 + Math.random() / 4);
  }
}
