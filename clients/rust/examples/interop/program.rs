//! The commands.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audian_conference::proto::*;
use audian_conference::{Client, Error, Stub, WatchOptions};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Code;

use crate::json::{self, flag, text};
use crate::streams::{self, States};

/// The credentials of a client. The next one counts from the moment when one is refused.
#[derive(Default)]
pub struct Credentials {
    keys: Vec<String>,
    refused: AtomicUsize,
}

impl Credentials {
    fn current(&self) -> String {
        let last = self.keys.len().saturating_sub(1);
        self.keys
            .get(self.refused.load(Ordering::Relaxed).min(last))
            .cloned()
            .unwrap_or_default()
    }

    pub fn refused(&self, error: &Error) {
        if error.code == Code::Unauthenticated {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A watch or a batch.
struct Task {
    stop: oneshot::Sender<()>,
    handle: JoinHandle<()>,
}

#[derive(Default)]
pub struct Program {
    client: Option<Client>,
    credentials: Arc<Credentials>,
    tasks: HashMap<String, Task>,
    states: States,
}

impl Program {
    /// Runs a command and prints its outcome.
    pub async fn run(&mut self, command: &Value) {
        let id = text(command, "id");
        let line = match self.call(&id, command).await {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => {
                self.credentials.refused(&error);
                json!({"error": json::error(&error)})
            }
        };
        json::print(&id, line);
    }

    pub async fn stop_all(&mut self) {
        for (_, task) in self.tasks.drain() {
            stop(task).await;
        }
    }

    /// Returns the line to print. `None` if the call prints its lines by itself.
    async fn call(&mut self, id: &str, command: &Value) -> Result<Option<Value>, Error> {
        let call = text(command, "call");
        match call.as_str() {
            "connect" => self.connect(command).map(Some),
            "stop" => {
                if let Some(task) = self.tasks.remove(&text(command, "watch")) {
                    stop(task).await;
                }
                Ok(Some(json!({"ok": true})))
            }
            "watch" => {
                let watch = self
                    .client()?
                    .watch(text(command, "conference"), self.watch_options(command));
                let (states, credentials) = (Arc::clone(&self.states), Arc::clone(&self.credentials));
                self.spawn(id, streams::watch(id.to_owned(), watch, states, credentials));
                Ok(None)
            }
            "batch" => {
                let stub = self.client()?.service();
                self.spawn(id, streams::batch(id.to_owned(), stub, batch_request(command)));
                Ok(None)
            }
            "list" => list(self.client()?.service(), command).await.map(Some),
            _ => unary(self.client()?.service(), &call, command).await.map(Some),
        }
    }

    fn client(&self) -> Result<Client, Error> {
        self.client
            .clone()
            .ok_or_else(|| tonic::Status::failed_precondition("not connected").into())
    }

    fn connect(&mut self, command: &Value) -> Result<Value, Error> {
        let mut builder = Client::builder(text(command, "target"));
        self.credentials = Arc::default();
        if command["credentials"].is_array() {
            let keys = json::texts(command, "credentials");
            self.credentials = Arc::new(Credentials {
                keys,
                ..Default::default()
            });
            let credentials = Arc::clone(&self.credentials);
            builder = builder.credential(move || ready(Ok(credentials.current())));
        } else if let Some(key) = command["credential"].as_str() {
            builder = builder.key(key);
        }
        self.client = Some(builder.connect_lazy()?);
        Ok(json!({"ok": true}))
    }

    fn watch_options(&self, command: &Value) -> WatchOptions {
        let defaults = WatchOptions::default();
        let states = self.states.lock().ok();
        WatchOptions {
            statuses: json::statuses(command),
            roles: json::roles(command),
            participant_ids: json::texts(command, "participant_ids"),
            heartbeat_interval: command["heartbeat_s"]
                .as_u64()
                .map_or(defaults.heartbeat_interval, Duration::from_secs),
            resume_from: states.and_then(|states| states.get(&text(command, "continue")).cloned()),
        }
    }

    /// Runs a call in the background until it ends or is stopped.
    fn spawn(&mut self, id: &str, call: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let (stop, stopped) = oneshot::channel();
        let task_id = id.to_owned();
        let handle = tokio::spawn(async move {
            let result = tokio::select! {
                result = call => result,
                _ = stopped => Ok(()),
            };
            let line = match result {
                Ok(()) => json!({"done": true}),
                Err(error) => json!({"error": json::error(&error)}),
            };
            json::print(&task_id, line);
        });
        self.tasks.insert(id.to_owned(), Task { stop, handle });
    }
}

async fn stop(task: Task) {
    // Both fail only if the task has ended already.
    let _ = task.stop.send(());
    let _ = task.handle.await;
}

fn batch_request(command: &Value) -> BatchAddParticipantsRequest {
    let entries = command["entries"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    BatchAddParticipantsRequest {
        conference_id: text(command, "conference"),
        entries: entries.iter().map(batch_entry).collect(),
        request_id: text(command, "request_id"),
        resume: flag(command, "resume"),
        ..Default::default()
    }
}

fn batch_entry(entry: &Value) -> BatchEntry {
    BatchEntry {
        phone_number: text(entry, "phone_number"),
        name: text(entry, "name"),
        role: json::role(&text(entry, "role")).unwrap_or_default().into(),
        ..Default::default()
    }
}

async fn list(mut stub: Stub, command: &Value) -> Result<Value, Error> {
    let mut request = ListParticipantsRequest {
        conference_id: text(command, "conference"),
        statuses: json::statuses(command).into_iter().map(i32::from).collect(),
        roles: json::roles(command).into_iter().map(i32::from).collect(),
        page_size: command["page_size"].as_i64().unwrap_or_default() as i32,
        page_token: String::new(),
    };
    let mut participants = Vec::new();
    for pages in 1.. {
        let page = stub.list_participants(request.clone()).await?.into_inner();
        participants.extend(page.participants.iter().map(json::participant));
        if page.next_page_token.is_empty() {
            return Ok(json!({
                "participants": participants, "pages": pages, "total": page.total, "active": page.active,
            }));
        }
        request.page_token = page.next_page_token;
    }
    Ok(Value::Null)
}

/// Makes a call of one participant and returns its line.
macro_rules! control {
    ($stub:ident.$method:ident($request:ident), $command:ident) => {{
        let request = $request {
            conference_id: text($command, "conference"),
            participant_id: text($command, "participant"),
        };
        participant_line($stub.$method(request).await?.into_inner().participant)
    }};
}

async fn unary(mut stub: Stub, call: &str, command: &Value) -> Result<Value, Error> {
    let conference_id = text(command, "conference");
    let line = match call {
        "add" => participant_line(
            stub.add_participant(add_request(command))
                .await?
                .into_inner()
                .participant,
        ),
        "get" => control!(stub.get_participant(GetParticipantRequest), command),
        "mute" => control!(stub.mute_participant(MuteParticipantRequest), command),
        "unmute" => control!(stub.unmute_participant(UnmuteParticipantRequest), command),
        "hold" => control!(stub.hold_participant(HoldParticipantRequest), command),
        "resume" => control!(stub.resume_participant(ResumeParticipantRequest), command),
        "disconnect" => control!(stub.disconnect_participant(DisconnectParticipantRequest), command),
        "remove" => {
            let participant_id = text(command, "participant");
            stub.remove_participant(RemoveParticipantRequest {
                conference_id,
                participant_id,
            })
            .await?;
            json!({"ok": true})
        }
        "mute_all" => {
            stub.mute_all_participants(MuteAllParticipantsRequest { conference_id })
                .await?;
            json!({"ok": true})
        }
        "refresh" => {
            stub.refresh_participants(RefreshParticipantsRequest { conference_id })
                .await?;
            json!({"ok": true})
        }
        _ => json!({"unsupported": true}),
    };
    Ok(line)
}

fn add_request(command: &Value) -> AddParticipantRequest {
    AddParticipantRequest {
        conference_id: text(command, "conference"),
        phone_number: text(command, "phone_number"),
        name: text(command, "name"),
        role: json::role(&text(command, "role")).unwrap_or_default().into(),
        muted: flag(command, "muted"),
        request_id: text(command, "request_id"),
        validate_only: flag(command, "validate_only"),
        wait_for_answer: flag(command, "wait_for_answer"),
        ..Default::default()
    }
}

fn participant_line(participant: Option<Participant>) -> Value {
    participant.map_or(
        json!({"ok": true}),
        |p| json!({"participant": json::participant(&p)}),
    )
}
