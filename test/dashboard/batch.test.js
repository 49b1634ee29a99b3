// Many people are added: checked, called, cancelled, and gone on with.

import assert from "node:assert/strict";
import { test } from "node:test";

import { badge } from "./browser.js";
import { harness } from "./harness.js";

const h = harness({ simulatorArgs: ["--max-participants", "1000"] });

const number = (i) => `+1202556${String(i).padStart(4, "0")}`;
const lines = (from, to) => Array.from({ length: to - from }, (_, i) => `${number(from + i)}, Person ${from + i}`).join("\n");
const state = (page, text, timeout = 20_000) => page.locator("#batch-state", { hasText: text }).waitFor({ timeout });
const problem = (page, text) => page.locator("#batch-problem", { hasText: text }).waitFor();

async function check(page, text) {
  await badge(page, "Live");
  await page.locator("#dialing").waitFor();
  await page.locator("#batch").evaluate((details) => { details.open = true; });
  await page.fill("#batch-text", text);
  await page.click("#batch-check");
}

async function begin(page) {
  await page.click("#batch-start");
  await page.click("#confirm-yes");
}

test("a line for each person, and a bar that counts", async () => {
  const page = await h.open();
  await check(page, "Number, Name, Role\n" + lines(100, 125));
  await state(page, "25 people checked. The calls will take 3 seconds.");
  assert.equal(await h.simulator.dials(number(100)), 0);
  await page.click("#batch-start");
  await page.locator("#confirm-question", { hasText: "Call 25 people into conf_a now? Their phones will ring." }).waitFor();
  await page.click("#confirm-yes");
  await page.locator("#batch-left", { hasText: /^[1-9]\d* of 25, .* left$/ }).waitFor();
  await state(page, "25 people were called.");
  assert.equal(await page.locator('#batch-lines [data-outcome="added"]').count(), 25);
  assert.equal(await page.locator("#batch-bar").evaluate(({ value, max }) => value === max), true);
  for (let i = 100; i < 125; i++) assert.equal(await h.simulator.dials(number(i)), 1);
});

test("nobody is called while a line is wrong", async () => {
  const page = await h.open();
  await check(page, `${number(130)}, Ada\nno number\n${number(130)}, Alan`);
  await problem(page, "2 lines need to be corrected. Nobody was called.");
  await page.locator("#batch-lines li", { hasText: "The number is on line 1 already." }).waitFor();

  await check(page, `${number(130)}, Ada\n12345, Alan`);
  await problem(page, "Some lines need to be corrected. Nobody was called.");
  await page.locator("#batch-lines li", { hasText: "Alan" }).filter({ hasText: "This is not a possible phone number." }).waitFor();
  assert.equal(await page.locator("#batch-start").isVisible(), false);

  await check(page, `${number(130)}, Ada`);
  await state(page, "1 person checked.");
  await page.fill("#batch-text", `${number(131)}, Ada`);
  assert.equal(await page.locator("#batch-start").isVisible(), false, "what is called must be what was checked");
  assert.equal(await h.simulator.dials(number(130)), 0);
});

test("a file is read", async () => {
  const page = await h.open();
  await check(page, "");
  await problem(page, "Enter the people to call, one a line.");
  await page.setInputFiles("#batch-file", { name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(`phone;name\n${number(140)};Zoë`) });
  await page.click("#batch-check");
  await page.locator("#batch-lines li", { hasText: "Zoë" }).waitFor();
  await state(page, "1 person checked.");
});

test("a cancelled batch calls nobody more, and can go on", async () => {
  const page = await h.open();
  await check(page, lines(200, 240));
  await begin(page);
  await page.locator("#batch-left", { hasText: /^[1-9]\d* of 40, .* left$/ }).waitFor();
  await page.click("#batch-cancel");
  await problem(page, "Cancelled.");
  const called = (await h.simulator.people("conf_a")).length;
  assert.ok(called < 40, `${called} were called`);
  await page.click("#batch-start");
  await state(page, "40 people were called.");
  for (let i = 200; i < 240; i++) assert.equal(await h.simulator.dials(number(i)), 1);
});

test("a batch goes on by itself after the connection was lost", async () => {
  const page = await h.open();
  await check(page, lines(300, 340));
  await begin(page);
  await page.locator("#batch-left", { hasText: /^[1-9]\d* of 40, .* left$/ }).waitFor();
  h.network.cut();
  await state(page, "40 people were called.", 30_000);
  for (let i = 300; i < 340; i++) assert.equal(await h.simulator.dials(number(i)), 1);
});

test("a batch goes on by itself after the network was silent", async () => {
  const page = await h.open();
  await check(page, lines(500, 540));
  await begin(page);
  await page.locator("#batch-left", { hasText: /^[1-9]\d* of 40, .* left$/ }).waitFor();
  h.network.silence();
  await state(page, "Trying to go on");
  h.network.recover();
  await state(page, "40 people were called.", 30_000);
  for (let i = 500; i < 540; i++) assert.equal(await h.simulator.dials(number(i)), 1);
});

test("a gateway that was restarted calls nobody twice", async () => {
  const page = await h.open();
  await check(page, lines(600, 640));
  await begin(page);
  await page.locator("#batch-left", { hasText: /^[1-9]\d* of 40, .* left$/ }).waitFor();
  await h.gateway.stop();
  await h.gateway.restart();
  await problem(page, "The gateway no longer knows these calls. Check who is missing in the list");
  assert.equal(await page.locator("#batch-start").isVisible(), false);
  for (let i = 600; i < 640; i++) assert.ok((await h.simulator.dials(number(i))) <= 1);
});

test("a person whose call failed has a line that says why", async () => {
  const page = await h.open();
  await check(page, lines(400, 402));
  await h.simulator.fault({ kind: "status", operation: "add", status: 403, body: "vendor", times: 1 });
  await begin(page);
  await state(page, "1 person was called, 1 failed.");
  assert.equal(await page.locator('#batch-lines [data-outcome="failed"]').count(), 1);
  assert.equal(await page.locator("#batch-start").isVisible(), false, "what was refused is not offered again");
});

test("people who were surely not called can be called again", async () => {
  const page = await h.open();
  await check(page, lines(410, 412));
  await h.simulator.stop();
  await begin(page);
  await state(page, "0 people were called, 2 failed.", 30_000);
  await h.simulator.restart();
  await page.locator("#batch-start", { hasText: "Call 2 people again" }).click();
  await state(page, "2 people were called.", 30_000);
});
