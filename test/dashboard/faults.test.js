// Faults that were found by use.

import assert from "node:assert/strict";
import { test } from "node:test";

import { axeFindings, badge, dial, focused, setHidden } from "./browser.js";
import { harness } from "./harness.js";
import { until } from "./servers.js";

const h = harness();
const problem = (page) => page.locator("#add-problem");

test("an add whose answer is lost is dialled once", async () => {
  const page = await h.open();
  await badge(page, "Live");
  // The network lets the check pass, and loses the answer to the add.
  await page.route("**/participants", async (route) => {
    await route.fetch();
    if (route.request().postDataJSON().validate_only) await route.continue();
    else await route.abort();
  });
  await dial(page, "+1 (202) 555-0140", "Ada");
  await problem(page).filter({ hasText: "A phone may be ringing: look for Ada in the list first." }).waitFor();
  assert.equal(await h.simulator.dials("+12025550140"), 1);
  await page.unroute("**/participants");

  // A second attempt that fails before it is sent says nothing about the first.
  await page.route("**/participants", (route) => route.abort());
  await page.click("#dial");
  await problem(page).filter({ hasText: "The gateway cannot be reached. A phone may be ringing" }).waitFor();
  await page.unroute("**/participants");
  await page.click("#dial");
  await page.locator("#add-state", { hasText: "Calling Ada." }).waitFor();
  assert.equal(await h.simulator.dials("+12025550140"), 1, "the second click dialled again");
  assert.equal(await page.inputValue("#phone_number"), "");

  await dial(page, "+1 (202) 555-0140", "Ada");
  await until("the next add dials", async () => (await h.simulator.dials("+12025550140")) === 2);
});

test("a second call after an unknown outcome is made only when it is confirmed", async () => {
  const page = await h.open();
  await badge(page, "Live");
  await page.route("**/participants", (route) => (route.request().postDataJSON().validate_only ? route.continue() : route.abort()));
  await dial(page, "+12025550141", "Alan");
  await page.locator("#dial-anew").click();
  assert.match(await page.locator("#confirm-question").textContent(), /A phone may be ringing already. Make a second call to Alan\?/);
  await page.unroute("**/participants");
  const sent = page.waitForRequest((request) => request.url().endsWith("/participants") && !request.postDataJSON().validate_only);
  await page.click("#confirm-yes");
  assert.ok((await sent).postDataJSON().request_id);
});

test("two clicks make one call", async () => {
  const page = await h.open();
  await badge(page, "Live");
  await page.fill("#phone_number", "+12025550144");
  await page.locator("#dial").evaluate((button) => { for (let i = 0; i < 3; i++) button.click(); });
  await page.locator("#add-state", { hasText: "Calling +12025550144." }).waitFor();
  assert.equal(await h.simulator.dials("+12025550144"), 1);
});

test("nobody is called when the gateway cannot be reached", async () => {
  const page = await h.open();
  await badge(page, "Live");
  await page.route("**/participants", (route) => route.abort());
  await dial(page, "+12025550142", "Grace");
  await problem(page).filter({ hasText: "The gateway cannot be reached. Nobody was called." }).waitFor();
  assert.equal(await focused(page), "INPUT#phone_number");
});

test("six windows with streams do not let Dial hang and ring later", async () => {
  const context = await h.browser.newContext();
  const pages = [];
  for (let i = 0; i < 5; i++) {
    pages.push(await h.open(undefined, { context }));
    await badge(pages[i], "Live");
  }
  // The sixth takes the last of the six connections that a browser opens to a server.
  const last = await h.open(undefined, { context });
  await badge(last, "Live");
  await dial(last, "+12025550143", "Linus");
  await problem(last).filter({ hasText: "did not answer within 5 seconds" }).waitFor({ timeout: 10_000 });
  await problem(last).filter({ hasText: "Nobody was called." }).waitFor();

  for (const page of pages) await setHidden(page, true);
  await last.click("#dial");
  await last.locator("#add-state", { hasText: "Calling Linus." }).waitFor({ timeout: 3_000 });
  assert.equal(await h.simulator.dials("+12025550143"), 1);

  await setHidden(pages[0], false);
  await badge(pages[0], "Live", 5_000);
});

test("Remove asks first, and the focus stays in the list", async () => {
  const ids = [];
  for (const name of ["Ada", "Alan", "Grace"]) ids.push(await h.simulator.put("conf_b", name, `+1202555015${ids.length}`));
  const page = await h.open("conference=conf_b");
  const remove = (name) => page.getByRole("button", { name: `Remove ${name}` });
  await remove("Alan").click();
  assert.match(await page.locator("#confirm-question").textContent(), /^Remove .Alan. from the conference\?/);
  assert.equal(await focused(page), "BUTTON#confirm-no");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "BUTTON Remove Alan");
  assert.equal((await h.simulator.people("conf_b")).length, 3);

  await page.keyboard.press("Enter");
  await page.click("#confirm-yes");
  await until("Alan is removed", async () => (await h.simulator.people("conf_b")).find(({ id }) => id === ids[1]).status === "disconnected");
  await page.locator('.row[data-id="' + ids[1] + '"].gone').waitFor();
  assert.equal(await focused(page), "BUTTON Remove Alan");
  // The row goes when the pointer has left and a moment has passed.
  await page.mouse.move(5, 5);
  await remove("Alan").waitFor({ state: "detached" });
  assert.equal(await focused(page), "BUTTON Remove Grace");
  for (const id of [ids[0], ids[2]]) await h.simulator.leave("conf_b", id);
  await until("the focus is at the title", async () => (await focused(page)) === "H2#people-title");
});

