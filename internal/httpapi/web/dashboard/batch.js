// The form that calls many people: checked first, then called, with a line for each.

import { batchAdd, newRequestID } from "./api.js";
import { confirmed } from "./confirm.js";
import { byID, element, isolated, setText, showText } from "./dom.js";
import { maxEntries, parseEntries } from "./entries.js";
import { APIError, textOf, violationText } from "./errors.js";
import { count, delay, secondsOf } from "./format.js";
import { SilenceTimer } from "./silence.js";
import { events } from "./sse.js";

/** How often a lost stream is opened again, and after which pause in milliseconds. */
const attempts = 10;
const attemptPause = 1_500;

export class BatchForm {
  #target;
  #lines = [];
  #batch = null;
  #abort = null;

  /** `target()` returns the conference and the token. */
  constructor(target) {
    this.#target = target;
    byID("batch-text").addEventListener("input", () => this.#reset());
    byID("batch-file").addEventListener("change", (event) => this.#readFile(event.target));
    byID("batch-check").addEventListener("click", () => this.#check());
    byID("batch-start").addEventListener("click", () => this.#start());
    byID("batch-cancel").addEventListener("click", () => this.#abort.abort());
    // Leaving the page cancels the rest of a batch.
    addEventListener("beforeunload", (event) => { if (!byID("batch-cancel").hidden) event.preventDefault(); });
  }

  async #readFile(input) {
    if (input.files.length === 0) return;
    byID("batch-text").value = await input.files[0].text();
    this.#reset();
  }

  #reset() {
    this.#batch = null;
    byID("batch-start").hidden = true;
    byID("batch-progress").hidden = true;
    byID("batch-lines").replaceChildren();
    this.#show("");
  }

  /** Checks the text here and then by the gateway. Nobody is called. */
  async #check() {
    this.#reset();
    const people = parseEntries(byID("batch-text").value);
    this.#lines = people.map(({ entry, line, problem }) => newLine(entry, line, problem));
    byID("batch-lines").replaceChildren(...this.#lines);
    const wrong = people.filter(({ problem }) => problem).length;
    if (people.length === 0) this.#show("", "Enter the people to call, one a line.");
    else if (people.length > maxEntries) this.#show("", `These are ${people.length} people. At most ${maxEntries} can be called at once.`);
    else if (wrong > 0) this.#show("", `${count(wrong, "line needs", "lines need")} to be corrected. Nobody was called.`);
    else await this.#checkByGateway(people.map(({ entry }) => entry));
  }

  async #checkByGateway(entries) {
    const { conference, token } = this.#target();
    const text = byID("batch-text").value;
    this.#show("Checking …");
    try {
      const response = await batchAdd(conference, token, { entries, validate_only: true }, AbortSignal.timeout(10_000));
      const accepted = (await events(response).next()).value.data.accepted;
      if (byID("batch-text").value !== text) return;
      this.#batch = { conference, token, request: { request_id: newRequestID(), entries }, sent: false };
      this.#show(`${count(entries.length, "person", "people")} checked. The calls will take ${delay(secondsOf(accepted.expected_duration))}.`);
      this.#offer(`Call ${count(entries.length, "person", "people")}`);
    } catch (error) {
      this.#showRefusal(error);
    }
  }

  #showRefusal(error) {
    const violations = error instanceof APIError ? error.violations : [];
    for (const violation of violations) {
      const line = this.#lines[Number(/^entries\[(\d+)\]/.exec(violation.field)?.[1])];
      if (line) setOutcome(line, "failed", violationText(violation));
    }
    const text = violations.length > 0 ? "Some lines need to be corrected." : textOf(error);
    this.#show("", `${text} Nobody was called.`);
  }

  #offer(text) {
    setText(byID("batch-start"), text);
    byID("batch-start").hidden = false;
  }

  async #start() {
    const { conference, request, sent } = this.#batch;
    const many = count(request.entries.length, "person", "people");
    if (!sent && !(await confirmed(`Call ${many} into ${conference} now? Their phones will ring.`, `Call ${many}`))) return;
    this.#setBusy(true);
    this.#abort = new AbortController();
    try {
      this.#finish(await this.#runToEnd(this.#abort.signal));
    } catch (error) {
      this.#stopped(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** Opens the stream until it ends with a summary. */
  async #runToEnd(signal) {
    for (let attempt = 1; ; attempt++) {
      try {
        const summary = await this.#runOnce(signal);
        if (summary) return summary;
        throw new TypeError("the stream was cut");
      } catch (error) {
        const final = signal.aborted || (error instanceof APIError && !error.mayRetry) || attempt === attempts;
        if (final) throw error;
        this.#show(`${textOf(error)} Trying to go on …`);
        await new Promise((resolve) => setTimeout(resolve, attemptPause));
      }
    }
  }

