import type { Participant, ParticipantClient } from "@audian/conference";
import type { Command } from "./command.js";
import { participantLine, roleOf, rolesOf, statusesOf } from "./words.js";

type Call = (service: ParticipantClient, command: Command) => Promise<object>;

/** The calls with one response. Each returns the fields of its line. */
export const unaryCalls: Partial<Record<string, Call>> = {
  add: async (service, command) =>
    result(
      await service.addParticipant({
        conferenceId: command.conference ?? "",
        phoneNumber: command.phone_number ?? "",
        name: command.name ?? "",
        role: roleOf(command.role),
        muted: command.muted ?? false,
        requestId: command.request_id ?? "",
        validateOnly: command.validate_only ?? false,
        waitForAnswer: command.wait_for_answer ?? false,
      }),
    ),
  get: async (s, c) => result(await s.getParticipant(participantOf(c))),
  mute: async (s, c) => result(await s.muteParticipant(participantOf(c))),
  unmute: async (s, c) => result(await s.unmuteParticipant(participantOf(c))),
  hold: async (s, c) => result(await s.holdParticipant(participantOf(c))),
  resume: async (s, c) => result(await s.resumeParticipant(participantOf(c))),
  disconnect: async (s, c) =>
    result(await s.disconnectParticipant(participantOf(c))),
  remove: async (s, c) => {
    await s.removeParticipant(participantOf(c));
    return { ok: true };
  },
  mute_all: async (s, { conference = "" }) => {
    await s.muteAllParticipants({ conferenceId: conference });
    return { ok: true };
  },
  refresh: async (s, { conference = "" }) => {
    await s.refreshParticipants({ conferenceId: conference });
    return { ok: true };
  },
  list,
};

function participantOf({ conference = "", participant = "" }: Command) {
  return { conferenceId: conference, participantId: participant };
}

function result({ participant }: { participant?: Participant | undefined }) {
  return participant
    ? { participant: participantLine(participant) }
    : { ok: true };
}

async function list(service: ParticipantClient, command: Command) {
  const request = {
    conferenceId: command.conference ?? "",
    statuses: statusesOf(command.statuses),
    roles: rolesOf(command.roles),
    pageSize: command.page_size ?? 0,
  };
  const participants: Participant[] = [];
  let pageToken = "";
  for (let pages = 1; ; pages++) {
    const page = await service.listParticipants({ ...request, pageToken });
    participants.push(...page.participants);
    pageToken = page.nextPageToken;
    if (pageToken === "") {
      const { total, active } = page;
      return {
        participants: participants.map(participantLine),
        pages,
        total,
        active,
      };
    }
  }
}
