use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt, unfold};
use tonic::{Code, Streaming};

use crate::backoff::{Backoff, is_final};
use crate::client::stub;
use crate::proto::{ParticipantRole, ParticipantStatus, WatchParticipantsRequest, WatchParticipantsResponse};
use crate::roster::Position;
use crate::transport::{Connection, Link, Transport};
use crate::{Error, Event, State, reason};

const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(5);
const LONGEST_INTERVAL: prost_types::Duration = prost_types::Duration {
    seconds: i64::MAX,
    nanos: 0,
};

/// What [`Client::watch`](crate::Client::watch) watches. A participant must pass all filters; an empty
/// filter lets everybody pass.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// Only participants with one of these statuses.
    pub statuses: Vec<ParticipantStatus>,
    /// Only participants with one of these roles.
    pub roles: Vec<ParticipantRole>,
    /// Only participants with one of these ids, which need not exist yet.
    pub participant_ids: Vec<String>,
    /// The longest time between two messages of the gateway: 5 s to 60 s. A connection without a
    /// message for twice this time is replaced. Default: 15 s.
    pub heartbeat_interval: Duration,
    /// An earlier state of the same conference to go on from. If the gateway no longer has the changes
    /// after it, or the filters differ, the first state is a snapshot.
    pub resume_from: Option<State>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            statuses: Vec::new(),
            roles: Vec::new(),
            participant_ids: Vec::new(),
            heartbeat_interval: Duration::from_secs(15),
            resume_from: None,
        }
    }
}

/// The stream of [`Client::watch`](crate::Client::watch). Dropping it cancels the call.
#[must_use = "streams do nothing unless polled"]
pub struct Watch(Pin<Box<dyn Stream<Item = Result<State, Error>> + Send>>);

impl Watch {
    pub(crate) fn new(link: Arc<Link>, conference: String, options: WatchOptions) -> Self {
        let watcher = Watcher::new(link, conference, options);
        let states = unfold(watcher, async |mut watcher| {
            Some((watcher.next().await?, watcher))
        });
        Watch(Box::pin(states.fuse()))
    }
}

impl Stream for Watch {
    type Item = Result<State, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// A watch over all its calls.
struct Watcher {
    link: Arc<Link>,
    request: WatchParticipantsRequest,
    /// The longest wait for a message.
    silence: Duration,
    position: Position,
    backoff: Backoff,
    /// The present call. `None` before it begins.
    call: Option<Call>,
    /// How long to wait before the next call.
    wait: Option<Duration>,
    /// Whether no message came since the last [`Event::Disconnected`].
    broken: bool,
    ended: bool,
}

/// One call of the stream.
struct Call {
    connection: Connection,
    /// `None` until the gateway responds.
    messages: Option<Streaming<WatchParticipantsResponse>>,
    /// Whether a message came.
    progressed: bool,
}

impl Watcher {
    fn new(link: Arc<Link>, conference: String, options: WatchOptions) -> Self {
        let heartbeat = options.heartbeat_interval;
        Watcher {
            link,
            request: WatchParticipantsRequest {
                conference_id: conference,
                resume_token: String::new(),
                statuses: options.statuses.into_iter().map(i32::from).collect(),
                roles: options.roles.into_iter().map(i32::from).collect(),
                participant_ids: options.participant_ids,
                // A longer interval than this type can hold is out of range for the gateway too.
                heartbeat_interval: Some(heartbeat.try_into().unwrap_or(LONGEST_INTERVAL)),
            },
            silence: heartbeat.max(SHORTEST_HEARTBEAT).saturating_mul(2),
            position: options.resume_from.map(Position::from).unwrap_or_default(),
            backoff: Backoff::default(),
            call: None,
            wait: None,
            broken: false,
            ended: false,
        }
    }

    /// The next state. `None` after the end, or after an error.
    async fn next(&mut self) -> Option<Result<State, Error>> {
        while !self.ended {
            if let Some(wait) = self.wait.take() {
                tokio::time::sleep(wait).await;
            }
            let result = match self.step().await {
                Ok(state) => state.map(Ok),
                Err(error) => self.fail(error),
            };
            if result.is_some() {
                return result;
            }
        }
        None
    }

    /// Receives and applies one message.
    async fn step(&mut self) -> Result<Option<State>, Error> {
        let message = self.receive().await?;
        self.backoff.reset();
        self.broken = false;
        let state = self.position.apply(message)?;
        if let Some(State {
            event: Event::End(_), ..
        }) = state
        {
            self.ended = true;
            self.call = None;
        }
        Ok(state)
    }

    /// The next message of the present call, or of a new one. The timer runs only while this waits.
    async fn receive(&mut self) -> Result<WatchParticipantsResponse, Error> {
        let call = match &mut self.call {
            Some(call) => call,
            None => {
                self.request.resume_token.clone_from(&self.position.token);
                self.call.insert(Call::new(self.link.connection()))
            }
        };
        match tokio::time::timeout(self.silence, call.receive(&self.link, &self.request)).await {
            Ok(result) => result,
            Err(_) => {
                self.link.replace(&call.connection);
                let message = format!("no message for {} s", self.silence.as_secs());
                Err(Error::new(Code::Unavailable, reason::SILENT, message))
            }
        }
    }

    /// Ends the present call. Returns the state or the error to give: one state for each break,
    /// however many calls fail after it.
    fn fail(&mut self, error: Error) -> Option<Result<State, Error>> {
        let progressed = self.call.take().is_some_and(|call| call.progressed);
        let expired =
            error.code == Code::Unauthenticated && progressed && self.link.has_credential_function();
        if is_final(error.code) && !expired {
            self.ended = true;
            return Some(Err(error));
        }
        self.wait = Some(self.backoff.next(&error));
        if std::mem::replace(&mut self.broken, true) {
            return None;
        }
        Some(Ok(self.position.disconnected(error)))
    }
}

impl Call {
    fn new(connection: Connection) -> Self {
        Call {
            connection,
            messages: None,
            progressed: false,
        }
    }

    async fn receive(
        &mut self,
        link: &Arc<Link>,
        request: &WatchParticipantsRequest,
    ) -> Result<WatchParticipantsResponse, Error> {
        let messages = match &mut self.messages {
            Some(messages) => messages,
            None => {
                let mut stub = stub(Transport::on(Arc::clone(link), self.connection.clone()));
                let response = stub.watch_participants(request.clone()).await?;
                self.messages.insert(response.into_inner())
            }
        };
        let message = messages.message().await?.ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                reason::STREAM_ENDED,
                "the stream ended before its last message",
            )
        })?;
        self.progressed = true;
        Ok(message)
    }
}
