// Takes the screenshots of the README: `make screenshots`.

import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

import { badge, launch, open } from "./browser.js";
import { Gateway, Simulator } from "./servers.js";

const folder = path.resolve(import.meta.dirname, "../../docs/images");
const maxBytes = 200_000;
/** How long the page watches before its picture has something to show, in milliseconds. */
const watched = 58_000;

const names = [
  "Amara Okafor", "Chloé Dubois", "Hiroshi Tanaka", "Fatima Zahra", "Liam Murphy", "Sofía García", "Kwame Mensah", "Mei-Ling Chen", "Noah Williams",
  "Priya Raman", "Omar Haddad", "Ingrid Larsen", "Lukas Novák", "Yara Khalil", "Diego Fernández", "Linh Nguyễn", "Zanele Dlamini", "Anaïs Laurent",
];
const conferences = { support_desk: 14, sales_weekly: 7, town_hall: 18, incident_42: 4 };
const views = [
  { file: "dashboard.png", query: "conference=support_desk", width: 1400, height: 880, colorScheme: "light" },
  { file: "dashboard-overview.png", query: "conference=support_desk,sales_weekly,town_hall,incident_42", width: 1400, height: 880, colorScheme: "dark" },
  { file: "dashboard-wall.png", query: "conference=support_desk,sales_weekly,town_hall,incident_42&wall=1", width: 1600, height: 900, colorScheme: "dark" },
  { file: "dashboard-phone.png", query: "conference=support_desk", width: 390, height: 844, colorScheme: "light" },
];

async function add(gateway, conference, i) {
  const response = await fetch(`${gateway.address}/v2/conferences/${conference}/participants`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ phone_number: `+12025550${100 + i}`, name: names[i], role: i % 6 === 0 ? "presenter" : "listener" }),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function take(page, { file }) {
  const target = path.join(folder, file);
  await page.screenshot({ path: target });
  const { size } = statSync(target);
  if (size > maxBytes) throw new Error(`${file} has ${size} bytes, more than ${maxBytes}`);
  console.log(`${path.relative(process.cwd(), target)} ${size} bytes`);
}

mkdirSync(folder, { recursive: true });
const simulator = await Simulator.start("--behaviour", "human", "--conference", Object.keys(conferences).join(","), "--time-scale", "2");
const gateway = await Gateway.start(simulator);
const browser = await launch();
try {
  const pages = [];
  for (const { query, width, height, colorScheme } of views) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: "en-GB" });
    pages.push(await open(context, gateway.address, query));
  }
  await badge(pages[0], "Live");
  for (const [conference, people] of Object.entries(conferences)) for (let i = 0; i < people; i++) await add(gateway, conference, i);
  await pages[0].waitForTimeout(watched);
  for (const [i, view] of views.entries()) await take(pages[i], view);
} finally {
  await browser.close();
  await gateway.stop();
  await simulator.stop();
}
