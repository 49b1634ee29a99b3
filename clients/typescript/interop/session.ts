import type { GatewayClient } from "@audian/conference";
import { createGatewayClient as createNodeClient } from "@audian/conference/node";
import { createGatewayClient as createWebClient } from "@audian/conference/web";
import type { Command } from "./command.js";

/** A client with the credentials of its `connect` command. The last user closes it. */
export class Session {
  readonly client: GatewayClient;
  readonly #credentials: string[];
  #users = 1;

  constructor(command: Command, web: boolean) {
    const { target = "", url = "", credential, credentials } = command;
    this.#credentials = [...(credentials ?? [])];
    const renewed = () => this.#credentials[0] ?? "";
    const options = { credential: credentials ? renewed : credential };
    this.client = web
      ? createWebClient({ ...options, baseUrl: url })
      : createNodeClient({ ...options, baseUrl: `http://${target}` });
  }

  /** Goes on to the next credential, after one that was refused. */
  renewCredential(): void {
    if (this.#credentials.length > 1) this.#credentials.shift();
  }

  acquire(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0) this.client.close();
  }
}
