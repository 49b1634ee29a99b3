//! The JSON of commands and output lines.

use audian_conference::proto::{Participant, ParticipantChange, ParticipantRole, ParticipantStatus};
use audian_conference::{Dialled, Error, Event, State};
use serde_json::{Map, Value, json};

/// Prints a line with the id of its command.
pub fn print(id: &str, mut line: Value) {
    line["id"] = id.into();
    println!("{line}");
}

pub fn text(command: &Value, field: &str) -> String {
    command[field].as_str().unwrap_or_default().to_owned()
}

pub fn flag(command: &Value, field: &str) -> bool {
    command[field].as_bool().unwrap_or_default()
}

pub fn texts(command: &Value, field: &str) -> Vec<String> {
    let values = command[field].as_array().map(Vec::as_slice).unwrap_or_default();
    values
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

pub fn statuses(command: &Value) -> Vec<ParticipantStatus> {
    let enum_of = |word: &String| ParticipantStatus::from_str_name(&name("PARTICIPANT_STATUS", word));
    texts(command, "statuses").iter().filter_map(enum_of).collect()
}

pub fn roles(command: &Value) -> Vec<ParticipantRole> {
    texts(command, "roles")
        .iter()
        .filter_map(|word| role(word))
        .collect()
}

pub fn role(word: &str) -> Option<ParticipantRole> {
    ParticipantRole::from_str_name(&name("PARTICIPANT_ROLE", word))
}

fn name(prefix: &str, word: &str) -> String {
    format!("{prefix}_{}", word.to_uppercase())
}

/// The REST word of an enum value.
pub fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}

fn status_word(status: ParticipantStatus, raw: Option<&str>) -> String {
    match (status, raw) {
        (ParticipantStatus::Unspecified, Some(raw)) => raw.to_owned(),
        _ => word(status.as_str_name(), "PARTICIPANT_STATUS_"),
    }
}

pub fn participant(p: &Participant) -> Value {
    json!({
        "id": p.id, "phone_number": p.phone_number, "name": p.name,
        "role": word(p.role().as_str_name(), "PARTICIPANT_ROLE_"),
        "status": status_word(p.status(), p.raw_status.as_deref()), "muted": p.muted,
    })
}

pub fn error(e: &Error) -> Value {
    let mut value = json!({"code": code(e), "reason": e.reason});
    if let Some(dialled) = e.dialled {
        value["dialled"] = if dialled == Dialled::No { "no" } else { "unknown" }.into();
    }
    if !e.field_violations.is_empty() {
        value["fields"] = e.field_violations.iter().map(|v| v.field.as_str()).collect();
    }
    if let Some(delay) = e.retry_delay {
        value["retry_after_ms"] = json!(delay.as_millis() as u64);
    }
    value
}

/// The code in gRPC's words: `InvalidArgument` is `INVALID_ARGUMENT`.
fn code(e: &Error) -> String {
    let mut words = String::new();
    for letter in format!("{:?}", e.code).chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_uppercase());
    }
    words
}

pub fn state(s: &State) -> Value {
    let mut value = json!({
        "roster": s.roster.iter().map(|(id, p)| (id.clone(), entry(p))).collect::<Map<_, _>>(),
        "fresh": s.fresh, "stale_reason": s.stale_reason, "total": s.total, "active": s.active,
    });
    let kind = match &s.event {
        Event::Snapshot(reason) => {
            value["reason"] = word(reason.as_str_name(), "SNAPSHOT_REASON_").into();
            "snapshot"
        }
        Event::Changes(changes) => {
            value["changes"] = changes.iter().map(change).collect();
            "changes"
        }
        Event::Freshness => "freshness",
        Event::Disconnected(e) => {
            value["error"] = error(e);
            "disconnected"
        }
        Event::End(reason) => {
            value["reason"] = word(reason.as_str_name(), "WATCH_END_REASON_").into();
            "end"
        }
        _ => "unknown",
    };
    value["state"] = kind.into();
    value
}

fn entry(p: &Participant) -> Value {
    let muted = if p.muted { "+muted" } else { "" };
    format!("{}{muted}", status_word(p.status(), p.raw_status.as_deref())).into()
}

fn change(c: &ParticipantChange) -> Value {
    let p = c.participant.clone().unwrap_or_default();
    let mut value = json!({
        "kind": word(c.kind().as_str_name(), "CHANGE_KIND_"), "participant": p.id,
        "status": status_word(p.status(), p.raw_status.as_deref()),
    });
    if c.previous_status.is_some() {
        value["previous_status"] = status_word(c.previous_status(), c.previous_raw_status.as_deref()).into();
    }
    value
}
