/**
 * What Node and browsers share: the watch, the errors, and the messages that are generated from
 * the proto. `@audian/conference/node` and `@audian/conference/web` create the client.
 *
 * @module
 */
export { GatewayClient } from "./client.js";
export type {
  Connection,
  ConnectionFactory,
  ParticipantClient,
} from "./client.js";
export { GatewayError, type FieldViolation } from "./errors.js";
export type { Credential } from "./interceptors.js";
export type { State } from "./state.js";
export { watch, type WatchOptions } from "./watch.js";
export * from "./gen/audian/conference/v2/participant_service_pb.js";
export { Code } from "@connectrpc/connect";
