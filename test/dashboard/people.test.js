// A conference with a thousand people.

import assert from "node:assert/strict";
import { test } from "node:test";

import { badge, focused } from "./browser.js";
import { harness } from "./harness.js";

const h = harness({ simulatorArgs: ["--max-participants", "2000"] });
const crowd = 1000;

async function fill() {
  for (let i = 0; i < crowd; i++) await h.simulator.put("conf_a", `Person ${i}`, `+1202557${String(i).padStart(4, "0")}`);
}

async function openCrowd(options) {
  await fill();
  const page = await h.open("conference=conf_a", options);
  await badge(page, "Live");
  await page.locator("#people-body .row").first().waitFor();
  await page.locator("#dialing").waitFor();
  return page;
}

/** Scrolls through the list for some frames, and returns how long each frame took, in milliseconds. */
const scrollFrames = (page, frames) => page.evaluate((number) => new Promise((resolve) => {
  const times = [];
  const step = (Math.max(document.documentElement.scrollHeight - innerHeight, 1)) / number;
  let last = performance.now();
  const next = (now) => {
    times.push(now - last);
    last = now;
    scrollBy(0, step);
    if (times.length < number) requestAnimationFrame(next);
    else resolve(times.slice(1));
  };
  requestAnimationFrame(next);
}), frames);

/**
 * Returns the processor time of the page while the list was scrolled, in milliseconds a frame. Real time would
 * depend on what else the computer does.
 */
async function scrollCost(page, frames) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  };
  const before = await busy();
  await scrollFrames(page, frames);
  return (await busy() - before) / frames;
}

test("a thousand people scroll at sixty frames a second", async () => {
  const page = await openCrowd();
  assert.equal(await page.locator("#people").getAttribute("aria-rowcount"), "1001");
  const cost = await scrollCost(page, 240);
  process.stdout.write(`# a frame took ${cost.toFixed(1)} ms of 16.7\n`);
  assert.ok(cost < 1000 / 60, `a frame took ${cost.toFixed(1)} ms`);
  assert.ok(await page.locator("#people-body .row").count() < 60);
  await page.locator("#people-body .row", { hasText: "Person 999" }).waitFor();
});

test("the keyboard reaches Dial, the list and its last row at once", async () => {
  const page = await openCrowd();
  await page.locator("#muted").focus();
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "BUTTON#dial");
  await page.locator('[data-sort="joined"]').focus();
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "BUTTON Mute Person 0");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "BUTTON Mute Person 1");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(page), "BUTTON Hold Person 1");
  await page.keyboard.press("End");
  assert.equal(await focused(page), "BUTTON Hold Person 999");
  await page.keyboard.press("Home");
  assert.equal(await focused(page), "BUTTON Hold Person 0");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.closest("#people-body")), null, "Tab leaves the list");
});

test("people are searched and sorted", async () => {
  const page = await openCrowd();
  await page.fill("#search", "person 77");
  await page.locator("#found", { hasText: "11 of 1000 people found" }).waitFor();
  await page.fill("#search", "202-557-0123");
  await page.locator("#found", { hasText: "1 of 1000 people found" }).waitFor();
  await page.fill("#search", "nobody");
  await page.locator("#nobody", { hasText: "Nobody matches the search." }).waitFor();
  await page.fill("#search", "");
  await page.click('[data-sort="name"]');
  await page.click('[data-sort="name"]');
  assert.equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "descending");
  assert.match(await page.locator("#people-body .row").first().textContent(), /^Person 999/);
});
