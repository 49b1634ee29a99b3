// Mute, hold, hang up and mute all; and what each role sees.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { axeFindings, badge } from "./browser.js";
import { harness } from "./harness.js";
import { Keys, until } from "./servers.js";

const keys = new Keys();
const tokens = Object.fromEntries(["viewer", "reader", "writer"].map((role) => [role, keys.add(role, role)]));
tokens.other = keys.add("other", "writer", "--conference", "conf_b");
const h = harness({ gatewayArgs: ["--auth=keys", "--auth-keys-file", keys.file] });
after(() => keys.remove());

let ada;

/** Opens the page as a caller. */
async function openAs(role) {
  ada = await h.simulator.put("conf_a", "Ada", "+12025550100");
  await h.simulator.put("conf_a", "Alan", "+12025550101");
  const page = await h.open();
  await page.fill("#token", tokens[role]);
  await page.click("#choose button");
  await badge(page, "Live");
  // The gateway may still know the people of an earlier test.
  await page.waitForFunction((id) => {
    const rows = [...document.querySelectorAll("#people-body .row:not(.gone)")];
    return rows.length === 2 && rows.some((row) => row.dataset.id === id);
  }, ada);
  return page;
}

const person = async () => (await h.simulator.people("conf_a")).find(({ id }) => id === ada);
const button = (page, name) => page.getByRole("button", { name, exact: true });

test("a person is muted, held and hung up on", async () => {
  const page = await openAs("writer");
  await button(page, "Mute Ada").click();
  await button(page, "Unmute Ada").waitFor();
  assert.equal((await person()).muted, true);
  await button(page, "Unmute Ada").click();
  await button(page, "Mute Ada").waitFor();
  await button(page, "Hold Ada").click();
  await button(page, "Resume Ada").waitFor();
  assert.equal((await person()).status, "held");
  await button(page, "Resume Ada").click();
  await button(page, "Hold Ada").waitFor();

  await button(page, "Hang up Ada").click();
  await page.click("#confirm-no");
  assert.equal((await person()).status, "connected");
  await button(page, "Hang up Ada").click();
  await page.click("#confirm-yes");
  await page.locator(".row", { hasText: "disconnected" }).waitFor();
  assert.equal((await person()).status, "disconnected");
  assert.equal(await button(page, "Hang up Ada").getAttribute("aria-disabled"), "true");
});

test("everybody is muted after a confirmation", async () => {
  const page = await openAs("writer");
  await page.click("#mute-all");
  await page.locator("#confirm-question", { hasText: "Mute 2 people?" }).waitFor();
  await page.click("#confirm-yes");
  await until("all are muted", async () => (await h.simulator.people("conf_a")).every(({ muted }) => muted));
});

test("a refused control says whom it concerns", async () => {
  const page = await openAs("writer");
  await h.simulator.fault({ kind: "status", operation: "control", status: 404, body: "vendor" });
  await button(page, "Mute Ada").click();
  await page.locator("#act-problem", { hasText: "Ada" }).filter({ hasText: "This person is no longer in the conference." }).waitFor();
});

for (const [role, number] of [["viewer", "+*******0100"], ["reader", "+12025550100"]]) {
  test(`a ${role} sees ${number} and no buttons`, async () => {
    const page = await openAs(role);
    await page.locator("#read-only", { hasText: "You may look at this conference, but not change it." }).waitFor();
    await page.locator("#people-body", { hasText: number }).waitFor();
    for (const hidden of ["#dial", "#batch", "#mute-all", "#dial-link", "#jump-to-dial"]) assert.equal(await page.locator(hidden).isVisible(), false, hidden);
    assert.equal(await page.locator("#people-body button:visible").count(), 0);
    assert.deepEqual(await axeFindings(page), []);
  });
}

test("a reader who becomes a viewer sees masked numbers, without a reload", async () => {
  const page = await openAs("reader");
  await page.locator("#people-body", { hasText: "+12025550100" }).waitFor();
  keys.changeRole("reader", "viewer");
  await page.locator("#people-body", { hasText: "+*******0100" }).waitFor();
  await badge(page, "Live");
  keys.changeRole("reader", "reader");
});

test("a caller without a token, with a wrong one, or without the conference sees why", async () => {
  const page = await h.open();
  const problem = (text) => page.locator("#problem", { hasText: text }).waitFor();
  await problem("This gateway needs a token. Enter yours above.");
  await page.fill("#token", "pgk_wrong");
  await page.click("#choose button");
  await problem("The gateway does not accept this token.");
  await page.fill("#token", tokens.other);
  await page.click("#choose button");
  await problem("Your token does not give you access to this conference.");
  assert.equal(await page.locator("#dial").isVisible(), false);
});

test("the token is kept for the tab only if the person chose so", async () => {
  const page = await openAs("writer");
  const kept = () => page.evaluate(() => JSON.stringify([sessionStorage, localStorage]));
  assert.equal((await kept()).includes("pgk_"), false);
  await page.click("#connection summary");
  await page.check("#keep");
  await page.click("#choose button");
  await badge(page, "Live");
  await page.reload();
  await badge(page, "Live");
  assert.equal(page.url().includes("pgk_"), false);
  await page.click("#connection summary");
  await page.uncheck("#keep");
  await page.click("#choose button");
  assert.equal((await kept()).includes("pgk_"), false);
});
