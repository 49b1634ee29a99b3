//! The calls that run in the background.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use audian_conference::proto::batch_add_participants_response::Event as BatchEvent;
use audian_conference::proto::batch_result::Outcome;
use audian_conference::proto::{BatchAddParticipantsRequest, BatchResult};
use audian_conference::{Error, Event, State, Stub, Watch};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::json;
use crate::program::Credentials;

/// The last state of each watch, by the watch's id.
pub type States = Arc<Mutex<HashMap<String, State>>>;

/// Prints the states of a watch.
pub async fn watch(
    id: String,
    mut watch: Watch,
    states: States,
    credentials: Arc<Credentials>,
) -> Result<(), Error> {
    while let Some(state) = watch.next().await {
        let state = state?;
        if let Event::Disconnected(error) = &state.event {
            credentials.refused(error);
        }
        json::print(&id, json::state(&state));
        if let Ok(mut states) = states.lock() {
            states.insert(id.clone(), state);
        }
    }
    Ok(())
}

/// Prints the events of a batch.
pub async fn batch(id: String, mut stub: Stub, request: BatchAddParticipantsRequest) -> Result<(), Error> {
    let mut events = stub.batch_add_participants(request).await?.into_inner();
    while let Some(response) = events.message().await? {
        match response.event {
            Some(BatchEvent::Accepted(accepted)) => {
                json::print(&id, json!({"event": "accepted", "count": accepted.count}));
            }
            Some(BatchEvent::Result(result)) => json::print(&id, batch_result(result)),
            Some(BatchEvent::Summary(s)) => json::print(
                &id,
                json!({"event": "summary", "added": s.added, "failed": s.failed, "unknown": s.unknown}),
            ),
            Some(BatchEvent::Progress(_)) | None => {}
        }
    }
    Ok(())
}

fn batch_result(result: BatchResult) -> Value {
    let mut line = json!({"event": "result", "index": result.index});
    match result.outcome {
        Some(Outcome::Participant(p)) => line["participant"] = json::participant(&p),
        Some(Outcome::Error(status)) => line["error"] = json::error(&Error::from(status)),
        None => {}
    }
    line
}
