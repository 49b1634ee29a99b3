/**
 * The client for Node: gRPC over HTTP/2.
 *
 * @module
 */
import type {
  ClientSessionOptions,
  SecureClientSessionOptions,
} from "node:http2";
import {
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { GatewayClient } from "./client.js";
import type { Credential } from "./interceptors.js";

export interface NodeClientOptions {
  /** The gateway's gRPC port: `http://host:9090` for plain text, `https://…` for TLS. */
  readonly baseUrl: string;
  /** The API key or token of the caller. Default: none. */
  readonly credential?: Credential | undefined;
  /** Options of the connections, for example `ca`, `cert` and `key` for TLS. */
  readonly sessionOptions?: ClientSessionOptions | SecureClientSessionOptions;
}

// The gateway allows a ping every 5 s. There are pings only while calls are open.
const keepalive = { pingIntervalMs: 10_000, pingTimeoutMs: 5_000 };

/** Creates a client. It connects with the first call. */
export function createGatewayClient(options: NodeClientOptions): GatewayClient {
  const { baseUrl, credential, sessionOptions } = options;
  return new GatewayClient((interceptors) => {
    const sessionManager = new Http2SessionManager(
      baseUrl,
      keepalive,
      sessionOptions,
    );
    return {
      transport: createGrpcTransport({ baseUrl, sessionManager, interceptors }),
      close: () => {
        sessionManager.abort();
      },
    };
  }, credential);
}
