import { Code, ConnectError } from "@connectrpc/connect";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import type { Status } from "./gen/google/rpc/status_pb.js";

/** A field of the request that is invalid. */
export interface FieldViolation {
  /** The path of the field by its proto name, for example `entries[3].phone_number`. */
  readonly field: string;
  readonly description: string;
}

interface ErrorFields {
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly retryDelayMs?: number | undefined;
  readonly cause?: unknown;
}

/** The error of every call, with the gateway's error details as typed values. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";

  /** The status code. */
  readonly code: Code;

  /**
   * The stable reason from docs/errors.md, for programs. Empty if the error does not come from the
   * gateway. `SILENT` and `ROSTER_MISMATCH` come from `watch`.
   */
  readonly reason: string;

  /** The metadata of the reason, for example `upstream_request_id`. */
  readonly metadata: Readonly<Record<string, string>>;

  /** The invalid fields; empty if the error is not about fields. */
  readonly fieldViolations: readonly FieldViolation[];

  /** How long to wait before the next try, in milliseconds; undefined if the gateway does not say. */
  readonly retryDelayMs: number | undefined;

  constructor(message: string, code: Code, fields: ErrorFields = {}) {
    super(message, { cause: fields.cause });
    this.code = code;
    this.reason = fields.reason ?? "";
    this.metadata = fields.metadata ?? {};
    this.fieldViolations = fields.fieldViolations ?? [];
    this.retryDelayMs = fields.retryDelayMs;
  }

  /**
   * Whether an add has dialled: `no` if surely no phone rings because of it, `unknown` if one may
   * ring. Undefined if the error does not say; treat that as `unknown`.
   */
  get dialled(): "no" | "unknown" | undefined {
    const value = this.metadata.dialled;
    return value === "no" || value === "unknown" ? value : undefined;
  }

  /** Converts whatever a call of Connect threw; the original is the `cause`. */
  static from(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    const cause = ConnectError.from(error);
    const info = cause
      .findDetails(ErrorInfoSchema)
      .find(({ domain }) => domain === "participant-gateway");
    const delay = cause.findDetails(RetryInfoSchema)[0]?.retryDelay;
    return new GatewayError(cause.rawMessage, cause.code, {
      reason: info?.reason ?? "",
      metadata: info?.metadata ?? {},
      fieldViolations: cause
        .findDetails(BadRequestSchema)
        .flatMap((detail) => detail.fieldViolations),
      retryDelayMs: delay && durationMs(delay),
      cause,
    });
  }

  /** Converts an error inside a message, for example the outcome of a batch's entry. */
  static fromStatus(status: Status): GatewayError {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- Connect has gRPC's numbers.
    const error = new ConnectError(status.message, status.code);
    error.details = status.details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
    return GatewayError.from(error);
  }
}
