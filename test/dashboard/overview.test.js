// Several conferences at once, their pictures, and the wall mode.

import assert from "node:assert/strict";
import { test } from "node:test";

import { axeFindings, badge, setHidden } from "./browser.js";
import { harness } from "./harness.js";
import { until } from "./servers.js";

const h = harness();
const card = (page, name) => page.locator(".card", { hasText: name });

/** Returns how many pixels of a picture have nearly the colour of a status. */
const pixels = (picture, variable) => picture.evaluate((canvas, name) => {
  const sample = document.createElement("canvas").getContext("2d");
  sample.fillStyle = getComputedStyle(canvas).getPropertyValue(name);
  sample.fillRect(0, 0, 1, 1);
  const wanted = sample.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) if ([0, 1, 2].every((j) => Math.abs(data[i + j] - wanted[j]) < 8) && data[i + 3] > 200) found++;
  return found;
}, variable);

test("each conference has a card, and one that is refused leaves the others alone", async () => {
  await h.simulator.put("conf_a", "Ada", "+12025550100");
  await h.simulator.put("conf_b", "Bob", "+12025550101", "held");
  await h.simulator.put("conf_b", "Ben", "+12025550102", "dialing");
  const page = await h.open("conference=conf_a,conf_b,conf_missing");
  await card(page, "conf_a").filter({ hasText: "Live" }).filter({ hasText: "1 connected" }).waitFor();
  await card(page, "conf_b").filter({ hasText: "Live" }).filter({ hasText: "1 held1 dialing" }).waitFor();
  await card(page, "conf_missing").filter({ hasText: "There is no conference with this name." }).waitFor();
  await page.locator("#people-body", { hasText: "Ada" }).waitFor();
  await card(page, "conf_b").getByRole("button").click();
  await page.locator("#people-body", { hasText: "Bob" }).waitFor();
  assert.equal(await page.locator("#title").textContent(), "conf_b");
  assert.equal(await card(page, "conf_b").getByRole("button").getAttribute("aria-pressed"), "true");
});

test("all conferences are watched over one stream", async () => {
  const streams = [];
  const context = await h.browser.newContext();
  context.on("request", (request) => { if (request.url().endsWith(":watch")) streams.push(request.postDataJSON()); });
  const page = await h.open("conference=conf_a,conf_b", { context });
  await badge(page, "Live");
  assert.deepEqual(streams.map(({ watches }) => watches.map(({ conference_id }) => conference_id)), [["conf_a", "conf_b"]]);

  // A hidden page has no stream; when it is shown again each conference goes on at its place.
  await setHidden(page, true);
  await badge(page, "No connection since");
  await setHidden(page, false);
  await badge(page, "Live");
  assert.equal(streams.length, 2);
  for (const { resume_token } of streams[1].watches) assert.match(resume_token, /^pgw/);
});

test("the picture shows who was in which status, and when nothing was heard", async () => {
  const id = await h.simulator.put("conf_a", "Ada", "+12025550100");
  const page = await h.open("conference=conf_a");
  await badge(page, "Live");
  const picture = page.locator("#strip");
  await until("Ada's lane is drawn", async () => (await pixels(picture, "--good-fill")) > 50);
  assert.equal(await pixels(picture, "--hold-fill"), 0);
  await h.simulator.setStatus("conf_a", id, "held");
  await until("the hold is drawn", async () => (await pixels(picture, "--hold-fill")) > 20);
  assert.match(await picture.getAttribute("aria-label"), /^Who was in which status since \d.*\. Now: 1 held\. 0 left\.$/);
  await h.simulator.leave("conf_a", id);
  await until("the words follow", async () => (await picture.getAttribute("aria-label")).endsWith("Now: nobody. 1 left."));
});

test("the picture of many people shows how many were in each status", async () => {
  for (let i = 0; i < 60; i++) await h.simulator.put("conf_a", `Person ${i}`, `+12025570${100 + i}`, i % 2 ? "held" : "connected");
  const page = await h.open("conference=conf_a");
  await badge(page, "Live");
  const share = async () => (await pixels(page.locator("#strip"), "--good-fill")) / (await pixels(page.locator("#strip"), "--hold-fill"));
  await until("half of the band is held", async () => Math.abs((await share()) - 1) < 0.1);
});

test("the wall mode shows the cards alone, in large type", async () => {
  const page = await h.open("conference=conf_a,conf_b&wall=1", { viewport: { width: 1920, height: 1080 } });
  await card(page, "conf_a").filter({ hasText: "Live" }).waitFor();
  assert.equal(await page.locator("#people").isVisible(), false);
  assert.ok(await card(page, "conf_a").locator(".big").evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize)) > 80);
  assert.deepEqual(await axeFindings(page), []);
  await page.keyboard.press("Escape");
  await page.locator("#people").waitFor();
  assert.equal(page.url().includes("wall"), false);
});

test("the colours can be chosen", async () => {
  const page = await h.open("conference=conf_a", { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.selectOption("#theme", "dark");
  assert.notEqual(await ground(), light);
  await page.reload();
  assert.notEqual(await ground(), light);
});