  /** Reads one stream. It returns the summary, or null if the stream was cut. */
  async #runOnce(signal) {
    const timer = new SilenceTimer();
    try {
      const response = await this.#open(timer.signalWith(signal));
      for await (const { event, data } of events(response, () => timer.heard())) {
        if (event === "failure") throw new APIError(data.error.code, data.error);
        if (event === "summary") return data.summary;
        this.#receive(event, data);
      }
      return null;
    } finally {
      timer.end();
    }
  }

  /** Opens the stream. What may have been sent once is only resumed: a gateway that was restarted in between calls nobody again. */
  async #open(signal) {
    const { conference, token, request, sent } = this.#batch;
    this.#batch.sent = true;
    try {
      return await batchAdd(conference, token, { ...request, resume: sent }, signal);
    } catch (error) {
      if (error.dialled === "no") this.#batch.sent = sent;
      throw error;
    }
  }

  #receive(event, data) {
    if (event === "accepted") this.#showProgress(0, data.accepted.count, data.accepted.expected_duration);
    if (event === "result") this.#showResult(data.result);
    if (event === "progress") this.#showProgress(data.progress.done, data.progress.total, data.progress.remaining_time);
  }

  #showResult({ index, participant, error }) {
    const line = this.#lines[index];
    const failure = error && new APIError(error.code, error);
    if (failure) setOutcome(line, failure.dialled === "no" ? "failed" : "unknown", textOf(failure), mayCallAgain(failure));
    else setOutcome(line, "added", participant.status === "pending" ? "calling" : "called");
    const done = this.#lines.filter(({ dataset }) => dataset.outcome !== "waiting").length;
    this.#showProgress(done, this.#lines.length);
  }

  #showProgress(done, total, remaining) {
    const bar = byID("batch-bar");
    bar.max = total;
    bar.value = done;
    byID("batch-progress").hidden = false;
    // Results come ten a second between two reports of the time that remains.
    const seconds = remaining === undefined ? (total - done) / 10 : secondsOf(remaining);
    setText(byID("batch-left"), `${done} of ${total}` + (done < total ? `, ${delay(seconds)} left` : ""));
  }

  #finish({ added, failed, unknown }) {
    const parts = [`${count(added, "person was", "people were")} called`];
    if (failed > 0) parts.push(`${failed} failed`);
    if (unknown > 0) parts.push(`${unknown} unknown: a phone may be ringing`);
    this.#show(parts.join(", ") + ".");
    const again = this.#lines.filter(({ dataset }) => dataset.retry).length;
    if (again > 0) this.#offer(`Call ${count(again, "person", "people")} again`);
  }

  #stopped(error) {
    const waiting = this.#lines.filter(({ dataset }) => dataset.outcome === "waiting").length;
    const reason = this.#abort.signal.aborted ? "Cancelled." : textOf(error);
    this.#show("", `${reason} ${count(waiting, "person has", "people have")} no result yet. Calls that were made go on.`);
    if (waiting > 0 && error.reason !== "BATCH_UNKNOWN") this.#offer("Go on");
  }

  #setBusy(busy) {
    byID("batch-check").hidden = busy;
    byID("batch-cancel").hidden = !busy;
    byID("batch-text").readOnly = busy;
    byID("batch-file").disabled = busy;
    if (busy) {
      byID("batch-start").hidden = true;
      this.#show("Calling …");
      for (const line of this.#lines) if (line.dataset.retry) setOutcome(line, "waiting", "waiting");
    }
    byID(busy ? "batch-cancel" : "batch-check").focus();
  }

  #show(state, problem = "") {
    showText(byID("batch-state"), state);
    showText(byID("batch-problem"), problem);
  }
}

function newLine(entry, line, problem) {
  const made = element("li", "", element("b", "", isolated(entry.name || entry.phone_number || `Line ${line}`)), " ");
  if (entry.name) made.append(isolated(entry.phone_number), " ");
  made.append(element("span", "outcome"));
  setOutcome(made, problem ? "failed" : "waiting", problem || "ready");
  return made;
}

/** Reports whether the gateway sends an entry again when the batch goes on: it is certain that nobody was called. */
function mayCallAgain({ status, dialled }) {
  return dialled === "no" && (status === 429 || status === 503);
}

/** Shows what became of a line: waiting, added, failed or unknown. */
function setOutcome(line, outcome, text, retry = false) {
  line.dataset.outcome = outcome;
  if (retry) line.dataset.retry = "yes";
  else delete line.dataset.retry;
  setText(line.lastChild, text);
}
