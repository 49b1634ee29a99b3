# What curl.sh does with JSON: the results of the conformance test, and the view of a watch.

def word: if (.status // "") == "" then "unspecified" else .status end;
def compact: with_entries(select(.value != null and .value != []));
def participant: {id, phone_number, name, role, status: word, muted} | compact;

# detail returns the detail of an error that is of this kind.
def detail($kind): .details | map(select(.["@type"] | endswith("." + $kind))) | .[0];

# error returns the result for the `error` object of an error body.
def error:
  {code: .status,
   reason: (detail("ErrorInfo").reason // ""),
   dialled: detail("ErrorInfo").metadata.dialled,
   fields: [detail("BadRequest").field_violations[]?.field],
   retry_after_ms: (detail("RetryInfo").retry_delay | if . then rtrimstr("s") | tonumber * 1000 | round else . end)}
  | compact;

def outcome: if .error then {error: .error | error} else {participant: .participant | participant} end;

# result returns the result for a whole response, which is null if it has no body.
def result: if . == null then {ok: true} elif .error then outcome else {participant: participant} end;

# result_of_pages returns the result for all pages of a list.
def result_of_pages: .[-1] as $last
  | if $last.error then $last | outcome
    else {participants: map(.participants[] | participant), pages: length} + ($last | {total, active}) end;

# result_of_batch returns the result for a line of a batch, or nothing.
def result_of_batch:
  if .accepted then {event: "accepted", count: .accepted.count}
  elif .result then {event: "result", index: .result.index} + (.result | outcome)
  elif .summary then {event: "summary"} + .summary
  elif .error then outcome
  else empty end;
