//! What a call returned, as the conformance test prints it.

use openapi::apis::Error;
use openapi::models::{self, Participant};
use serde_json::{json, Value};

/// A result, or the description of an error.
pub type Outcome = Result<Value, Value>;

/// The outcome of a call that returns a participant.
pub fn one<T>(result: Result<Participant, Error<T>>) -> Outcome {
    result
        .map(|found| json!({"participant": participant(found)}))
        .map_err(error)
}

/// The outcome of a control. The client reports a response without a participant (204) as an error of
/// decoding, although the control has succeeded.
pub fn control<T>(result: Result<Participant, Error<T>>) -> Outcome {
    match result {
        Err(Error::Serde(_)) => Ok(json!({"ok": true})),
        other => one(other),
    }
}

/// The outcome of a call that returns nothing.
pub fn none<T>(result: Result<(), Error<T>>) -> Outcome {
    result.map(|()| json!({"ok": true})).map_err(error)
}

pub fn participant(p: Participant) -> Value {
    let status = if p.status.is_empty() {
        "unspecified"
    } else {
        &p.status
    };
    json!({
        "id": p.id, "phone_number": p.phone_number, "name": p.name,
        "role": p.role, "status": status, "muted": p.muted,
    })
}

/// Describes a failed call. One that got no error body of the gateway is UNAVAILABLE.
pub fn error<T>(failure: Error<T>) -> Value {
    if let Error::ResponseError(response) = failure {
        if let Ok(body) = serde_json::from_str::<models::Error>(&response.content) {
            return describe(*body.error);
        }
    }
    json!({"code": "UNAVAILABLE", "reason": ""})
}

fn describe(body: models::ErrorBody) -> Value {
    let mut described = json!({"code": body.status, "reason": ""});
    for detail in body.details {
        match detail.at_type.rsplit('.').next() {
            Some("ErrorInfo") => {
                described["reason"] = json!(detail.reason);
                described["dialled"] = json!(detail.metadata.and_then(|metadata| metadata.dialled));
            }
            Some("BadRequest") => {
                let violations = detail.field_violations.into_iter().flatten();
                described["fields"] = violations.map(|violation| violation.field).collect();
            }
            Some("RetryInfo") => {
                described["retry_after_ms"] = json!(detail.retry_delay.as_deref().and_then(millis))
            }
            _ => {}
        }
    }
    described
}

/// The milliseconds of a duration like `1.5s`.
fn millis(duration: &str) -> Option<u64> {
    let seconds: f64 = duration.strip_suffix('s')?.parse().ok()?;
    Some((seconds * 1000.0) as u64)
}
