import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, suite, test } from "node:test";
import {
  ChangeKind,
  Code,
  GatewayError,
  ParticipantStatus,
  type State,
  watch,
  WatchEndReason,
  type WatchOptions,
} from "@audian/conference";
import {
  change,
  checkpoint,
  elapse,
  FakeGateway,
  fails,
  fakeTime,
  gatewayError,
  message,
  sends,
  silent,
  snapshot,
  type Script,
} from "./fake.js";

const end = message("t9", {
  case: "end",
  value: { reason: WatchEndReason.CONFERENCE_GONE },
});
const unavailable = gatewayError(Code.Unavailable, "DRAINING");

/** Starts a watch of a gateway that plays the scripts. */
function start(scripts: Script[], options?: WatchOptions) {
  const gateway = new FakeGateway(scripts);
  const client = gateway.client();
  return { gateway, client, states: watch(client, "conf_1", options) };
}

/** Returns the next state, and the time until it came. */
async function next(states: AsyncIterator<State, undefined>) {
  const { value, ms } = await elapse(states.next());
  assert.ok(value.value, "the watch has ended");
  return { state: value.value, ms };
}

/** Returns all states up to the end, without the time between them. */
async function all(states: AsyncIterableIterator<State, undefined>) {
  const collect = async () => {
    const seen: State[] = [];
    for await (const state of states) seen.push(state);
    return seen;
  };
  return (await elapse(collect())).value;
}

const kinds = (states: State[]) => states.map(({ kind }) => kind);
const ids = ({ roster }: State) => [...roster.keys()].sort();

beforeEach(fakeTime);
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

suite("states", () => {
  test("a snapshot, changes and the end each give a state", async () => {
    const { states } = start([
      sends([
        snapshot("t1", "a", "b"),
        checkpoint("t1", "", 2),
        change("t2", ChangeKind.ADDED, "c"),
        change("t3", ChangeKind.REMOVED, "a"),
        change("t4", ChangeKind.LEFT_FILTER, "b"),
        end,
      ]),
    ]);
    const seen = await all(states);
    assert.deepEqual(
      seen.map((s) => [s.kind, ids(s), s.token]),
      [
        ["snapshot", ["a", "b"], "t1"],
        ["changes", ["a", "b", "c"], "t2"],
        ["changes", ["b", "c"], "t3"],
        ["changes", ["c"], "t4"],
        ["end", ["c"], "t9"],
      ],
    );
    assert.equal(seen[1]?.changes[0]?.kind, ChangeKind.ADDED);
    assert.equal(seen[0]?.total, 2);
  });

  test("a checkpoint gives a state only if the freshness changed", async () => {
    const { states } = start([
      sends([
        snapshot("t1"),
        checkpoint("t1"),
        checkpoint("t1", "UPSTREAM_TIMEOUT"),
        checkpoint("t1", "UPSTREAM_TIMEOUT"),
        change("t2", ChangeKind.ADDED, "a"),
        checkpoint("t2"),
        end,
      ]),
    ]);
    assert.deepEqual(
      (await all(states)).map((s) => [s.kind, s.fresh, s.staleReason]),
      [
        ["snapshot", true, ""],
        ["freshness", false, "UPSTREAM_TIMEOUT"],
        ["changes", false, "UPSTREAM_TIMEOUT"],
        ["freshness", true, ""],
        ["end", true, ""],
      ],
    );
  });

  test("a value of a newer gateway does no harm", async () => {
    const unknownStatus = 99;
    const value = { participants: [{ id: "a", status: unknownStatus }] };
    const { states } = start([
      sends([
        message("t1", { case: "snapshot", value }),
        message("t2", { case: undefined }),
        end,
      ]),
    ]);
    const [first, last] = await all(states);
    assert.equal(first?.roster.get("a")?.status, unknownStatus);
    assert.equal(last?.kind, "end");
  });
});

