/**
 * The client for browsers, and for all that has `fetch`: the Connect protocol over HTTP.
 *
 * @module
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { GatewayClient } from "./client.js";
import type { Credential } from "./interceptors.js";

export interface WebClientOptions {
  /** The gateway's HTTP port, for example `http://host:8080`. */
  readonly baseUrl: string;
  /** The API key or token of the caller. Default: none. */
  readonly credential?: Credential | undefined;
}

/** Creates a client. */
export function createGatewayClient(options: WebClientOptions): GatewayClient {
  const { baseUrl, credential } = options;
  return new GatewayClient(
    (interceptors) => ({
      // In the binary format a message may have enum values that this version does not know.
      transport: createConnectTransport({
        baseUrl,
        interceptors,
        fetch: fetchOrUnavailable,
        useBinaryFormat: true,
      }),
      // The browser owns the connections. Aborting a call is all that a page can do.
      close: () => undefined,
    }),
    credential,
  );
}

/** Reports a network failure as UNAVAILABLE, as over gRPC; fetch only throws a TypeError. */
const fetchOrUnavailable: typeof fetch = async (input, init) => {
  try {
    return await fetch(input, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConnectError(
      error.message,
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  }
};
