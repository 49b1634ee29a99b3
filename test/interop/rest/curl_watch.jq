# The view of a watch: what it knows about the conference. `known` is the freshness that the gateway last
# reported, `shown` that of the last state. `called` is whether the present call got a message. `verdict`
# is what to do next: go (read on), again (call again after `delay` ms) or stop.
include "curl";

def final: IN("INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "UNAUTHENTICATED", "FAILED_PRECONDITION",
  "UNIMPLEMENTED", "OUT_OF_RANGE", "ALREADY_EXISTS");

def fresh: {fresh: true, stale_reason: ""};

# new_view returns the view at the start; $earlier is an earlier view or null.
def new_view($earlier):
  {token: "", roster: {}, shown: fresh} + ($earlier // {} | {token, roster, shown} | compact)
  + {known: fresh, totals: {}, connected: true, called: false};

def words: map_values(word + if .muted then "+muted" else "" end);

def emit($state; $freshness; $more):
  .shown = $freshness | .results += [{state: $state, roster: (.roster | words)} + $freshness + .totals + $more];

def count($event): if $event.total == null then . else .totals = ($event | {total, active}) end;

def apply_change($change): $change.participant as $p
  | if $change.kind | IN("removed", "left_filter") then del(.roster[$p.id]) else .roster[$p.id] = $p end;

def change: {kind, participant: .participant.id, status: (.participant | word), previous_status};

def snapshot($snapshot):
  .roster = ($snapshot.participants | map({(.id): .}) | add // {})
  | count($snapshot) | emit("snapshot"; .known; $snapshot | {reason});

def changes($changes):
  reduce $changes[] as $change (.; apply_change($change)) | emit("changes"; .known; {changes: $changes | map(change)});

# broken reports a break once.
def broken($error):
  .verdict = "again" | .delay = ($error.retry_after_ms // 0)
  | if .connected then .connected = false | emit("disconnected"; {fresh: false, stale_reason: "DISCONNECTED"}; {$error})
    else . end;

def checkpoint($checkpoint):
  count($checkpoint)
  | if $checkpoint.participant_count | . == null or . == ($checkpoint.size) then .
    else .token = "" | broken({code: "DATA_LOSS", reason: "ROSTER_MISMATCH"}) end
  | .known = ($checkpoint | {fresh: (.freshness == "fresh"), stale_reason})
  | if .verdict == "go" and .known != .shown then emit("freshness"; .known; {}) else . end;

def ended($event): emit("end"; .known; $event | {reason}) | .verdict = "stop" | .results += [{done: true}];

def apply($message):
  .connected = true | .called = true | .token = $message.resume_token
  | if $message.snapshot then snapshot($message.snapshot)
    elif $message.changes then changes($message.changes.changes)
    elif $message.checkpoint then (.roster | length) as $size | checkpoint($message.checkpoint + {$size})
    elif $message.end then ended($message.end)
    else . end;

# fail takes an error. A credential that was refused later is replaced, if there is a spare one.
def fail($error; $spare): ($error.code == "UNAUTHENTICATED" and .called and $spare) as $renew
  | if ($error.code | final) and ($renew | not) then .verdict = "stop" | .results += [{$error}]
    else .renew = $renew | broken($error) end;

# step returns the view after a line of the stream.
def step($line; $spare):
  . + {results: [], verdict: "go", delay: 0, renew: false}
  | ($line | fromjson? // {error: {status: "UNAVAILABLE", details: []}}) as $message
  | if $message.error then fail($message.error | error; $spare) else apply($message) end;
