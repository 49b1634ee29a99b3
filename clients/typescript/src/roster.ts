import { Code } from "@connectrpc/connect";
import {
  ChangeKind,
  type Checkpoint,
  Freshness,
  type Participant,
  type ParticipantChange,
  type ParticipantSnapshot,
  type WatchParticipantsResponse,
} from "./gen/audian/conference/v2/participant_service_pb.js";
import { GatewayError } from "./errors.js";
import type { State, StateBase } from "./state.js";

type FreshnessOf = Pick<StateBase, "fresh" | "staleReason">;

const upToDate: FreshnessOf = { fresh: true, staleReason: "" };
const noConnection: FreshnessOf = { fresh: false, staleReason: "DISCONNECTED" };

/** The roster of a watch: applies messages and makes the states that the user gets. */
export class Roster {
  #participants: ReadonlyMap<string, Participant>;
  #total: number | undefined;
  #active: number | undefined;
  #token: string;
  // What the gateway last reported, and what the last state said.
  #reported: FreshnessOf;
  #said: FreshnessOf;
  #disconnected = false;

  constructor(from?: State) {
    this.#participants = from?.roster ?? new Map<string, Participant>();
    this.#total = from?.total;
    this.#active = from?.active;
    this.#token = from?.token ?? "";
    this.#said = from ?? upToDate;
    this.#reported =
      this.#said.staleReason === noConnection.staleReason
        ? upToDate
        : this.#said;
  }

  /** The position of the roster, for the next call. */
  get token(): string {
    return this.#token;
  }

  /**
   * Applies a message and returns its state; undefined if it says nothing new. Throws
   * ROSTER_MISMATCH if the gateway's roster has another size; the next call then begins anew.
   */
  apply({ event, resumeToken }: WatchParticipantsResponse): State | undefined {
    this.#disconnected = false;
    // Each method applies the message first, so that the token is never ahead of the roster.
    switch (event.case) {
      case "snapshot":
        this.#applySnapshot(event.value);
        this.#token = resumeToken;
        return {
          ...this.#state(),
          kind: "snapshot",
          snapshotReason: event.value.reason,
        };
      case "changes":
        this.#applyChanges(event.value.changes);
        this.#token = resumeToken;
        return {
          ...this.#state(),
          kind: "changes",
          changes: event.value.changes,
        };
      case "checkpoint":
        this.#applyCheckpoint(event.value);
        this.#token = resumeToken;
        return this.#saysNothingNew()
          ? undefined
          : { ...this.#state(), kind: "freshness" };
      case "end":
        this.#token = resumeToken;
        return { ...this.#state(), kind: "end", endReason: event.value.reason };
      case undefined:
        // An event of a newer gateway.
        this.#token = resumeToken;
        return undefined;
    }
  }

  /** Returns the state after a break; undefined if no message came since the last break. */
  disconnect(error: GatewayError): State | undefined {
    if (this.#disconnected) return undefined;
    this.#disconnected = true;
    return { ...this.#state(noConnection), kind: "disconnected", error };
  }

  #applySnapshot({ participants, total, active }: ParticipantSnapshot): void {
    this.#participants = new Map(participants.map((p) => [p.id, p]));
    this.#total = total;
    this.#active = active;
  }

  #applyChanges(changes: readonly ParticipantChange[]): void {
    const participants = new Map(this.#participants);
    for (const { kind, participant } of changes) {
      if (!participant) continue;
      if (kind === ChangeKind.REMOVED || kind === ChangeKind.LEFT_FILTER) {
        participants.delete(participant.id);
      } else {
        participants.set(participant.id, participant);
      }
    }
    this.#participants = participants;
  }

  #applyCheckpoint(checkpoint: Checkpoint): void {
    const { freshness, staleReason, participantCount } = checkpoint;
    this.#reported = { fresh: freshness === Freshness.FRESH, staleReason };
    this.#total = checkpoint.total ?? this.#total;
    this.#active = checkpoint.active ?? this.#active;
    const { size } = this.#participants;
    if (participantCount !== undefined && participantCount !== size) {
      this.#token = "";
      throw new GatewayError(
        `the roster has ${String(size)} participants, the gateway's has ${String(participantCount)}`,
        Code.DataLoss,
        { reason: "ROSTER_MISMATCH" },
      );
    }
  }

  #saysNothingNew(): boolean {
    return (
      this.#said.fresh === this.#reported.fresh &&
      this.#said.staleReason === this.#reported.staleReason
    );
  }

  #state({ fresh, staleReason } = this.#reported): StateBase {
    this.#said = { fresh, staleReason };
    return {
      roster: this.#participants,
      changes: [],
      fresh,
      staleReason,
      total: this.#total,
      active: this.#active,
      token: this.#token,
    };
  }
}
