// Runs page.js, the page of docs/watch.md, with the package eventsource in place of a browser's EventSource.
const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

globalThis.EventSource = require('eventsource').EventSource;
vm.runInThisContext(readFileSync(path.join(__dirname, 'page.js'), 'utf8'));

/** Returns the first roster that the page shows, or what it says instead. */
function firstShown(conference) {
  return new Promise((resolve) => {
    const url = `${process.env.BASE_URL}/conferences/${conference}/participants:watch`;
    const stop = watchConference(url, (roster, problem) => {
      if (problem === 'Connecting again …') return;
      resolve(problem || [...roster.keys()]);
      if (!problem) stop('done');
    });
  });
}

async function main() {
  if (process.env.AUTH === 'none') {
    assert((await firstShown('conf_demo')).length > 0);
    assert.strictEqual(await firstShown('conf_unknown'), 'conference not found');
  } else {
    assert.match(await firstShown('conf_demo'), /token is required/);
  }
}

main().then(() => process.exit(0));
