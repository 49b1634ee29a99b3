// Uses the TypeScript client that OpenAPI Generator makes: one list, one add, a get, a mute,
// a refresh, and the error of an add that is refused.
import { Configuration, ModelErrorFromJSON, ParticipantRole, ParticipantsApi, ResponseError } from "./client";

declare const process: { argv: string[] };

const conferenceId = "conf_demo";

function check(holds: boolean, found: unknown): void {
  if (!holds) throw new Error(JSON.stringify(found));
}

async function violatedFields(api: ParticipantsApi): Promise<string[]> {
  try {
    await api.addParticipant({ conferenceId, addParticipantRequest: { phoneNumber: "abc" } });
    return [];
  } catch (refused) {
    if (!(refused instanceof ResponseError)) throw refused;
    const { error } = ModelErrorFromJSON(await refused.response.json());
    check(error.status === "INVALID_ARGUMENT", error);
    return error.details.flatMap((detail) => detail.fieldViolations ?? []).map((violation) => violation.field);
  }
}

async function run(basePath: string): Promise<void> {
  const api = new ParticipantsApi(new Configuration({ basePath }));

  const list = await api.listParticipants({ conferenceId });
  check(list.participants.length > 0 && list.total === list.participants.length, list);
  check(list.participants[0].status !== "", list);

  const added = await api.addParticipant({
    conferenceId,
    addParticipantRequest: { phoneNumber: "+12025550199", name: "Ada", role: ParticipantRole.Listener },
  });
  check(added.id !== "" && added.phoneNumber === "+12025550199" && added.role === "listener", added);

  const found = await api.getParticipant({ conferenceId, participantId: added.id });
  check(found.id === added.id, found);
  const muted = await api.muteParticipant({ conferenceId, participantId: added.id });
  check(muted?.muted === true, muted);
  await api.refreshParticipants({ conferenceId });

  const fields = await violatedFields(api);
  check(fields.length === 1 && fields[0] === "phone_number", fields);
  console.log(`${list.total} listed, ${added.id} added, ${fields[0]} refused`);
}

void run(process.argv[2]);