suite("breaks", () => {
  test("the next call resumes after the last message", async () => {
    const { gateway, states } = start([
      sends([snapshot("t1", "a"), checkpoint("t2")], unavailable),
      sends([checkpoint("t2"), end]),
    ]);
    const seen = await all(states);
    assert.deepEqual(
      seen.map((s) => [s.kind, s.fresh, s.staleReason, ids(s)]),
      [
        ["snapshot", true, "", ["a"]],
        ["disconnected", false, "DISCONNECTED", ["a"]],
        ["freshness", true, "", ["a"]],
        ["end", true, "", ["a"]],
      ],
    );
    assert.ok(seen[1]?.kind === "disconnected");
    assert.equal(seen[1].error.reason, "DRAINING");
    assert.deepEqual(
      gateway.requests.map((r) => r.resumeToken),
      ["", "t2"],
    );
  });

  test("a stream that ends without an end is a break", async () => {
    const { states } = start([sends([snapshot("t1")]), sends([end])]);
    const seen = await all(states);
    assert.deepEqual(kinds(seen), ["snapshot", "disconnected", "end"]);
  });

  test("the delay doubles while no message comes, with one state", async () => {
    const { states } = start([
      fails(unavailable),
      fails(unavailable),
      fails(unavailable),
      sends([snapshot("t1")], unavailable),
      sends([end]),
    ]);
    const first = await next(states);
    assert.equal(first.state.kind, "disconnected");
    assert.deepEqual(ids(first.state), []);
    assertDelay(await next(states), "snapshot", 250 + 500 + 1_000);
    assertDelay(await next(states), "disconnected", 0);
    assertDelay(await next(states), "end", 250);
  });

  test("the delay is at most 10 s, with up to a quarter more", async () => {
    mock.method(Math, "random", () => 0.999);
    const failing = Array.from({ length: 8 }, () => fails(unavailable));
    const { states } = start([...failing, sends([end])]);
    await next(states);
    const delays = 250 + 500 + 1_000 + 2_000 + 4_000 + 8_000 + 2 * 10_000;
    assertDelay(await next(states), "end", delays * 1.25);
  });

  test("the gateway's RetryInfo is respected", async () => {
    const draining = gatewayError(Code.Unavailable, "DRAINING", 3_000);
    const { states } = start([fails(draining), sends([end])]);
    await next(states);
    assertDelay(await next(states), "end", 3_000);
  });

  test("a roster of another size begins anew", async () => {
    const { gateway, states } = start([
      sends([snapshot("t1", "a"), checkpoint("t2", "", 2)]),
      sends([snapshot("t3", "a", "b"), end]),
    ]);
    const seen = await all(states);
    assert.deepEqual(kinds(seen), [
      "snapshot",
      "disconnected",
      "snapshot",
      "end",
    ]);
    assert.ok(seen[1]?.kind === "disconnected");
    assert.equal(seen[1].error.reason, "ROSTER_MISMATCH");
    assert.equal(gateway.requests[1]?.resumeToken, "");
  });

  function assertDelay(
    { state, ms }: { state: State; ms: number },
    kind: State["kind"],
    expectedMs: number,
  ) {
    assert.equal(state.kind, kind);
    assert.ok(ms >= expectedMs, `${String(ms)} ms is too early`);
    assert.ok(ms <= expectedMs + 200, `${String(ms)} ms is too late`);
  }
});

suite("silence", () => {
  test("two silent heartbeats lead to a new connection", async () => {
    const { gateway, states } = start(
      [silent([snapshot("t1", "a")]), sends([end])],
      { heartbeatIntervalMs: 5_000 },
    );
    await next(states);
    assert.equal(gateway.made, 2);
    const { state, ms } = await next(states);
    assert.ok(state.kind === "disconnected");
    assert.equal(state.error.reason, "SILENT");
    assert.ok(ms >= 10_000 && ms <= 10_100);
    assert.equal(gateway.open, 1, "the silent connection is closed");
    assert.equal((await next(states)).state.kind, "end");
    assert.equal(gateway.made, 3);
  });

  test("a call that never answers is silent too", async () => {
    const { states } = start([silent()]);
    const { state, ms } = await next(states);
    assert.equal(state.kind, "disconnected");
    assert.ok(ms >= 30_000 && ms <= 30_100);
  });

  test("the time that the caller takes is not silence", async () => {
    const { states } = start([silent([snapshot("t1")])]);
    await next(states);
    mock.timers.tick(60_000);
    const { ms } = await next(states);
    assert.ok(ms >= 30_000);
  });
});

