use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};

use crate::rpc;

/// The domain of the gateway's reasons.
const DOMAIN: &str = "participant-gateway";

/// The reasons of errors that this crate makes itself. All other reasons come from the gateway, which
/// lists them in its `docs/errors.md`.
pub mod reason {
    /// `UNAVAILABLE`: the stream got no message for two heartbeat intervals.
    pub const SILENT: &str = "SILENT";
    /// `UNAVAILABLE`: the stream ended OK before its last message.
    pub const STREAM_ENDED: &str = "STREAM_ENDED";
    /// `DATA_LOSS`: the roster has another size than the gateway says.
    pub const ROSTER_MISMATCH: &str = "ROSTER_MISMATCH";
    /// `UNAVAILABLE`: the credential function failed.
    pub const CREDENTIAL_UNAVAILABLE: &str = "CREDENTIAL_UNAVAILABLE";
}

/// A failed call, with the details of the gateway.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Error {
    /// The gRPC code.
    pub code: Code,
    /// A text for people.
    pub message: String,
    /// The stable reason of the gateway or of this crate ([`reason`]). Empty if the error comes from
    /// neither, for example from a closed connection.
    pub reason: String,
    /// Further data about the reason, for example `upstream_request_id`.
    pub metadata: BTreeMap<String, String>,
    /// Whether a phone may ring. `None` if the error does not say: it is not about an add, or it does
    /// not come from the gateway.
    pub dialled: Option<Dialled>,
    /// The invalid fields of an `INVALID_ARGUMENT`.
    pub field_violations: Vec<FieldViolation>,
    /// How long to wait before the next try. `None` if the error does not say.
    pub retry_delay: Option<Duration>,
}

/// Whether a phone may ring because of an add that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// Surely no phone rings because of this call.
    No,
    /// A phone may ring. Do not add the participant again before a list or a watch shows that they are
    /// not there.
    Unknown,
}

/// An invalid field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field, for example `entries[3].phone_number`.
    pub field: String,
    /// What the field must be.
    pub description: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: ", self.code)?;
        if !self.reason.is_empty() {
            write!(f, "{}: ", self.reason)?;
        }
        f.write_str(&self.message)
    }
}

impl StdError for Error {}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let mut error = Error::new(status.code(), "", message_of(&status));
        // Details that cannot be decoded come from something else than the gateway.
        if let Ok(decoded) = rpc::Status::decode(status.details()) {
            error.add_details(&decoded.details);
        }
        error
    }
}

/// The error of one entry of a batch.
impl From<rpc::Status> for Error {
    fn from(status: rpc::Status) -> Self {
        let mut error = Error::new(Code::from(status.code), "", status.message);
        error.add_details(&status.details);
        error
    }
}

impl Error {
    pub(crate) fn new(code: Code, reason: &str, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
            reason: reason.to_owned(),
            metadata: BTreeMap::new(),
            dialled: None,
            field_violations: Vec::new(),
            retry_delay: None,
        }
    }

    fn add_details(&mut self, details: &[prost_types::Any]) {
        for detail in details {
            if let Some(info) = unpack::<rpc::ErrorInfo>(detail, "google.rpc.ErrorInfo") {
                self.add_info(info);
            } else if let Some(request) = unpack::<rpc::BadRequest>(detail, "google.rpc.BadRequest") {
                self.field_violations
                    .extend(request.field_violations.into_iter().map(FieldViolation::from));
            } else if let Some(info) = unpack::<rpc::RetryInfo>(detail, "google.rpc.RetryInfo") {
                self.retry_delay = info.retry_delay.and_then(|delay| delay.try_into().ok());
            }
        }
    }

    fn add_info(&mut self, info: rpc::ErrorInfo) {
        if info.domain != DOMAIN {
            return;
        }
        self.dialled = match info.metadata.get("dialled").map(String::as_str) {
            Some("no") => Some(Dialled::No),
            Some(_) => Some(Dialled::Unknown),
            None => None,
        };
        self.reason = info.reason;
        self.metadata = info.metadata.into_iter().collect();
    }
}

impl From<rpc::bad_request::FieldViolation> for FieldViolation {
    fn from(violation: rpc::bad_request::FieldViolation) -> Self {
        FieldViolation {
            field: violation.field,
            description: violation.description,
        }
    }
}

/// The message of a status. One that tonic made for a broken connection leaves out the cause.
fn message_of(status: &Status) -> String {
    let mut root = status.source();
    while let Some(cause) = root.and_then(StdError::source) {
        root = Some(cause);
    }
    match root.map(ToString::to_string) {
        Some(cause) if !status.message().contains(&cause) => format!("{}: {cause}", status.message()),
        _ => status.message().to_owned(),
    }
}

fn unpack<M: Message + Default>(detail: &prost_types::Any, name: &str) -> Option<M> {
    let type_name = detail.type_url.rsplit('/').next()?;
    if type_name == name {
        M::decode(detail.value.as_slice()).ok()
    } else {
        None
    }
}

/// A status with a reason of this crate, which becomes an [`Error`] with this reason.
pub(crate) fn status_with_reason(code: Code, reason: &str, message: &str) -> Status {
    let info = rpc::ErrorInfo {
        reason: reason.to_owned(),
        domain: DOMAIN.to_owned(),
        ..Default::default()
    };
    let detail = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
        value: info.encode_to_vec(),
    };
    let status = rpc::Status {
        code: code as i32,
        message: message.to_owned(),
        details: vec![detail],
    };
    Status::with_details(code, message, status.encode_to_vec().into())
}
