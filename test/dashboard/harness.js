// Runs tests with a gateway, a simulator and a browser.

import { after, afterEach, before } from "node:test";

import { launch, open } from "./browser.js";
import { Gateway, Network, Simulator } from "./servers.js";

const conferences = ["conf_a", "conf_b"];

/**
 * Starts a gateway, a simulator and a browser for the tests of a file. Pages see the gateway
 * through a network of their own, which `network` can make silent. After each test the
 * conferences are empty, and a fault that a page reported fails the test.
 */
export function harness({ simulatorArgs = [], gatewayArgs = [] } = {}) {
  const h = { pages: [] };
  before(async () => {
    h.simulator = await Simulator.start("--behaviour", "still", "--linger", "1h", "--conference", conferences.join(","), "--known-only", ...simulatorArgs);
    h.gateway = await Gateway.start(h.simulator, ...gatewayArgs);
    h.network = await Network.to(h.gateway.port);
    h.browser = await launch();
  });
  after(async () => {
    await h.browser?.close();
    await h.network?.stop();
    await h.gateway?.stop();
    await h.simulator?.stop();
  });
  afterEach(async () => {
    h.network.recover();
    await h.simulator.clearFaults();
    for (const conference of conferences) await h.simulator.empty(conference);
    const faults = h.pages.splice(0).flatMap(({ faults }) => faults);
    await Promise.all(h.browser.contexts().map((context) => context.close()));
    if (faults.length > 0) throw new Error("faults of the page: " + faults.join("; "));
  });

  /** Opens a page in a new context, or in one that is given. */
  h.open = async (query, { context, ...options } = {}) => {
    context ??= await h.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    const page = await open(context, h.network.address, query);
    h.pages.push(page);
    return page;
  };
  return h;
}
