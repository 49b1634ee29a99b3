// A client of the conformance test: the TypeScript client that OpenAPI Generator makes. Commands in, results out.
import { createInterface } from "node:readline";
import type { AddParticipantRequest, ErrorBody, ListParticipantsRequest, Participant } from "../client";
import { Configuration, ModelErrorFromJSON, ParticipantsApi, ResponseError } from "../client";

interface Command {
  id: string;
  call: string;
  url: string;
  credential?: string;
  conference: string;
  participant: string;
  phone_number: string;
  name?: string;
  role?: AddParticipantRequest["role"];
  muted?: boolean;
  request_id?: string;
  validate_only?: boolean;
  wait_for_answer?: boolean;
  statuses?: ListParticipantsRequest["statuses"];
  roles?: ListParticipantsRequest["roles"];
  page_size?: number;
}

type Result = Record<string, unknown>;

let api = new ParticipantsApi();

const calls: Record<string, (command: Command) => Promise<Result>> = {
  connect: async ({ url, credential }) => {
    api = new ParticipantsApi(new Configuration({ basePath: url, accessToken: credential }));
    return { ok: true };
  },
  add: async (c) => one(await api.addParticipant({ conferenceId: c.conference, addParticipantRequest: addRequest(c) })),
  get: async (c) => one(await api.getParticipant(ids(c))),
  mute: async (c) => one(await api.muteParticipant(ids(c))),
  unmute: async (c) => one(await api.unmuteParticipant(ids(c))),
  hold: async (c) => one(await api.holdParticipant(ids(c))),
  resume: async (c) => one(await api.resumeParticipant(ids(c))),
  disconnect: async (c) => one(await api.disconnectParticipant(ids(c))),
  remove: async (c) => one(await api.removeParticipant(ids(c))),
  mute_all: async (c) => one(await api.muteAllParticipants({ conferenceId: c.conference })),
  refresh: async (c) => one(await api.refreshParticipants({ conferenceId: c.conference })),
  list,
};

const ids = (c: Command) => ({ conferenceId: c.conference, participantId: c.participant });

const addRequest = (c: Command): AddParticipantRequest => ({
  phoneNumber: c.phone_number,
  name: c.name,
  role: c.role,
  muted: c.muted,
  requestId: c.request_id,
  validateOnly: c.validate_only,
  waitForAnswer: c.wait_for_answer,
});

const one = (found: Participant | null | undefined | void): Result =>
  found ? { participant: participantResult(found) } : { ok: true };

async function list(c: Command): Promise<Result> {
  const { conference: conferenceId, statuses, roles, page_size: pageSize } = c;
  const participants: Result[] = [];
  let pageToken: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await api.listParticipants({ conferenceId, statuses, roles, pageSize, pageToken });
    participants.push(...page.participants.map(participantResult));
    if (page.nextPageToken === "") return { participants, pages, total: page.total, active: page.active };
    pageToken = page.nextPageToken;
  }
}

function participantResult({ id, phoneNumber, name, role, status, muted }: Participant): Result {
  return { id, phone_number: phoneNumber, name, role, status: status || "unspecified", muted };
}

/** Describes a failed call. One that got no error body of the gateway is UNAVAILABLE. */
async function failure(thrown: unknown): Promise<Result> {
  if (!(thrown instanceof ResponseError)) return { code: "UNAVAILABLE", reason: "" };
  try {
    return errorResult(ModelErrorFromJSON(await thrown.response.json()).error);
  } catch {
    return { code: "UNAVAILABLE", reason: "" };
  }
}

function errorResult({ status, details }: ErrorBody): Result {
  const detail = (kind: string) => details.find(({ atType }) => atType.endsWith(`.${kind}`));
  const retryDelay = detail("RetryInfo")?.retryDelay;
  return {
    code: status,
    reason: detail("ErrorInfo")?.reason ?? "",
    dialled: detail("ErrorInfo")?.metadata?.dialled,
    fields: detail("BadRequest")?.fieldViolations?.map(({ field }) => field),
    retry_after_ms: retryDelay && Math.round(parseFloat(retryDelay) * 1000),
  };
}

async function serve(command: Command): Promise<Result> {
  const call = calls[command.call];
  if (!call) return { unsupported: true };
  try {
    return await call(command);
  } catch (thrown) {
    return { error: await failure(thrown) };
  }
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const command: Command = JSON.parse(line);
    console.log(JSON.stringify({ id: command.id, ...(await serve(command)) }));
  }
}

void main();
