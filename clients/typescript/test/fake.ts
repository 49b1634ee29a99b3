import { setImmediate } from "node:timers/promises";
import { mock } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  ConnectError,
  createRouterTransport,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  ChangeKind,
  type Code,
  type Credential,
  Freshness,
  GatewayClient,
  ParticipantService,
  ParticipantStatus,
  SnapshotReason,
  type WatchParticipantsRequest,
  type WatchParticipantsResponse,
  WatchParticipantsResponseSchema,
} from "@audian/conference";
import {
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../src/gen/google/rpc/error_details_pb.js";

/** One call of the watch: what the gateway sends. The call ends OK when it returns. */
export type Script = (
  context: HandlerContext,
) => AsyncGenerator<WatchParticipantsResponse>;

/** A gateway in memory. Each call of the watch plays the next script. */
export class FakeGateway {
  readonly requests: WatchParticipantsRequest[] = [];
  readonly credentials: (string | null)[] = [];
  /** The connections that were made and not yet closed, the shared one of the client included. */
  open = 0;
  made = 0;

  readonly #scripts: Script[];
  readonly #unary: Partial<ServiceImpl<typeof ParticipantService>>;

  constructor(
    scripts: Script[],
    unary: Partial<ServiceImpl<typeof ParticipantService>> = {},
  ) {
    this.#scripts = scripts;
    this.#unary = unary;
  }

  client(credential?: Credential): GatewayClient {
    return new GatewayClient((interceptors) => {
      this.open++;
      this.made++;
      const transport = createRouterTransport(
        ({ service }) => service(ParticipantService, this.service()),
        { transport: { interceptors } },
      );
      return { transport, close: () => this.open-- };
    }, credential);
  }

  service(): Partial<ServiceImpl<typeof ParticipantService>> {
    return {
      ...this.#unary,
      watchParticipants: (request, context) => {
        this.requests.push(request);
        this.credentials.push(context.requestHeader.get("authorization"));
        return (this.#scripts.shift() ?? silent())(context);
      },
    };
  }
}

/** A call that sends messages and then ends OK, or with an error. */
export function sends(
  messages: WatchParticipantsResponse[],
  error?: ConnectError,
): Script {
  return async function* () {
    await setImmediate();
    yield* messages;
    if (error) throw error;
  };
}

/** A call that sends messages and then nothing until it is cancelled. */
export function silent(messages: WatchParticipantsResponse[] = []): Script {
  return async function* (context) {
    yield* messages;
    await new Promise((resolve) => {
      context.signal.addEventListener("abort", resolve);
    });
  };
}

/** A call that fails. */
export function fails(error: ConnectError): Script {
  return sends([], error);
}

/** An error as the gateway sends it. */
export function gatewayError(
  code: Code,
  reason = "TEST",
  retryDelayMs?: number,
): ConnectError {
  const info = { domain: "participant-gateway", reason };
  const details: ConstructorParameters<typeof ConnectError>[3] = [
    { desc: ErrorInfoSchema, value: info },
  ];
  if (retryDelayMs !== undefined) {
    const retryDelay = durationFromMs(retryDelayMs);
    details.push({ desc: RetryInfoSchema, value: { retryDelay } });
  }
  return new ConnectError("failed", code, undefined, details);
}

type Event = MessageInitShape<typeof WatchParticipantsResponseSchema>["event"];

export function message(resumeToken: string, event: NonNullable<Event>) {
  return create(WatchParticipantsResponseSchema, { resumeToken, event });
}

export function snapshot(token: string, ...ids: string[]) {
  const participants = ids.map((id) => ({
    id,
    status: ParticipantStatus.DIALING,
  }));
  const value = {
    participants,
    reason: SnapshotReason.INITIAL,
    total: ids.length,
    active: 0,
  };
  return message(token, { case: "snapshot", value });
}

export function change(token: string, kind: ChangeKind, id: string) {
  const participant = { id, status: ParticipantStatus.CONNECTED };
  const changes = [{ kind, participant }];
  return message(token, { case: "changes", value: { changes } });
}

export function checkpoint(
  token: string,
  staleReason = "",
  participantCount?: number,
) {
  const freshness = staleReason ? Freshness.STALE : Freshness.FRESH;
  const value = {
    freshness,
    staleReason,
    ...(participantCount !== undefined && { participantCount }),
  };
  return message(token, { case: "checkpoint", value });
}

/** Replaces the timers, and takes the randomness out of the delays. */
export function fakeTime(): void {
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0);
}

/** Moves the fake clock until the promise settles, and returns its value and the time that passed. */
export async function elapse<T>(promise: Promise<T>) {
  const stepMs = 25;
  const progress = { ms: 0, settled: false };
  const settle = () => {
    progress.settled = true;
  };
  promise.then(settle, settle);
  for (;;) {
    // Everything but the timers happens in memory, within a few turns of the event loop.
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    if (progress.settled) return { value: await promise, ms: progress.ms };
    mock.timers.tick(stepMs);
    progress.ms += stepMs;
  }
}
