//! A scripted gateway in this process, without a network: with paused time, timers fire at once when
//! nothing else can happen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

pub use audian_conference::proto::watch_participants_response::Event;
use audian_conference::proto::*;
use audian_conference::{Builder, Client};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tower::service_fn;

mod generated {
    #![allow(clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/server/audian.conference.v2.rs"));
}
use generated::participant_service_server::{ParticipantService, ParticipantServiceServer};

pub type Message = WatchParticipantsResponse;

/// What the gateway does in one call of a watch.
pub enum Call {
    /// Sends messages, then ends OK or with the status.
    Ends(Vec<Message>, Result<(), Status>),
    /// Sends messages, then nothing more.
    Hangs(Vec<Message>),
    /// Does not respond.
    Silent,
}

/// What the gateway has seen. The times are those of Tokio's clock.
#[derive(Default)]
pub struct Seen {
    pub watches: Vec<(Instant, WatchParticipantsRequest)>,
    pub lists: Vec<Instant>,
    pub adds: Vec<Instant>,
    pub authorizations: Vec<Option<String>>,
    /// The number of connections that were opened.
    pub opened: usize,
    /// The number of connections that the client has closed.
    pub closed: usize,
    /// The number of watches whose stream has ended, also by a cancellation.
    pub streams_ended: usize,
}

#[derive(Clone, Default)]
pub struct Fake {
    seen: Arc<Mutex<Seen>>,
    watches: Arc<Mutex<VecDeque<Call>>>,
    /// The results of Lists and Adds. When it is empty, they succeed.
    failures: Arc<Mutex<VecDeque<Status>>>,
    changed: Arc<Notify>,
}

impl Fake {
    pub fn new(watches: impl IntoIterator<Item = Call>) -> Self {
        Fake {
            watches: Arc::new(Mutex::new(watches.into_iter().collect())),
            ..Default::default()
        }
    }

    pub fn failing(failures: impl IntoIterator<Item = Status>) -> Self {
        Fake {
            failures: Arc::new(Mutex::new(failures.into_iter().collect())),
            ..Default::default()
        }
    }

    pub fn client(&self) -> Client {
        self.builder().connect_lazy().unwrap()
    }

    pub fn builder(&self) -> Builder {
        let fake = self.clone();
        Client::builder_with(move || fake.channel())
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Waits until `condition` is true.
    pub async fn until(&self, condition: impl Fn(&Seen) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(&self.seen()) {
                return;
            }
            changed.await;
        }
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.changed.notify_waiters();
    }

    fn channel(&self) -> Channel {
        let fake = self.clone();
        Endpoint::from_static("http://fake").connect_with_connector_lazy(service_fn(move |_: Uri| {
            let (client, server) = duplex(64 * 1024);
            tokio::spawn(fake.clone().serve(server));
            async { Ok::<_, std::io::Error>(TokioIo::new(client)) }
        }))
    }

    async fn serve(self, connection: DuplexStream) {
        self.note(|seen| seen.opened += 1);
        let service = TowerToHyperService::new(ParticipantServiceServer::new(self.clone()));
        // It fails if the client closes the connection in the middle of a call.
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(connection), service)
            .await;
        self.note(|seen| seen.closed += 1);
    }

    fn authorize<T>(&self, request: &Request<T>) {
        let value = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        self.note(|seen| seen.authorizations.push(value.map(str::to_owned)));
    }

    fn result(&self) -> Result<(), Status> {
        self.failures.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}

/// Counts the end of a stream.
struct End(Fake);

impl Drop for End {
    fn drop(&mut self) {
        self.0.note(|seen| seen.streams_ended += 1);
    }
}

#[tonic::async_trait]
impl ParticipantService for Fake {
    async fn watch_participants(
        &self,
        request: Request<WatchParticipantsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<Message, Status>>>, Status> {
        self.authorize(&request);
        self.note(|seen| seen.watches.push((Instant::now(), request.into_inner())));
        let call = self.watches.lock().unwrap().pop_front();
        let messages = match call.expect("more calls than the script has") {
            Call::Ends(messages, Err(status)) if messages.is_empty() => return Err(status),
            Call::Ends(messages, end) => stream::iter(messages)
                .map(Ok)
                .chain(stream::iter(end.err()).map(Err))
                .boxed(),
            Call::Hangs(messages) => stream::iter(messages).map(Ok).chain(stream::pending()).boxed(),
            Call::Silent => std::future::pending().await,
        };
        let end = End(self.clone());
        Ok(Response::new(
            messages
                .inspect(move |_| {
                    let _ = &end;
                })
                .boxed(),
        ))
    }

    async fn list_participants(
        &self,
        request: Request<ListParticipantsRequest>,
    ) -> Result<Response<ListParticipantsResponse>, Status> {
        self.authorize(&request);
        self.note(|seen| seen.lists.push(Instant::now()));
        self.result().map(|()| {
            Response::new(ListParticipantsResponse {
                total: 7,
                ..Default::default()
            })
        })
    }

    async fn add_participant(
        &self,
        _: Request<AddParticipantRequest>,
    ) -> Result<Response<AddParticipantResponse>, Status> {
        self.note(|seen| seen.adds.push(Instant::now()));
        self.result()
            .map(|()| Response::new(AddParticipantResponse::default()))
    }
}

pub fn participant(id: &str) -> Participant {
    Participant {
        id: id.to_owned(),
        ..Default::default()
    }
}

fn message(token: &str, event: Event) -> Message {
    Message {
        resume_token: token.to_owned(),
        event: Some(event),
    }
}

pub fn snapshot(token: &str, ids: &[&str]) -> Message {
    let participants: Vec<_> = ids.iter().map(|id| participant(id)).collect();
    let snapshot = ParticipantSnapshot {
        total: Some(participants.len() as i32),
        active: Some(0),
        reason: SnapshotReason::Initial.into(),
        participants,
        observed_time: None,
    };
    message(token, Event::Snapshot(snapshot))
}

pub fn change(token: &str, kind: ChangeKind, participant: Participant) -> Message {
    let change = ParticipantChange {
        kind: kind.into(),
        participant: Some(participant),
        ..Default::default()
    };
    message(
        token,
        Event::Changes(ParticipantChanges {
            changes: vec![change],
            ..Default::default()
        }),
    )
}

pub fn checkpoint(token: &str, count: i32, stale_reason: &str) -> Message {
    let freshness = if stale_reason.is_empty() {
        Freshness::Fresh
    } else {
        Freshness::Stale
    };
    let checkpoint = Checkpoint {
        freshness: freshness.into(),
        stale_reason: stale_reason.to_owned(),
        participant_count: Some(count),
        ..Default::default()
    };
    message(token, Event::Checkpoint(checkpoint))
}

pub fn end() -> Message {
    message(
        "",
        Event::End(WatchEnd {
            reason: WatchEndReason::ConferenceGone.into(),
        }),
    )
}