suite("errors that end the watch", () => {
  for (const code of [
    Code.InvalidArgument,
    Code.NotFound,
    Code.PermissionDenied,
    Code.Unauthenticated,
    Code.FailedPrecondition,
    Code.Unimplemented,
    Code.OutOfRange,
    Code.AlreadyExists,
  ]) {
    test(Code[code], async () => {
      const { gateway, states } = start([fails(gatewayError(code))]);
      await assert.rejects(
        elapse(states.next()),
        (e) => e instanceof GatewayError && e.code === code,
      );
      assert.equal(gateway.open, 1);
      assert.equal((await states.next()).done, true);
    });
  }

  const refused = gatewayError(Code.Unauthenticated, "CREDENTIAL_EXPIRED");

  test("an expired credential is renewed", async () => {
    const gateway = new FakeGateway([
      sends([snapshot("t1")], refused),
      sends([checkpoint("t1"), end]),
    ]);
    let call = 0;
    const client = gateway.client(() =>
      Promise.resolve(`key${String(++call)}`),
    );
    const seen = await all(watch(client, "conf_1"));
    assert.deepEqual(kinds(seen), [
      "snapshot",
      "disconnected",
      "freshness",
      "end",
    ]);
    assert.deepEqual(gateway.credentials, ["Bearer key1", "Bearer key2"]);
  });

  test("a renewed credential that is refused ends the watch", async () => {
    const gateway = new FakeGateway([
      sends([snapshot("t1")], refused),
      fails(refused),
    ]);
    const states = watch(
      gateway.client(() => "key"),
      "conf_1",
    );
    await assert.rejects(all(states), { reason: "CREDENTIAL_EXPIRED" });
  });

  test("a constant credential that expires ends the watch", async () => {
    const gateway = new FakeGateway([sends([snapshot("t1")], refused)]);
    const states = watch(gateway.client("key"), "conf_1");
    await assert.rejects(all(states), { reason: "CREDENTIAL_EXPIRED" });
    assert.equal(gateway.requests.length, 1);
  });
});

suite("requests", () => {
  test("the filters and the heartbeat are sent", async () => {
    const { gateway, states } = start([sends([end])], {
      statuses: [ParticipantStatus.HELD],
      participantIds: ["a"],
    });
    await all(states);
    const [request] = gateway.requests;
    assert.equal(request?.conferenceId, "conf_1");
    assert.deepEqual(request.statuses, [ParticipantStatus.HELD]);
    assert.deepEqual(request.participantIds, ["a"]);
    assert.equal(request.heartbeatInterval?.seconds, 15n);
  });

  test("a watch continues from an earlier state", async () => {
    const earlier = start([silent([snapshot("t1", "a")])]);
    const { state } = await next(earlier.states);
    await earlier.states.return?.();
    const { gateway, states } = start(
      [sends([checkpoint("t1"), change("t2", ChangeKind.ADDED, "b"), end])],
      { resumeFrom: state },
    );
    const seen = await all(states);
    assert.deepEqual(kinds(seen), ["changes", "end"]);
    assert.deepEqual(seen.map(ids)[0], ["a", "b"]);
    assert.equal(gateway.requests[0]?.resumeToken, "t1");
  });

  test("an interval that is no number is refused", async () => {
    const { states } = start([], { heartbeatIntervalMs: NaN });
    await assert.rejects(states.next(), RangeError);
  });
});

suite("cancellation", () => {
  test("break closes the connection", async () => {
    const { gateway, states } = start([silent([snapshot("t1")])]);
    for await (const state of states) {
      assert.equal(state.kind, "snapshot");
      break;
    }
    assert.equal(gateway.open, 1);
  });

  const ways: Record<string, (w: ReturnType<typeof start>) => unknown> = {
    "return while a message is awaited": ({ states }) => states.return?.(),
    "closing the client": ({ client }) => {
      client.close();
    },
  };
  for (const [name, cancel] of Object.entries(ways)) {
    test(name, async () => {
      const started = start([silent([snapshot("t1")])]);
      await next(started.states);
      const awaited = started.states.next();
      await cancel(started);
      assert.equal((await awaited).done, true);
      assert.ok(started.gateway.open <= 1);
    });
  }

  test("the signal ends the watch while it waits for the next call", async () => {
    const stop = new AbortController();
    const { gateway, states } = start([fails(unavailable)], {
      signal: stop.signal,
    });
    await next(states);
    const awaited = states.next();
    stop.abort();
    assert.equal((await awaited).done, true);
    assert.equal(gateway.open, 1);
    assert.equal(gateway.requests.length, 1);
  });

  test("a signal that is aborted already makes no call", async () => {
    const { gateway, states } = start([], { signal: AbortSignal.abort() });
    assert.equal((await states.next()).done, true);
    assert.equal(gateway.requests.length, 0);
  });
});
