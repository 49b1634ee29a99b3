use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Error;
use crate::proto::{Participant, ParticipantChange, SnapshotReason, WatchEndReason};

/// The [`State::stale_reason`] while there is no connection. All others come from the gateway.
pub const STALE_DISCONNECTED: &str = "DISCONNECTED";

/// The participants that pass the filters, by their id.
pub type Roster = BTreeMap<String, Participant>;

/// What is known about a conference at one time. Later states do not change it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// What this state reports.
    pub event: Event,
    /// The whole filtered roster after the event.
    pub roster: Arc<Roster>,
    /// Whether the roster is up to date.
    pub fresh: bool,
    /// Why the roster is not fresh: a reason of the gateway, or [`STALE_DISCONNECTED`]. Empty if it is.
    pub stale_reason: String,
    /// The number of participants in the whole conference, as last reported. `None` if not known.
    pub total: Option<i32>,
    /// The number of connected and held participants in the whole conference. `None` if not known.
    pub active: Option<i32>,
    /// The position of the roster. It belongs to this roster: store both or neither.
    pub token: String,
}

impl State {
    /// A state made of a stored token and roster, for
    /// [`WatchOptions::resume_from`](crate::WatchOptions::resume_from).
    pub fn stored(token: impl Into<String>, roster: Roster) -> Self {
        State {
            event: Event::Freshness,
            roster: Arc::new(roster),
            fresh: false,
            stale_reason: STALE_DISCONNECTED.to_owned(),
            total: None,
            active: None,
            token: token.into(),
        }
    }
}

/// What a [`State`] reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A new roster: at the start, or when the changes in between are unknown.
    Snapshot(SnapshotReason),
    /// The changes that led to this roster.
    Changes(Vec<ParticipantChange>),
    /// Only `fresh` or `stale_reason` changed.
    Freshness,
    /// The stream broke. The watch calls again by itself.
    Disconnected(Error),
    /// The conference no longer exists. This is the last state.
    End(WatchEndReason),
}
