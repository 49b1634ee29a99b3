// The conformance program. It reads commands, one JSON object a line, and prints one JSON object a
// line. With --web it uses the entry point for browsers.
import { createInterface } from "node:readline";
import { Code, GatewayError, type State } from "@audian/conference";
import { type Command, parseCommand, type Print } from "./command.js";
import { Session } from "./session.js";
import { runBatch, runWatch } from "./streams.js";
import { unaryCalls } from "./unary.js";
import { errorLine } from "./words.js";

interface Task {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const web = process.argv.includes("--web");
const tasks = new Map<string, Task>();
const lastStates = new Map<string, State>();
let session: Session | undefined;

async function execute(command: Command): Promise<void> {
  const print: Print = (line) => {
    process.stdout.write(`${JSON.stringify({ id: command.id, ...line })}\n`);
  };
  switch (command.call) {
    case "connect":
      session?.release();
      session = new Session(command, web);
      print({ ok: true });
      return;
    case "watch":
    case "batch":
      start(command, print);
      return;
    case "stop": {
      const task = tasks.get(command.watch ?? "");
      task?.stop.abort();
      await task?.ended;
      print({ ok: true });
      return;
    }
    default:
      await callOnce(command, print);
  }
}

function start(command: Command, print: Print): void {
  if (!session) throw new Error("connect comes first");
  const stop = new AbortController();
  const ended = runStream(session, command, print, stop.signal);
  tasks.set(command.id, { stop, ended });
}

async function runStream(
  used: Session,
  command: Command,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  used.acquire();
  try {
    await (command.call === "watch"
      ? runWatch(used, command, lastStates, print, signal)
      : runBatch(used, command, print, signal));
    print({ done: true });
  } catch (error) {
    print({ error: errorLine(error) });
  } finally {
    used.release();
  }
}

async function callOnce(command: Command, print: Print): Promise<void> {
  const call = unaryCalls[command.call];
  if (!call || !session) {
    print({ unsupported: true });
    return;
  }
  try {
    print(await call(session.client.service, command));
  } catch (error) {
    if (GatewayError.from(error).code === Code.Unauthenticated) {
      session.renewCredential();
    }
    print({ error: errorLine(error) });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  await execute(parseCommand(line));
}
for (const task of tasks.values()) task.stop.abort();
await Promise.all([...tasks.values()].map(({ ended }) => ended));
session?.release();
