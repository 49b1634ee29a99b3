// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanNumber, parseEntries } from "../../internal/httpapi/web/dashboard/entries.js";
import { APIError, textOf } from "../../internal/httpapi/web/dashboard/errors.js";
import { History, statusAt } from "../../internal/httpapi/web/dashboard/history.js";
import { Liveness } from "../../internal/httpapi/web/dashboard/liveness.js";
import { Order } from "../../internal/httpapi/web/dashboard/order.js";
import { events } from "../../internal/httpapi/web/dashboard/sse.js";

test("numbers are cleaned of what people write between digits", () => {
  assert.equal(cleanNumber(" +1 (202) 555-0100 "), "+12025550100");
  assert.equal(cleanNumber("+44.20\u201179460000"), "+442079460000");
});

test("people are read from CSV, tables and plain lines", () => {
  const person = (phone_number, name, role = "listener", muted = false) => ({ phone_number, name, role, muted });
  for (const [text, want] of [
    ["+12025550100", person("+12025550100", "")],
    ["+12025550100, Ada, presenter", person("+12025550100", "Ada", "presenter")],
    ["Ada\t+1 202 555 0100\tmuted", person("+12025550100", "Ada", "listener", true)],
    ["Number;Name\n+12025550100;Ada, of London", person("+12025550100", "Ada, of London")],
    ['+12025550100,"Ada, ""of"" London",Operator', person("+12025550100", 'Ada, "of" London', "operator")],
    ["\n  \n+12025550100,Ada\r\n", person("+12025550100", "Ada")],
  ]) {
    assert.deepEqual(parseEntries(text).map(({ entry }) => entry), [want], text);
    assert.equal(parseEntries(text)[0].problem, "", text);
  }
});

test("a line that cannot be used says why", () => {
  const problems = parseEntries("+12025550100,Ada\nAlan,presenter\n+1 202 555 0100,Grace\n+12025550101,Linus,boss").map(({ line, problem }) => [line, problem]);
  assert.deepEqual(problems, [
    [1, ""],
    [2, "There is no phone number on this line."],
    [3, "The number is on line 1 already."],
    [4, "“boss” is neither a role nor “muted”."],
  ]);
});

test("liveness needs something heard, not the absence of an error", () => {
  const liveness = new Liveness();
  assert.equal(liveness.state(0), "connecting");
  liveness.heard({ snapshot: {} }, 1_000);
  assert.equal(liveness.state(13_000), "live");
  assert.equal(liveness.trueUntil(13_000), 13_000);
  assert.equal(liveness.state(13_001), "lost");
  assert.equal(liveness.trueUntil(99_000), 1_000);
  liveness.heard({ checkpoint: { freshness: "stale", stale_reason: "UPSTREAM_TIMEOUT", last_success_time: null } }, 20_000);
  assert.equal(liveness.text(20_000), "Stale: the conference service does not answer");
  liveness.heard({ changes: {} }, 21_000);
  assert.equal(liveness.state(21_000), "stale");
  liveness.heard({ checkpoint: { freshness: "fresh" } }, 22_000);
  assert.equal(liveness.text(22_000), "Live");
  liveness.heard({ end: {} }, 23_000);
  liveness.lost();
  assert.equal(liveness.state(99_000), "ended");
});

const people = (...list) => new Map(list.map(([id, name, status]) => [id, { id, name, status, phone_number: "+1202555" + id, role: "listener", joined_at: null }]));

test("people are sorted and searched", () => {
  const order = new Order();
  const roster = people(["1", "Zoe", "connected"], ["2", "Ada", "dialing"], ["3", "Alan", "connected"]);
  const names = () => order.arrange(roster).map(({ person }) => person.name);
  assert.deepEqual(names(), ["Alan", "Zoe", "Ada"]);
  order.sortBy("name");
  assert.deepEqual(names(), ["Ada", "Alan", "Zoe"]);
  order.sortBy("name");
  assert.deepEqual(names(), ["Zoe", "Alan", "Ada"]);
  order.search = "a";
  assert.deepEqual(names(), ["Alan", "Ada"]);
  order.search = "202-555-1";
  assert.deepEqual(names(), ["Zoe"]);
});

test("a frozen order moves nobody", () => {
  const order = new Order();
  order.arrange(people(["1", "Ada", "connected"], ["2", "Alan", "connected"], ["3", "Zoe", "connected"]));
  order.frozen = true;
  const rows = order.arrange(people(["1", "Ada", "held"], ["3", "Zoe", "connected"], ["4", "Aaron", "connected"]));
  assert.deepEqual(rows.map(({ id, gone }) => [id, gone]), [["1", false], ["2", true], ["3", false], ["4", false]]);
  order.frozen = false;
  assert.deepEqual(order.arrange(people(["3", "Zoe", "connected"], ["4", "Aaron", "connected"])).map(({ id }) => id), ["4", "3"]);
});

test("the history knows who was in which status, and forgets", () => {
  const history = new History();
  const ada = { id: "1", name: "Ada", status: "dialing" };
  const minute = 60_000;
  history.showAll([ada], 0);
  history.show(ada, "connected", minute);
  history.showAll([], 2 * minute);
  const { parts } = history.lanes.get("1");
  assert.deepEqual([0, 1, 2].map((at) => statusAt(parts, at * minute)), ["dialing", "connected", ""]);
  assert.deepEqual(history.countsAt(minute), { connected: 1 });
  history.setLive(false, 3 * minute);
  history.setLive(true, 4 * minute);
  assert.deepEqual(history.gaps, [[3 * minute, 4 * minute]]);
  history.prune(13 * minute);
  assert.equal(history.lanes.size, 0);
  history.prune(14 * minute);
  assert.deepEqual(history.gaps, []);
});

test("events are read across the borders of chunks", async () => {
  const chunks = ["retry: 1\nevent: sna", 'pshot\ndata: {"a":', "1}\n", '\nevent: end\ndata: {"b":"ü"}\n\n'];
  const body = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  let heard = 0;
  const read = [];
  for await (const event of events({ body }, () => heard++)) read.push(event);
  assert.deepEqual(read, [{ event: "snapshot", data: { a: 1 } }, { event: "end", data: { b: "ü" } }]);
  assert.equal(heard, 4);
});

test("errors are in words for people", () => {
  const error = (reason, metadata = {}, ...more) => new APIError(500, { message: "raw words", details: [{ "@type": "x.ErrorInfo", reason, metadata }, ...more] });
  assert.equal(textOf(new TypeError("fetch failed")), "The gateway cannot be reached.");
  assert.equal(textOf(error("CREDENTIAL_MISSING")), "This gateway needs a token. Enter yours above.");
  assert.equal(textOf(error("ADD_OUTCOME_UNKNOWN", { dialled: "unknown" })), "The conference service did not say whether it made the call. A phone may be ringing.");
  assert.equal(textOf(error("NEW_REASON", { upstream_request_id: "req_1" })), "Raw words. (Reference: req_1)");
  assert.equal(textOf(error("CALLER_RATE_LIMITED", {}, { "@type": "x.RetryInfo", retry_delay: "12.2s" })), "That was too fast. Try again in 13 seconds.");
});
