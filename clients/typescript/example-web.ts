// Shows the roster of conf_demo in example.html. README.md says how to serve it.
import { ParticipantStatus, watch } from "@audian/conference";
import { createGatewayClient } from "@audian/conference/web";

const url = new URLSearchParams(location.search);
const client = createGatewayClient({
  baseUrl: url.get("gateway") ?? "http://127.0.0.1:8080",
});
const list = document.querySelector("ul");
const note = document.querySelector("p");

for await (const state of watch(client, "conf_demo")) {
  const items = [...state.roster.values()].map(
    ({ name, status, rawStatus }) => {
      const item = document.createElement("li");
      item.textContent = `${name}: ${rawStatus ?? ParticipantStatus[status]}`;
      return item;
    },
  );
  list?.replaceChildren(...items);
  if (note) note.textContent = state.fresh ? "up to date" : state.staleReason;
}
