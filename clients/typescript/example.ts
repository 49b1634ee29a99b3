// Watches a conference and prints its changes: node dist/example.js CONFERENCE
import {
  ChangeKind,
  GatewayError,
  ParticipantStatus,
  watch,
} from "@audian/conference";
import { createGatewayClient } from "@audian/conference/node";

const { GATEWAY_ADDR = "http://127.0.0.1:9090", GATEWAY_KEY } = process.env;
const conference = process.argv[2] ?? "conf_demo";
const client = createGatewayClient({
  baseUrl: GATEWAY_ADDR,
  credential: GATEWAY_KEY,
});

const stop = new AbortController();
process.once("SIGINT", () => {
  stop.abort();
});

try {
  for await (const state of watch(client, conference, {
    signal: stop.signal,
  })) {
    const note = state.fresh ? "" : ` (${state.staleReason})`;
    console.log(`${state.kind}: ${String(state.roster.size)} people${note}`);
    for (const { kind, participant } of state.changes) {
      const status = ParticipantStatus[participant?.status ?? 0];
      console.log(" ", ChangeKind[kind], participant?.name, status);
    }
  }
} catch (error) {
  const { code, reason, message } = GatewayError.from(error);
  console.error(`cannot watch ${conference}: ${reason} ${message}`);
  process.exitCode = code;
}
client.close();
