// Starts the gateway, the simulator and a network between a page and the gateway.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const bin = path.resolve(import.meta.dirname, process.env.BIN ?? "../../bin");
const timeout = 20_000;

/** Waits until `probe` resolves to something true, and returns it. */
export async function until(what, probe, within = timeout) {
  const deadline = Date.now() + within;
  for (;;) {
    const found = await probe().catch(() => null);
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function start(program, args, environment, url) {
  const child = spawn(path.join(bin, program), args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }, stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (data) => { log += data; });
  const exited = once(child, "exit");
  await until(`${program} serves`, async () => {
    if (child.exitCode !== null) throw new Error(log);
    return (await fetch(url)).ok;
  });
  return async () => {
    child.kill("SIGTERM");
    await exited;
  };
}

/** The simulated conference service, with its admin API. It can be stopped and started again, empty. */
export class Simulator {
  static async start(...args) {
    const made = new Simulator();
    made.address = `http://127.0.0.1:${await freePort()}`;
    made.restart = async () => {
      made.stop = await start("simulator", ["--addr", new URL(made.address).host, ...args], {}, made.address + "/_simulator/");
    };
    await made.restart();
    return made;
  }

  async #call(method, rest, body) {
    const response = await fetch(`${this.address}/_simulator/${rest}`, { method, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.status === 204 ? null : response.json();
  }

  /** Puts a connected person into a conference, and returns the id. */
  async put(conference, name, phone_number, status = "connected", muted = false) {
    const made = await this.#call("POST", `conferences/${conference}/participants`, { name, phone_number, status, muted, role: "listener" });
    return made.id;
  }

  people(conference) {
    return this.#call("GET", `conferences/${conference}`);
  }

  setStatus(conference, id, status) {
    return this.#call("POST", `conferences/${conference}/participants/${id}/status`, { status });
  }

  leave(conference, id) {
    return this.#call("DELETE", `conferences/${conference}/participants/${id}`);
  }

  /** Takes everybody out of a conference. */
  async empty(conference) {
    for (const { id } of await this.people(conference)) await this.leave(conference, id);
  }

  fault(fault) {
    return this.#call("POST", "faults", fault);
  }

  clearFaults() {
    return this.#call("DELETE", "faults");
  }

  /** Returns how often a number was called. */
  async dials(number) {
    return (await this.#call("GET", "dials")).filter(({ phone_number }) => phone_number === number).length;
  }
}

/** The gateway. It can be stopped and started again at the same address. */
export class Gateway {
  static async start(simulator, ...args) {
    const made = new Gateway();
    const ports = [await freePort(), await freePort(), await freePort()];
    made.address = `http://127.0.0.1:${ports[1]}`;
    made.port = ports[1];
    const addresses = ["--grpc-addr", "--http-addr", "--admin-addr"].flatMap((flag, i) => [flag, `127.0.0.1:${ports[i]}`]);
    const environment = { AUDIAN_BASE_URL: simulator.address + "/v2", AUDIAN_AUTH_TOKEN: "any" };
    made.restart = async () => {
      made.stop = await start("server", [...addresses, ...args], environment, made.address + "/openapi.json");
    };
    await made.restart();
    return made;
  }
}

/** A keys file with callers of each role. */
export class Keys {
  #folder = mkdtempSync(path.join(tmpdir(), "dashboard-"));
  file = path.join(this.#folder, "keys");

  /** Adds a caller, and returns the key. */
  add(name, role, ...args) {
    return execFileSync(path.join(bin, "server"), ["keys", "add", "--file", this.file, "--name", name, "--role", role, ...args],
      { encoding: "utf8" }).trim();
  }

  /** Gives a caller another role. The gateway notices within seconds. */
  changeRole(name, role) {
    const lines = readFileSync(this.file, "utf8").split("\n");
    writeFileSync(this.file, lines.map((line) => (line.startsWith(name + " ") ? line.replace(/ \w+/, ` ${role}`) : line)).join("\n"));
  }

  remove() {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A network that can go silent: connections stay open, and nothing passes. */
export class Network {
  #sockets = new Set();
  #silent = false;

  static async to(port) {
    const made = new Network();
    made.server = net.createServer((inside) => made.#connect(inside, net.connect(port, "127.0.0.1")));
    made.server.listen(0, "127.0.0.1");
    await once(made.server, "listening");
    made.address = `http://127.0.0.1:${made.server.address().port}`;
    return made;
  }

  #connect(...pair) {
    pair.forEach((socket, i) => {
      const other = pair[1 - i];
      this.#sockets.add(socket);
      socket.on("data", (data) => { if (!this.#silent) other.write(data); });
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.on("error", () => other.destroy());
    });
  }

  silence() {
    this.#silent = true;
  }

  /** Lets new connections pass. What was sent before is lost. */
  recover() {
    this.#silent = false;
    this.cut();
  }

  /** Closes all connections. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop() {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }
}
