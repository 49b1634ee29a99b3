import {
  GatewayError,
  type Participant,
  ParticipantRole,
  ParticipantStatus,
} from "@audian/conference";
import { Code } from "../src/gen/google/rpc/code_pb.js";

/** Returns the REST word of a value of an enum; undefined values have none. */
export function word(
  names: Record<number, string>,
  value: number | undefined,
): string | undefined {
  if (value === undefined) return undefined;
  return names[value]?.toLowerCase() ?? String(value);
}

/** Returns the values of REST words. */
export function statusesOf(words: readonly string[] = []): ParticipantStatus[] {
  return words.map(
    (w) => ParticipantStatus[w.toUpperCase() as keyof typeof ParticipantStatus],
  );
}

/** Returns the values of REST words. */
export function rolesOf(words: readonly string[] = []): ParticipantRole[] {
  return words.map(roleOf);
}

/** Returns the value of a REST word. */
export function roleOf(text = "unspecified"): ParticipantRole {
  return ParticipantRole[text.toUpperCase() as keyof typeof ParticipantRole];
}

export function statusWord(p: Participant | undefined): string | undefined {
  return p?.rawStatus ?? word(ParticipantStatus, p?.status);
}

export function participantLine(p: Participant) {
  return {
    id: p.id,
    phone_number: p.phoneNumber,
    name: p.name,
    role: p.rawRole ?? word(ParticipantRole, p.role),
    status: statusWord(p),
    muted: p.muted,
  };
}

export function errorLine(error: unknown) {
  const failure = GatewayError.from(error);
  return {
    code: Code[failure.code],
    reason: failure.reason,
    dialled: failure.dialled,
    fields: failure.fieldViolations.map(({ field }) => field),
    retry_after_ms: failure.retryDelayMs,
    message: failure.message,
  };
}
