// Opens the dashboard in a browser.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

export function launch() {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** Opens the dashboard at a path, and collects what its console and scripts report as errors in `page.faults`. */
export async function open(context, address, query = "conference=conf_a") {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => {
    // Chromium reports each response with an error status, which is what some tests are about.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.faults.push(message.text());
  });
  await page.goto(`${address}/?${query}`);
  return page;
}

/** Waits for a text of the badge that says whether the page is live. */
export async function badge(page, text, timeout = 25_000) {
  await page.locator("#freshness-text", { hasText: text }).waitFor({ timeout });
}

/** Fills the form and presses Dial. */
export async function dial(page, number, name) {
  await page.fill("#phone_number", number);
  await page.fill("#name", name);
  await page.click("#dial");
}

/** Returns the element that has the focus, as `tag#id` and its label. */
export function focused(page) {
  return page.evaluate(() => {
    const { tagName, id, ariaLabel } = document.activeElement;
    return `${tagName}${id ? "#" + id : ""}${ariaLabel ? " " + ariaLabel : ""}`;
  });
}

/** Makes the page hidden, or shown again, as when its tab is. */
export async function setHidden(page, hidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Returns what axe finds, each as a rule and its elements. */
export async function axeFindings(page) {
  // The policy of the page forbids scripts of others; the tool that drives the browser may add them.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html.slice(0, 120) + " " + failureSummary).join(" | ")}`);
}
