//! The stub's calls against a scripted gateway.

use std::time::Duration;

use crate::fake::Fake;
use audian_conference::proto::{AddParticipantRequest, ListParticipantsRequest};
use audian_conference::{Client, Dialled, Error, FieldViolation, reason, rpc};
use prost::Message;
use tokio::time::Instant;
use tonic::{Code, Request, Status};

fn any(name: &str, message: impl Message) -> prost_types::Any {
    prost_types::Any {
        type_url: format!("type.googleapis.com/google.rpc.{name}"),
        value: message.encode_to_vec(),
    }
}

fn unavailable(count: usize) -> Fake {
    Fake::failing((0..count).map(|_| Status::unavailable("down")))
}

#[tokio::test(start_paused = true)]
async fn an_error_has_the_details_of_the_gateway() {
    let info = rpc::ErrorInfo {
        reason: "INVALID_REQUEST".to_owned(),
        domain: "participant-gateway".to_owned(),
        metadata: [("dialled".to_owned(), "no".to_owned())].into(),
    };
    let violation = rpc::bad_request::FieldViolation {
        field: "phone_number".to_owned(),
        description: "must be a number".to_owned(),
        ..Default::default()
    };
    let request = rpc::BadRequest {
        field_violations: vec![violation],
    };
    let retry = rpc::RetryInfo {
        retry_delay: Some(prost_types::Duration {
            seconds: 1,
            nanos: 500_000_000,
        }),
    };
    let status = rpc::Status {
        code: Code::InvalidArgument as i32,
        message: "invalid".to_owned(),
        details: vec![
            any("ErrorInfo", info),
            any("BadRequest", request),
            any("RetryInfo", retry),
            any("Newer", rpc::Status::default()),
        ],
    };
    let details = status.encode_to_vec().into();
    let fake = Fake::failing([Status::with_details(Code::InvalidArgument, "invalid", details)]);

    let failed = fake
        .client()
        .service()
        .add_participant(AddParticipantRequest::default())
        .await;
    let error = Error::from(failed.unwrap_err());
    assert_eq!(
        (error.code, error.reason.as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST")
    );
    assert_eq!(
        (error.dialled, error.metadata["dialled"].as_str()),
        (Some(Dialled::No), "no")
    );
    let expected = FieldViolation {
        field: "phone_number".into(),
        description: "must be a number".into(),
    };
    assert_eq!(error.field_violations, [expected]);
    assert_eq!(error.retry_delay, Some(Duration::from_millis(1500)));
    assert_eq!(error.to_string(), "InvalidArgument: INVALID_REQUEST: invalid");
    assert_eq!(
        Error::from(status),
        error,
        "an entry of a batch has the same error"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_is_tried_four_times_in_all() {
    let fake = unavailable(3);
    let list = fake
        .client()
        .service()
        .list_participants(ListParticipantsRequest::default())
        .await;
    assert_eq!(list.unwrap().into_inner().total, 7);
    let seen = fake.seen();
    let waits = seen
        .lists
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64());
    for (wait, expected) in waits.zip([0.2, 0.4, 0.8]) {
        assert!(
            (expected * 0.8..expected * 1.2 + 0.01).contains(&wait),
            "waited {wait} s"
        );
    }
    assert_eq!(seen.lists.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_add_is_never_tried_again() {
    let fake = unavailable(1);
    let add = fake
        .client()
        .service()
        .add_participant(AddParticipantRequest::default())
        .await;
    assert_eq!(add.unwrap_err().code(), Code::Unavailable);
    assert_eq!(fake.seen().adds.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_stop_while_most_calls_fail() {
    let fake = unavailable(100);
    let client = fake.client();
    for _ in 0..3 {
        client
            .service()
            .list_participants(ListParticipantsRequest::default())
            .await
            .unwrap_err();
    }
    // Ten tokens: four, then one of the second call; under half of them nothing is tried again.
    assert_eq!(fake.seen().lists.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_for_all_attempts_together() {
    let fake = unavailable(100);
    let mut request = Request::new(ListParticipantsRequest::default());
    request.set_timeout(Duration::from_millis(300));
    let start = Instant::now();
    let list = fake.client().service().list_participants(request).await;
    assert_eq!(list.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(start.elapsed().as_millis() / 10, 30);
}

#[tokio::test(start_paused = true)]
async fn a_credential_function_that_fails_is_unavailable_and_shows_no_secret() {
    let fake = unavailable(0);
    let client = fake
        .builder()
        .credential(async || Err("secret".into()))
        .connect_lazy()
        .unwrap();
    let failed = client
        .service()
        .add_participant(AddParticipantRequest::default())
        .await;
    let error = Error::from(failed.unwrap_err());
    assert_eq!(
        (error.code, error.reason.as_str()),
        (Code::Unavailable, reason::CREDENTIAL_UNAVAILABLE)
    );
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn every_call_has_the_key() {
    let fake = unavailable(0);
    let client = fake.builder().key("key").connect_lazy().unwrap();
    client
        .service()
        .list_participants(ListParticipantsRequest::default())
        .await
        .unwrap();
    assert_eq!(fake.seen().authorizations, [Some("Bearer key".to_owned())]);
}

#[tokio::test]
async fn an_error_of_the_connection_names_its_cause() {
    let client = Client::builder("127.0.0.1:1").connect_lazy().unwrap();
    let failed = client
        .service()
        .add_participant(AddParticipantRequest::default())
        .await;
    let error = Error::from(failed.unwrap_err());
    assert_eq!(error.code, Code::Unavailable);
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_invalid_target_is_refused() {
    for target in ["", "a b", "http://"] {
        let refused = Client::builder(target).connect_lazy().unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument, "{target}");
    }
}

#[test]
fn a_client_needs_a_runtime() {
    let refused = Client::builder("127.0.0.1:9090").connect_lazy().unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
}
