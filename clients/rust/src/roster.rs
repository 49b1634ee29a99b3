use std::sync::Arc;

use tonic::Code;

use crate::proto::watch_participants_response::Event as Message;
use crate::proto::{
    ChangeKind, Checkpoint, Freshness, ParticipantChange, ParticipantSnapshot, WatchParticipantsResponse,
};
use crate::{Error, Event, Roster, STALE_DISCONNECTED, State, reason};

/// Applies the messages of a watch, over all its calls.
#[derive(Default)]
pub(crate) struct Position {
    roster: Arc<Roster>,
    total: Option<i32>,
    active: Option<i32>,
    pub(crate) token: String,
    /// What the gateway last reported: whether the roster is stale, and why.
    stale: bool,
    stale_reason: String,
    /// The freshness of the last state. `None` before the first one.
    given: Option<(bool, String)>,
}

impl From<State> for Position {
    fn from(state: State) -> Self {
        let stale = !state.fresh && state.stale_reason != STALE_DISCONNECTED;
        Position {
            roster: state.roster,
            total: state.total,
            active: state.active,
            token: state.token,
            stale,
            stale_reason: if stale { state.stale_reason } else { String::new() },
            given: None,
        }
    }
}

impl Position {
    /// Applies a message, and returns the state that it leads to. A heartbeat without news has none.
    /// After an error, the next call begins with a snapshot.
    pub(crate) fn apply(&mut self, message: WatchParticipantsResponse) -> Result<Option<State>, Error> {
        let event = match message.event {
            Some(Message::Snapshot(snapshot)) => Some(self.replace(snapshot)),
            Some(Message::Changes(changes)) => Some(self.change(changes.changes)),
            Some(Message::Checkpoint(checkpoint)) => self.check(checkpoint)?,
            Some(Message::End(end)) => Some(Event::End(end.reason())),
            // A newer gateway may have other events.
            None => None,
        };
        // The token comes last, so that it is never ahead of the roster.
        self.token = message.resume_token;
        Ok(event.map(|event| self.state(event, !self.stale, self.stale_reason.clone())))
    }

    /// The state after a broken connection.
    pub(crate) fn disconnected(&mut self, error: Error) -> State {
        self.state(Event::Disconnected(error), false, STALE_DISCONNECTED.to_owned())
    }

    fn replace(&mut self, snapshot: ParticipantSnapshot) -> Event {
        let reason = snapshot.reason();
        self.roster = Arc::new(
            snapshot
                .participants
                .into_iter()
                .map(|p| (p.id.clone(), p))
                .collect(),
        );
        self.total = snapshot.total;
        self.active = snapshot.active;
        Event::Snapshot(reason)
    }

    fn change(&mut self, changes: Vec<ParticipantChange>) -> Event {
        // This copies the roster only if the caller still has a state with it.
        let roster = Arc::make_mut(&mut self.roster);
        for change in &changes {
            let Some(participant) = &change.participant else {
                continue;
            };
            match change.kind() {
                ChangeKind::Removed | ChangeKind::LeftFilter => roster.remove(&participant.id),
                _ => roster.insert(participant.id.clone(), participant.clone()),
            };
        }
        Event::Changes(changes)
    }

    fn check(&mut self, checkpoint: Checkpoint) -> Result<Option<Event>, Error> {
        self.stale = checkpoint.freshness() != Freshness::Fresh;
        self.stale_reason = checkpoint.stale_reason;
        self.total = checkpoint.total.or(self.total);
        self.active = checkpoint.active.or(self.active);
        self.check_size(checkpoint.participant_count)?;
        let news = self
            .given
            .as_ref()
            .is_none_or(|(fresh, stale_reason)| *fresh == self.stale || *stale_reason != self.stale_reason);
        Ok(news.then_some(Event::Freshness))
    }

    fn check_size(&mut self, expected: Option<i32>) -> Result<(), Error> {
        let size = self.roster.len();
        match expected {
            Some(expected) if usize::try_from(expected) != Ok(size) => {
                self.token.clear();
                let message = format!("the roster has {size} participants, the gateway's has {expected}");
                Err(Error::new(Code::DataLoss, reason::ROSTER_MISMATCH, message))
            }
            _ => Ok(()),
        }
    }

    fn state(&mut self, event: Event, fresh: bool, stale_reason: String) -> State {
        self.given = Some((fresh, stale_reason.clone()));
        State {
            event,
            roster: Arc::clone(&self.roster),
            fresh,
            stale_reason,
            total: self.total,
            active: self.active,
            token: self.token.clone(),
        }
    }
}
