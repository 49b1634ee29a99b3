import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, suite, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Code, GatewayError } from "@audian/conference";
import {
  BadRequestSchema,
  ErrorInfoSchema,
} from "../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../src/gen/google/rpc/status_pb.js";
import { elapse, FakeGateway, fakeTime, gatewayError } from "./fake.js";

beforeEach(fakeTime);
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

const violation = { field: "phone_number", description: "must be E.164" };

suite("errors", () => {
  test("the details of a call's error are typed", async () => {
    const error = new ConnectError("invalid", Code.InvalidArgument, {}, [
      {
        desc: ErrorInfoSchema,
        value: {
          domain: "participant-gateway",
          reason: "INVALID_REQUEST",
          metadata: { dialled: "no" },
        },
      },
      { desc: BadRequestSchema, value: { fieldViolations: [violation] } },
    ]);
    const gateway = new FakeGateway([], {
      addParticipant: () => Promise.reject(error),
    });
    const failure = await gateway
      .client()
      .service.addParticipant({})
      .catch((e: unknown) => e);
    assert.ok(failure instanceof GatewayError);
    assert.equal(failure.code, Code.InvalidArgument);
    assert.equal(failure.message, "invalid");
    assert.equal(failure.reason, "INVALID_REQUEST");
    assert.equal(failure.dialled, "no");
    assert.equal(failure.retryDelayMs, undefined);
    assert.equal(failure.fieldViolations[0]?.field, "phone_number");
  });

  test("an ErrorInfo of another domain gives no reason", () => {
    const details = [
      { desc: ErrorInfoSchema, value: { domain: "proxy", reason: "X" } },
    ];
    const error = new ConnectError("x", Code.Unavailable, {}, details);
    assert.equal(GatewayError.from(error).reason, "");
  });

  test("the status of a batch's entry becomes an error", () => {
    const info = create(ErrorInfoSchema, {
      domain: "participant-gateway",
      reason: "ADD_OUTCOME_UNKNOWN",
      metadata: { dialled: "unknown" },
    });
    const failure = GatewayError.fromStatus(
      create(StatusSchema, {
        code: Code.Unknown,
        message: "lost",
        details: [anyPack(ErrorInfoSchema, info)],
      }),
    );
    assert.equal(failure.code, Code.Unknown);
    assert.equal(failure.reason, "ADD_OUTCOME_UNKNOWN");
    assert.equal(failure.dialled, "unknown");
  });
});

suite("retries", () => {
  /** Makes a gateway whose lists and adds fail a number of times. */
  function failing(failures: number, error = gatewayError(Code.Unavailable)) {
    const calls = { count: 0 };
    const call = () => {
      calls.count++;
      if (calls.count <= failures) return Promise.reject(error);
      return Promise.resolve({});
    };
    const unary = { listParticipants: call, addParticipant: call };
    return { calls, client: new FakeGateway([], unary).client() };
  }

  test("a list is repeated while the gateway is unavailable", async () => {
    const { calls, client } = failing(3);
    const { ms } = await elapse(client.service.listParticipants({}));
    assert.equal(calls.count, 4);
    const shortest = 0.8 * (200 + 400 + 800);
    assert.ok(ms >= shortest && ms <= shortest + 100);
  });

  test("a list is tried four times at most", async () => {
    const { calls, client } = failing(4);
    await assert.rejects(elapse(client.service.listParticipants({})));
    assert.equal(calls.count, 4);
  });

  test("another error is not repeated", async () => {
    const { calls, client } = failing(1, gatewayError(Code.NotFound));
    await assert.rejects(elapse(client.service.listParticipants({})));
    assert.equal(calls.count, 1);
  });

  test("an add is never repeated", async () => {
    const { calls, client } = failing(1);
    await assert.rejects(elapse(client.service.addParticipant({})));
    assert.equal(calls.count, 1);
  });

  test("nothing is repeated while most calls fail", async () => {
    const { calls, client } = failing(Infinity);
    const list = () => elapse(client.service.listParticipants({}));
    await assert.rejects(list());
    await assert.rejects(list());
    calls.count = 0;
    await assert.rejects(list());
    assert.equal(calls.count, 1);
  });

  test("a caller who cancels does not wait", async () => {
    const { client } = failing(1);
    const stop = new AbortController();
    const call = client.service.listParticipants({}, { signal: stop.signal });
    stop.abort();
    await assert.rejects(call, { code: Code.Canceled });
  });
});