test("rows do not move under the pointer", async () => {
  const ids = [];
  for (const name of ["Ada", "Alan", "Grace"]) ids.push(await h.simulator.put("conf_b", name, `+1202555016${ids.length}`));
  const page = await h.open("conference=conf_b");
  const grace = page.locator(`.row[data-id="${ids[2]}"]`);
  await grace.hover();
  const top = async () => (await grace.boundingBox()).y;
  const before = await top();
  await h.simulator.leave("conf_b", ids[0]);
  await h.simulator.put("conf_b", "Aaron", "+12025550169");
  await page.locator(".row.gone").waitFor();
  await page.locator(".row", { hasText: "Aaron" }).waitFor();
  assert.equal(await top(), before);
  await page.mouse.move(5, 5);
  await page.locator(".row.gone").waitFor({ state: "detached" });
  assert.match(await page.locator("#people-body .row").first().textContent(), /^Aaron/);
});

test("live is judged by what is heard", async () => {
  await h.simulator.put("conf_b", "Ada", "+12025550170");
  const page = await h.open("conference=conf_b");
  await badge(page, "Live");
  const duration = page.locator("#people-body .duration");
  await until("durations count", async () => (await duration.textContent()) > "0:02");
  h.network.silence();
  await badge(page, "No connection since");
  const frozen = await duration.textContent();
  await page.waitForTimeout(2_500);
  assert.equal(await duration.textContent(), frozen);
  h.network.recover();
  await badge(page, "Live");

  await h.simulator.fault({ kind: "status", operation: "list", status: 503, body: "html" });
  await badge(page, "Stale since");
  await badge(page, "the conference service has a fault");
  await h.simulator.clearFaults();
  await badge(page, "Live");
});

test("the page goes on after the gateway was restarted", async () => {
  const page = await h.open("conference=conf_a,conf_b");
  await badge(page, "Live");
  await h.gateway.stop();
  await badge(page, "No connection since");
  await h.gateway.restart();
  await badge(page, "Live");
  await h.simulator.put("conf_a", "After the restart", "+12025550171");
  await page.locator(".row", { hasText: "After the restart" }).waitFor();
});

test("errors are in words for people", async () => {
  const page = await h.open("conference=conf_missing");
  await page.locator("#problem", { hasText: "There is no conference with this name." }).waitFor();
  const other = await h.open();
  await badge(other, "Live");
  await dial(other, "12", "Ada");
  await problem(other).filter({ hasText: "This is not a possible phone number. Begin with +" }).waitFor();
  assert.equal(await h.simulator.dials("12"), 0);
});

test("names are shown as text, in their own direction", async () => {
  const name = "<img src=x> \u202Eאבג";
  const id = await h.simulator.put("conf_b", name, "+12025550172");
  const page = await h.open("conference=conf_b");
  assert.equal(await page.locator("#people-body bdi", { hasText: "<img" }).first().textContent(), name);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.locator("#recent").evaluate((details) => { details.open = true; });
  await h.simulator.setStatus("conf_b", id, "held");
  assert.equal(await page.locator("#changes bdi").first().textContent(), name);
});

for (const [width, height] of [[320, 640], [390, 844], [768, 1024], [1400, 900]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${width} px wide and ${colorScheme}: no sideways scrolling, and axe finds nothing`, async () => {
      for (const [i, status] of ["connected", "held", "dialing", "pending", "disconnected", "rejected"].entries()) {
        await h.simulator.put("conf_b", "W".repeat(60) + i, `+1202555018${i}`, status);
      }
      const page = await h.open("conference=conf_b,conf_a", { viewport: { width, height }, colorScheme });
      await badge(page, "Live");
      await page.locator("#dialing").waitFor();
      for (const details of await page.locator("details").all()) await details.evaluate((element) => { element.open = true; });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.deepEqual(await axeFindings(page), []);
    });
  }
}

// Times are longest with AM and PM.
for (const width of [320, 390, 768, 960, 1100, 1200, 1300, 1400]) {
  test(`${width} px wide: a row shows all its texts and buttons`, async () => {
    for (const [i, status] of ["connected", "held", "disconnected"].entries()) {
      await h.simulator.put("conf_b", `Person ${i}`, `+49301234567890${i}`, status, true);
    }
    const page = await h.open("conference=conf_b", { viewport: { width, height: 900 }, locale: "en-US" });
    await badge(page, "Live");
    await page.locator("#dialing").waitFor();
    await page.locator("#people-body .muted").first().waitFor();
    assert.deepEqual(await page.locator("#people-body .row").evaluateAll((rows) => rows.flatMap((row) => {
      const outer = row.getBoundingClientRect();
      return [...row.querySelectorAll("button, small, .chip, .role, .duration, .joined, .muted")].filter((part) => {
        const { left, right, top, bottom } = part.getBoundingClientRect();
        return left < outer.left || right > outer.right || top < outer.top || bottom > outer.bottom || part.scrollWidth > part.clientWidth + 1;
      }).map((part) => part.textContent);
    })), []);
  });
}

test("Dial can be reached at once on a phone and with the keyboard", async () => {
  for (let i = 0; i < 30; i++) await h.simulator.put("conf_a", `Person ${i}`, `+12025550${100 + i}`);
  const page = await h.open("conference=conf_a", { viewport: { width: 390, height: 844 } });
  await page.locator("#dialing").waitFor();
  await page.locator("#people-body .row").first().waitFor({ state: "attached" });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.locator("#dial-link").click();
  assert.equal(await focused(page), "INPUT#phone_number");

  const other = await h.open("conference=conf_a");
  await other.locator("#dialing").waitFor();
  await other.keyboard.press("Tab");
  assert.equal(await focused(other), "A#jump-to-dial");
  await other.keyboard.press("Enter");
  assert.equal(await focused(other), "INPUT#phone_number");
});
