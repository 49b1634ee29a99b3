//! A client of the conformance test: the Rust client that OpenAPI Generator makes. Commands in, results out.

mod outcome;

use std::io::{stdin, stdout, BufRead, Write};

use openapi::apis::configuration::Configuration;
use openapi::apis::participants_api as api;
use openapi::models::{AddParticipantRequest, ParticipantRole, ParticipantStatus};
use outcome::{control, none, one, participant, Outcome};
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Command {
    id: String,
    call: String,
    url: String,
    credential: Option<String>,
    conference: String,
    participant: String,
    phone_number: String,
    name: Option<String>,
    role: Option<ParticipantRole>,
    muted: Option<bool>,
    request_id: Option<String>,
    validate_only: Option<bool>,
    wait_for_answer: Option<bool>,
    statuses: Option<Vec<ParticipantStatus>>,
    roles: Option<Vec<ParticipantRole>>,
    page_size: Option<i32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut configuration = Configuration::default();
    for line in stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let mut result = match command.call.as_str() {
            "connect" => {
                configuration = connect(&command);
                json!({"ok": true})
            }
            _ => runtime
                .block_on(call(&configuration, &command))
                .unwrap_or_else(|error| json!({"error": error})),
        };
        result["id"] = Value::from(command.id);
        writeln!(stdout(), "{result}")?;
    }
    Ok(())
}

fn connect(command: &Command) -> Configuration {
    Configuration {
        base_path: command.url.clone(),
        bearer_access_token: command.credential.clone(),
        ..Configuration::default()
    }
}

async fn call(at: &Configuration, command: &Command) -> Outcome {
    let (conference, id) = (command.conference.as_str(), command.participant.as_str());
    match command.call.as_str() {
        "add" => {
            one(
                api::add_participant(at, conference, add_request(command), None, None, None, None)
                    .await,
            )
        }
        "get" => one(api::get_participant(at, conference, id, None, None, None).await),
        "mute" => control(api::mute_participant(at, conference, id, None, None, None).await),
        "unmute" => control(api::unmute_participant(at, conference, id, None, None, None).await),
        "hold" => control(api::hold_participant(at, conference, id, None, None, None).await),
        "resume" => control(api::resume_participant(at, conference, id, None, None, None).await),
        "disconnect" => {
            control(api::disconnect_participant(at, conference, id, None, None, None).await)
        }
        "remove" => none(api::remove_participant(at, conference, id, None, None, None).await),
        "mute_all" => none(api::mute_all_participants(at, conference, None, None, None).await),
        "refresh" => none(api::refresh_participants(at, conference, None, None, None).await),
        "list" => list(at, command).await,
        _ => Ok(json!({"unsupported": true})),
    }
}

fn add_request(command: &Command) -> AddParticipantRequest {
    AddParticipantRequest {
        name: command.name.clone().map(Some),
        role: command.role.map(Some),
        muted: command.muted.map(Some),
        request_id: command.request_id.clone().map(Some),
        validate_only: command.validate_only.map(Some),
        wait_for_answer: command.wait_for_answer.map(Some),
        ..AddParticipantRequest::new(command.phone_number.clone())
    }
}

/// Reads all pages.
async fn list(at: &Configuration, command: &Command) -> Outcome {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    for pages in 1.. {
        let page = api::list_participants(
            at,
            &command.conference,
            command.statuses.clone(),
            command.roles.clone(),
            command.page_size,
            token.as_deref(),
            None,
            None,
            None,
        )
        .await
        .map_err(outcome::error)?;
        found.extend(page.participants.into_iter().map(participant));
        if page.next_page_token.is_empty() {
            return Ok(
                json!({"participants": found, "pages": pages, "total": page.total, "active": page.active}),
            );
        }
        token = Some(page.next_page_token);
    }
    unreachable!("the pages have no end")
}
