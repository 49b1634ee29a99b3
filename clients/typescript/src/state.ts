import type {
  Participant,
  ParticipantChange,
  SnapshotReason,
  WatchEndReason,
} from "./gen/audian/conference/v2/participant_service_pb.js";
import type { GatewayError } from "./errors.js";

/** What every state contains. */
export interface StateBase {
  /** All participants that pass the filters, by their id. Later states do not change it. */
  readonly roster: ReadonlyMap<string, Participant>;
  /** The changes that led to the roster, if `kind` is `changes`; else empty. */
  readonly changes: readonly ParticipantChange[];
  /** Whether the roster is up to date. */
  readonly fresh: boolean;
  /** Why the roster may be out of date: a reason of the gateway, or `DISCONNECTED`. Empty if fresh. */
  readonly staleReason: string;
  /** The number of participants in the whole conference, as last reported. */
  readonly total: number | undefined;
  /** The number of connected and held participants in the whole conference, as last reported. */
  readonly active: number | undefined;
  /** The position of the roster, for the next call. Opaque; may be empty. */
  readonly token: string;
}

/** What a watch knows after a message, a break or the end. */
export type State = StateBase &
  (
    | {
        /** The roster is new: at the start, or because the changes in between are not known. */
        readonly kind: "snapshot";
        readonly snapshotReason: SnapshotReason;
      }
    | {
        /** The participants in `changes` changed. */
        readonly kind: "changes";
      }
    | {
        /** Only `fresh` or `staleReason` changed. */
        readonly kind: "freshness";
      }
    | {
        /** The connection broke. The watch calls again by itself. */
        readonly kind: "disconnected";
        readonly error: GatewayError;
      }
    | {
        /** The conference no longer exists. This is the last state. */
        readonly kind: "end";
        readonly endReason: WatchEndReason;
      }
  );
