//! Client of the participant gateway: watch a telephone conference, add and remove participants.
//!
//! [`Client::watch`] is a stream of the conference's states that survives lost and silent connections.
//! [`Client::service`] is the generated stub, for all other calls. Errors are [`Error`] values with the
//! gateway's details: `?` converts a [`tonic::Status`].
//!
//! A client needs a Tokio runtime.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod backoff;
mod client;
mod error;
mod retry;
mod roster;
mod state;
mod transport;
mod watch;

pub use client::{Builder, Client, Stub};
pub use error::{Dialled, Error, FieldViolation, reason};
pub use state::{Event, Roster, STALE_DISCONNECTED, State};
pub use transport::{BoxError, Transport};
pub use watch::{Watch, WatchOptions};

#[allow(missing_docs, clippy::all, rustdoc::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

/// The generated messages and enums of `audian.conference.v2`.
pub use generated::audian::conference::v2 as proto;
/// The generated messages of `google.rpc`: the details of an error.
pub use generated::google::rpc;

/// Compiles the sample of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
