import {
  type BatchAddParticipantsResponse,
  ChangeKind,
  Code,
  GatewayError,
  type Participant,
  type ParticipantChange,
  ParticipantStatus,
  SnapshotReason,
  type State,
  watch,
  WatchEndReason,
} from "@audian/conference";
import type { Command, Print } from "./command.js";
import type { Session } from "./session.js";
import {
  errorLine,
  participantLine,
  roleOf,
  rolesOf,
  statusesOf,
  statusWord,
  word,
} from "./words.js";

/** Watches until the end, and keeps the last state of each watch for `continue`. */
export async function runWatch(
  session: Session,
  command: Command,
  lastStates: Map<string, State>,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const states = watch(session.client, command.conference ?? "", {
    statuses: statusesOf(command.statuses),
    roles: rolesOf(command.roles),
    participantIds: command.participant_ids,
    heartbeatIntervalMs: command.heartbeat_s && command.heartbeat_s * 1000,
    resumeFrom: lastStates.get(command.continue ?? ""),
    signal,
  });
  for await (const state of states) {
    lastStates.set(command.id, state);
    print(stateLine(state));
    const error = state.kind === "disconnected" ? state.error : undefined;
    if (error?.code === Code.Unauthenticated) session.renewCredential();
  }
}

function stateLine(state: State) {
  return {
    state: state.kind,
    reason: reasonOf(state),
    roster: Object.fromEntries(
      [...state.roster.values()].map((p) => [p.id, rosterWord(p)]),
    ),
    changes: state.changes.length ? state.changes.map(changeLine) : undefined,
    fresh: state.fresh,
    stale_reason: state.staleReason,
    total: state.total,
    active: state.active,
    error: state.kind === "disconnected" ? errorLine(state.error) : undefined,
  };
}

function reasonOf(state: State): string | undefined {
  if (state.kind === "snapshot") {
    return word(SnapshotReason, state.snapshotReason);
  }
  return state.kind === "end"
    ? word(WatchEndReason, state.endReason)
    : undefined;
}

function rosterWord(p: Participant): string {
  return `${statusWord(p) ?? ""}${p.muted ? "+muted" : ""}`;
}

function changeLine(change: ParticipantChange) {
  return {
    kind: word(ChangeKind, change.kind),
    participant: change.participant?.id,
    status: statusWord(change.participant),
    previous_status:
      change.previousRawStatus ??
      word(ParticipantStatus, change.previousStatus),
  };
}

/** Adds a batch and prints its events. */
export async function runBatch(
  session: Session,
  command: Command,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    conferenceId: command.conference ?? "",
    entries: (command.entries ?? []).map((entry) => ({
      phoneNumber: entry.phone_number ?? "",
      name: entry.name ?? "",
      role: roleOf(entry.role),
    })),
    requestId: command.request_id ?? "",
    resume: command.resume ?? false,
  };
  const { service } = session.client;
  const responses = service.batchAddParticipants(request, { signal });
  try {
    for await (const response of responses) {
      const line = batchLine(response);
      if (line) print(line);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function batchLine({ event }: BatchAddParticipantsResponse) {
  switch (event.case) {
    case "accepted":
      return { event: "accepted", count: event.value.count };
    case "result": {
      const { index, outcome } = event.value;
      const line = { event: "result", index };
      if (outcome.case === "participant") {
        return { ...line, participant: participantLine(outcome.value) };
      }
      return outcome.case === "error"
        ? { ...line, error: errorLine(GatewayError.fromStatus(outcome.value)) }
        : line;
    }
    case "summary": {
      const { added, failed, unknown } = event.value;
      return { event: "summary", added, failed, unknown };
    }
    default:
      return undefined;
  }
}
