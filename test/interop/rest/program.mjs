// The commands of the conformance test, for the clients in JavaScript.
import { createInterface } from 'node:readline';
import { Gateway, GatewayError, participant, participants } from './gateway.mjs';

const controls = new Set(['mute', 'unmute', 'hold', 'resume', 'disconnect']);
const addFields = ['phone_number', 'name', 'role', 'muted', 'request_id', 'validate_only', 'wait_for_answer'];

const show = ({ id }, result) => process.stdout.write(`${JSON.stringify({ id, ...result })}\n`);

const select = (from, names) =>
  Object.fromEntries(names.filter((name) => from[name] != null).map((name) => [name, from[name]]));

const errorJSON = ({ code, reason, metadata, fields, retryMs }) => ({
  code,
  reason,
  dialled: metadata.dialled,
  fields: fields.length > 0 ? fields : undefined,
  retry_after_ms: retryMs,
});

const word = (p) => p.status || 'unspecified';
const participantJSON = (p) => ({ ...select(p, ['id', 'phone_number', 'name', 'role', 'muted']), status: word(p) });

const changeJSON = ({ kind, participant: p, previous_status }) => ({
  kind,
  participant: p.id,
  status: word(p),
  previous_status,
});

const stateJSON = ({ kind, reason, roster, fresh, staleReason, total, active, changes, error }) => ({
  state: kind,
  reason,
  roster: Object.fromEntries([...roster].map(([id, p]) => [id, word(p) + (p.muted ? '+muted' : '')])),
  fresh,
  stale_reason: staleReason,
  total,
  active,
  changes: changes?.map(changeJSON),
  error: error && errorJSON(error),
});

/** A program that serves the commands with one kind of watch. */
class Program {
  running = new Map(); // the watches and batches by their ids
  states = new Map(); // the last states of the watches

  constructor(watch) {
    this.watchStates = watch;
  }

  async serve(command) {
    try {
      if (controls.has(command.call)) await this.control(command);
      else if (Object.hasOwn(calls, command.call)) await calls[command.call].call(this, command);
      else show(command, { unsupported: true });
    } catch (error) {
      show(command, { error: errorJSON(GatewayError.from(error)) });
    }
  }

  control(command) {
    return this.one(command, 'POST', `${participant(command.conference, command.participant)}/${command.call}`);
  }

  async one(command, method, path, body) {
    const found = await this.gateway.call(method, path, { body });
    show(command, found ? { participant: participantJSON(found) } : { ok: true });
  }

  /** Runs a watch or a batch in the background. */
  start(command, work) {
    const stopping = new AbortController();
    const finish = async () => {
      try {
        await work(stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted) return show(command, { error: errorJSON(GatewayError.from(error)) });
      }
      return show(command, { done: true });
    };
    this.running.set(command.id, { stopping, ended: finish() });
  }

  async stop(id) {
    const one = this.running.get(id);
    one?.stopping.abort();
    await one?.ended;
  }

  async close() {
    await Promise.all([...this.running.keys()].map((id) => this.stop(id)));
  }
}

const calls = {
  connect(command) {
    const { url, credential, credentials = credential ? [credential] : [] } = command;
    this.gateway = new Gateway(url, credentials);
    show(command, { ok: true });
  },

  add(command) {
    return this.one(command, 'POST', participants(command.conference), select(command, addFields));
  },

  get(command) {
    return this.one(command, 'GET', participant(command.conference, command.participant));
  },

  remove(command) {
    return this.one(command, 'DELETE', participant(command.conference, command.participant));
  },

  mute_all(command) {
    return this.one(command, 'POST', `/v2/conferences/${encodeURIComponent(command.conference)}/mute-all`);
  },

  refresh(command) {
    return this.one(command, 'POST', `${participants(command.conference)}:refresh`);
  },

  async list(command) {
    const query = select(command, ['statuses', 'roles', 'page_size']);
    const found = [];
    for (let pages = 1; ; pages++) {
      const page = await this.gateway.call('GET', participants(command.conference), { query });
      found.push(...page.participants.map(participantJSON));
      query.page_token = page.next_page_token;
      if (!query.page_token) {
        return show(command, { participants: found, pages, ...select(page, ['total', 'active']) });
      }
    }
  },

  watch(command) {
    const options = {
      filters: select(command, ['statuses', 'roles', 'participant_ids']),
      heartbeat: command.heartbeat_s ?? 15,
      resumeFrom: this.states.get(command.continue),
    };
    const { gateway } = this;
    this.start(command, async (signal) => {
      for await (const state of this.watchStates(gateway, command.conference, { ...options, signal })) {
        this.states.set(command.id, state);
        show(command, stateJSON(state));
      }
    });
  },

  batch(command) {
    const options = { body: select(command, ['entries', 'request_id', 'resume']) };
    const { gateway } = this;
    this.start(command, async (signal) => {
      const path = `${participants(command.conference)}:batchAdd`;
      for await (const message of gateway.stream('POST', path, { ...options, signal })) showBatch(command, message);
    });
  },

  async stop(command) {
    await this.stop(command.watch);
    show(command, { ok: true });
  },
};

function showBatch(command, { accepted, result, summary }) {
  if (accepted) show(command, { event: 'accepted', count: accepted.count });
  else if (result) show(command, { event: 'result', index: result.index, ...outcome(result) });
  else if (summary) show(command, { event: 'summary', ...summary });
}

const outcome = ({ participant: p, error }) =>
  error ? { error: errorJSON(GatewayError.fromBody(error)) } : { participant: participantJSON(p) };

/** Serves the commands on the standard input until it ends. */
export async function run(watch) {
  const program = new Program(watch);
  for await (const line of createInterface({ input: process.stdin })) await program.serve(JSON.parse(line));
  await program.close();
  process.exit(0);
}
