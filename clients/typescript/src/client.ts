import {
  type Client,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { ParticipantService } from "./gen/audian/conference/v2/participant_service_pb.js";
import { authenticate, type Credential, retry } from "./interceptors.js";
import { withGatewayErrors } from "./transport.js";

/** A Connect client of the service. Its calls fail with a GatewayError. */
export type ParticipantClient = Client<typeof ParticipantService>;

/** A connection to the gateway. */
export interface Connection {
  readonly transport: Transport;
  /** Closes the connection and ends its calls. */
  close(): void;
}

/** Makes a connection whose calls pass through the interceptors. */
export type ConnectionFactory = (interceptors: Interceptor[]) => Connection;

/** A client of the gateway. The entry points `/node` and `/web` create one. */
export class GatewayClient {
  /** The calls of the gateway. They share one connection. */
  readonly service: ParticipantClient;

  /** Whether the credential is a function, so that a later call may have another one. */
  readonly renewsCredential: boolean;

  readonly #closeListeners = new Set<() => void>();
  #closed = false;
  readonly #interceptors: Interceptor[];
  readonly #open: ConnectionFactory;

  constructor(open: ConnectionFactory, credential?: Credential) {
    this.#open = open;
    this.#interceptors =
      credential === undefined
        ? [retry()]
        : [retry(), authenticate(credential)];
    this.renewsCredential = typeof credential === "function";
    const shared = this.connect();
    this.service = shared.service;
    this.onClose(shared.close);
  }

  /** Returns the calls on a new connection, which the caller closes. */
  connect(): { service: ParticipantClient; close: () => void } {
    const connection = this.#open(this.#interceptors);
    return {
      service: createClient(
        ParticipantService,
        withGatewayErrors(connection.transport),
      ),
      close: () => {
        connection.close();
      },
    };
  }

  /**
   * Calls the listener when the client is closed, or now if it is closed. Returns a function that
   * removes the listener.
   */
  onClose(listener: () => void): () => void {
    this.#closeListeners.add(listener);
    if (this.#closed) listener();
    return () => this.#closeListeners.delete(listener);
  }

  /** Ends all watches and calls, and closes the connections. Do not use the client after it. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#closeListeners) listener();
  }
}
