//! Uses the Rust client that OpenAPI Generator makes: one list, one add, a get, a mute, a
//! refresh, and the error of an add that is refused.

use openapi::apis::configuration::Configuration;
use openapi::apis::participants_api::{
    add_participant, get_participant, list_participants, mute_participant, refresh_participants, AddParticipantError,
};
use openapi::apis::Error;
use openapi::models::{AddParticipantRequest, ParticipantRole};

const CONFERENCE: &str = "conf_demo";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: client-check URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(url))
}

async fn run(url: String) -> Result<(), Box<dyn std::error::Error>> {
    let configuration = Configuration { base_path: url, ..Configuration::default() };

    let list = list_participants(&configuration, CONFERENCE, None, None, None, None, None, None, None).await?;
    assert!(!list.participants.is_empty() && list.total as usize == list.participants.len(), "{list:?}");
    assert!(!list.participants[0].status.is_empty(), "{list:?}");

    let mut request = AddParticipantRequest::new("+12025550199".to_owned());
    request.name = Some(Some("Ada".to_owned()));
    request.role = Some(Some(ParticipantRole::Listener));
    let added = add_participant(&configuration, CONFERENCE, request, None, None, None, None).await?;
    assert!(!added.id.is_empty() && added.phone_number == "+12025550199" && added.role == "listener", "{added:?}");

    let found = get_participant(&configuration, CONFERENCE, &added.id, None, None, None).await?;
    assert_eq!(found.id, added.id);
    let muted = mute_participant(&configuration, CONFERENCE, &added.id, None, None, None).await?;
    assert!(muted.muted, "{muted:?}");
    refresh_participants(&configuration, CONFERENCE, None, None, None).await?;

    let bad = AddParticipantRequest::new("abc".to_owned());
    let refused = match add_participant(&configuration, CONFERENCE, bad, None, None, None, None).await {
        Err(Error::ResponseError(refused)) => refused,
        other => panic!("the bad add gave {other:?}"),
    };
    let Some(AddParticipantError::Status400(body)) = refused.entity else {
        panic!("the bad add gave {}", refused.content);
    };
    let violations = body.error.details.iter().flat_map(|detail| detail.field_violations.iter().flatten());
    let fields: Vec<&str> = violations.map(|violation| violation.field.as_str()).collect();
    assert_eq!(body.error.status, "INVALID_ARGUMENT");
    assert_eq!(fields, ["phone_number"]);
    println!("{} listed, {} added, {} refused", list.total, added.id, fields[0]);
    Ok(())
}
