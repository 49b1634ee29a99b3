import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { type TestContext, suite, test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { build } from "esbuild";
import {
  Code,
  type GatewayClient,
  ParticipantService,
  watch,
} from "@audian/conference";
import { createGatewayClient as createNodeClient } from "@audian/conference/node";
import { createGatewayClient as createWebClient } from "@audian/conference/web";
import { FakeGateway, gatewayError, silent, snapshot } from "./fake.js";

type Handler = ReturnType<typeof connectNodeAdapter>;

const entryPoints = {
  node: {
    serve: (handler: Handler): Server => createHttp2Server(handler),
    createClient: createNodeClient,
  },
  web: {
    serve: (handler: Handler): Server => createServer(handler),
    createClient: createWebClient,
  },
};

for (const [name, { serve, createClient }] of Object.entries(entryPoints)) {
  suite(name, () => {
    /** Starts a server with the fake gateway's service, and counts its connections. */
    async function startServer(t: TestContext, gateway: FakeGateway) {
      const handler = connectNodeAdapter({
        routes: ({ service }) => service(ParticipantService, gateway.service()),
      });
      const server = serve(handler);
      server.listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const client = createClient({
        baseUrl: `http://127.0.0.1:${String(port)}`,
        credential: "key",
      });
      t.after(() => {
        client.close();
      });
      return { server, client };
    }

    test("a watch ends its connection, and sends the credential", async (t) => {
      const gateway = new FakeGateway([silent([snapshot("t1", "a")])]);
      const { server, client } = await startServer(t, gateway);
      const connected = once(server, "connection");
      await readOneState(client);
      assert.deepEqual(gateway.credentials, ["Bearer key"]);
      const [socket] = (await connected) as [Socket];
      // The session reports the client's GOAWAY as an error of the socket.
      socket.on("error", () => undefined);
      await new Promise((resolve) => {
        if (socket.destroyed) resolve(undefined);
        else socket.once("close", resolve);
      });
    });

    test("an error arrives with its details", async (t) => {
      const error = gatewayError(Code.ResourceExhausted, "DAILY_LIMIT", 1_500);
      const gateway = new FakeGateway([], {
        addParticipant: () => Promise.reject(error),
      });
      const { client } = await startServer(t, gateway);
      await assert.rejects(client.service.addParticipant({}), {
        code: Code.ResourceExhausted,
        reason: "DAILY_LIMIT",
        retryDelayMs: 1_500,
      });
    });

    test("a server that is away is UNAVAILABLE", async (t) => {
      const { server, client } = await startServer(t, new FakeGateway([]));
      server.close();
      await once(server, "close");
      await assert.rejects(client.service.addParticipant({}), {
        code: Code.Unavailable,
      });
    });
  });
}

async function readOneState(client: GatewayClient): Promise<void> {
  for await (const state of watch(client, "conf_1")) {
    assert.deepEqual([...state.roster.keys()], ["a"]);
    return;
  }
}

test("a bundle for browsers contains no code of Node", async () => {
  const bundle = await build({
    stdin: {
      contents: `export * from "@audian/conference"; export * from "@audian/conference/web";`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(bundle.metafile.inputs);
  assert.ok(inputs.some((path) => path.endsWith("dist/src/web.js")));
  assert.ok(!inputs.some((path) => path.includes("connect-node")));
});
