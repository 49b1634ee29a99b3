// Keeps the roster of a conference, for a page. show is called after each change with the roster and what
// the page should say beside it, if anything.
function watchConference(url, show) {
  const roster = new Map();
  let token = '';
  let source;
  let timer;

  function open() {
    source = new EventSource(`${url}?heartbeat_interval=15s&resume_token=${token}`);
    on('snapshot', ({ snapshot }) => {
      roster.clear();
      for (const p of snapshot.participants) roster.set(p.id, p);
      show(roster, '');
    });
    on('changes', ({ changes }) => {
      for (const { kind, participant } of changes.changes) {
        if (kind === 'removed' || kind === 'left_filter') roster.delete(participant.id);
        else roster.set(participant.id, participant);
      }
      show(roster, '');
    });
    on('checkpoint', ({ checkpoint }) => show(roster, checkpoint.stale_reason));
    on('end', () => stop('The conference has ended.'));
    source.addEventListener('failure', (e) => failed(JSON.parse(e.data).error));
    source.onerror = () => {
      show(roster, 'Connecting again …');
      // EventSource connects again by itself after a break, but gives up on a status other than 200.
      if (source.readyState === EventSource.CLOSED) learnWhy().catch(console.warn);
    };
    expectEvent();
  }

  function on(name, apply) {
    source.addEventListener(name, (e) => {
      expectEvent();
      const message = JSON.parse(e.data);
      token = message.resume_token;
      apply(message);
    });
  }

  // A connection can break without an error. After two heartbeats without an event, open another one. It
  // gives the position as resume_token, because only EventSource itself can send Last-Event-ID.
  function expectEvent() {
    clearTimeout(timer);
    timer = setTimeout(reopen, 30_000);
  }

  function reopen() {
    source.close();
    open();
  }

  // EventSource does not report why it gave up. The page asks once more, with fetch.
  async function learnWhy() {
    clearTimeout(timer);
    timer = setTimeout(reopen, 3_000);
    const response = await fetch(url);
    if (response.ok) await response.body.cancel();
    else failed((await response.json()).error);
  }

  function failed({ status, message }) {
    const final = ['INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED', 'UNAUTHENTICATED'];
    if (final.includes(status)) stop(message);
  }

  function stop(reason) {
    clearTimeout(timer);
    source.close();
    show(roster, reason);
  }

  open();
  return stop;
}
