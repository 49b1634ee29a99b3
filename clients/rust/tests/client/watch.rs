//! The watch against a scripted gateway.

use std::time::Duration;

use crate::fake::{self, Call, Fake, change, checkpoint, end, participant, snapshot};
use audian_conference::proto::{ChangeKind, Participant, SnapshotReason, WatchEndReason};
use audian_conference::rpc;
use audian_conference::{Error, Event, STALE_DISCONNECTED, State, Watch, WatchOptions, reason};
use futures_util::StreamExt;
use prost::Message;
use tokio::time::Instant;
use tonic::{Code, Status};

async fn next(watch: &mut Watch) -> State {
    watch
        .next()
        .await
        .expect("the watch has ended")
        .expect("the watch has failed")
}

/// The ids of the roster.
fn ids(state: &State) -> Vec<&str> {
    state.roster.keys().map(String::as_str).collect()
}

fn broken_by(state: &State) -> &Error {
    assert!(!state.fresh);
    assert_eq!(state.stale_reason, STALE_DISCONNECTED);
    match &state.event {
        Event::Disconnected(error) => error,
        event => panic!("not disconnected: {event:?}"),
    }
}

fn watch(fake: &Fake) -> Watch {
    fake.client().watch("conf", WatchOptions::default())
}

#[tokio::test(start_paused = true)]
async fn gives_a_state_for_each_piece_of_news_until_the_end() {
    let fake = Fake::new([Call::Ends(
        vec![
            snapshot("t1", &["a", "b"]),
            checkpoint("t1", 2, ""),
            change("t2", ChangeKind::Added, participant("c")),
            checkpoint("t2", 3, "UPSTREAM_TIMEOUT"),
            change("t3", ChangeKind::LeftFilter, participant("a")),
            change("t4", ChangeKind::Removed, participant("b")),
            checkpoint("t4", 1, ""),
            end(),
        ],
        Ok(()),
    )]);
    let mut watch = watch(&fake);

    let first = next(&mut watch).await;
    assert_eq!(first.event, Event::Snapshot(SnapshotReason::Initial));
    assert_eq!(
        (ids(&first), first.fresh, first.total, first.active),
        (vec!["a", "b"], true, Some(2), Some(0))
    );

    let second = next(&mut watch).await;
    assert!(matches!(&second.event, Event::Changes(changes) if changes.len() == 1));
    assert_eq!((ids(&second), second.token.as_str()), (vec!["a", "b", "c"], "t2"));
    assert_eq!(ids(&first), ["a", "b"], "an earlier state changed");

    let stale = next(&mut watch).await;
    assert_eq!(
        (&stale.event, stale.fresh, stale.stale_reason.as_str()),
        (&Event::Freshness, false, "UPSTREAM_TIMEOUT")
    );
    let left = next(&mut watch).await;
    assert_eq!((ids(&left), left.fresh), (vec!["b", "c"], false));
    assert_eq!(ids(&next(&mut watch).await), ["c"]);
    let fresh = next(&mut watch).await;
    assert_eq!((&fresh.event, fresh.fresh), (&Event::Freshness, true));
    assert_eq!(
        next(&mut watch).await.event,
        Event::End(WatchEndReason::ConferenceGone)
    );
    assert!(watch.next().await.is_none());
    assert!(watch.next().await.is_none(), "a watch that has ended ends again");
}

#[tokio::test(start_paused = true)]
async fn resumes_with_the_token_after_an_end_without_the_end_message() {
    let fake = Fake::new([
        Call::Ends(vec![snapshot("t1", &["a"])], Ok(())),
        Call::Hangs(vec![checkpoint("t1", 1, "")]),
    ]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    let broken = next(&mut watch).await;
    assert_eq!(
        (broken_by(&broken).reason.as_str(), ids(&broken)),
        (reason::STREAM_ENDED, vec!["a"])
    );
    let fresh = next(&mut watch).await;
    assert_eq!(
        (&fresh.event, fresh.fresh, ids(&fresh)),
        (&Event::Freshness, true, vec!["a"])
    );

    let seen = fake.seen();
    let tokens: Vec<_> = seen
        .watches
        .iter()
        .map(|(_, request)| request.resume_token.as_str())
        .collect();
    assert_eq!(tokens, ["", "t1"]);
    let heartbeat = seen.watches[0].1.heartbeat_interval;
    assert_eq!(heartbeat.map(|interval| interval.seconds), Some(15));
}

#[tokio::test(start_paused = true)]
async fn backs_off_up_to_ten_seconds_and_reports_one_break() {
    let unavailable = || Call::Ends(vec![], Err(Status::unavailable("down")));
    let mut calls: Vec<_> = (0..8).map(|_| unavailable()).collect();
    calls.push(Call::Ends(
        vec![snapshot("t1", &["a"])],
        Err(Status::internal("reset")),
    ));
    calls.push(Call::Hangs(vec![checkpoint("t1", 1, "")]));
    let fake = Fake::new(calls);
    let mut watch = watch(&fake);

    let first = next(&mut watch).await;
    assert_eq!((broken_by(&first).code, ids(&first)), (Code::Unavailable, vec![]));
    assert!(matches!(next(&mut watch).await.event, Event::Snapshot(_)));
    assert_eq!(broken_by(&next(&mut watch).await).code, Code::Internal);
    assert_eq!(next(&mut watch).await.event, Event::Freshness);

    let seen = fake.seen();
    let waits = seen
        .watches
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs_f64());
    for (wait, expected) in waits.zip([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 0.25]) {
        assert!(
            (expected..=expected * 1.25 + 0.01).contains(&wait),
            "waited {wait} s, not {expected} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_gateway_asks_for() {
    let retry = rpc::RetryInfo {
        retry_delay: Some(prost_types::Duration { seconds: 7, nanos: 0 }),
    };
    let detail = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: retry.encode_to_vec(),
    };
    let details = rpc::Status {
        code: 14,
        message: String::new(),
        details: vec![detail],
    }
    .encode_to_vec();
    let draining = Status::with_details(Code::Unavailable, "draining", details.into());
    let fake = Fake::new([
        Call::Ends(vec![snapshot("t1", &[])], Err(draining)),
        Call::Hangs(vec![snapshot("t2", &[])]),
    ]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    assert_eq!(
        broken_by(&next(&mut watch).await).retry_delay,
        Some(Duration::from_secs(7))
    );
    let broken = Instant::now();
    next(&mut watch).await;
    assert!((7.0..8.76).contains(&broken.elapsed().as_secs_f64()));
}

#[tokio::test(start_paused = true)]
async fn replaces_a_silent_connection_and_closes_it() {
    let fake = Fake::new([
        Call::Hangs(vec![snapshot("t1", &["a"])]),
        Call::Hangs(vec![checkpoint("t1", 1, "")]),
    ]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    let last_message = Instant::now();
    assert_eq!(broken_by(&next(&mut watch).await).reason, reason::SILENT);
    assert_eq!(last_message.elapsed().as_secs(), 30);
    assert_eq!(next(&mut watch).await.event, Event::Freshness);
    fake.until(|seen| seen.closed == 1).await;
    assert_eq!(fake.seen().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn counts_the_silence_from_the_start_of_the_call() {
    let fake = Fake::new([Call::Silent, Call::Hangs(vec![snapshot("t1", &[])])]);
    let options = WatchOptions {
        heartbeat_interval: Duration::from_secs(5),
        ..Default::default()
    };
    let mut watch = fake.client().watch("conf", options);
    let start = Instant::now();
    assert_eq!(broken_by(&next(&mut watch).await).reason, reason::SILENT);
    assert_eq!(start.elapsed().as_secs(), 10);
    next(&mut watch).await;
    assert_eq!(fake.seen().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn does_not_count_the_consumers_time_as_silence() {
    let fake = Fake::new([Call::Hangs(vec![
        snapshot("t1", &[]),
        change("t2", ChangeKind::Added, participant("a")),
    ])]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(ids(&next(&mut watch).await), ["a"]);
    assert_eq!(fake.seen().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn begins_anew_when_the_roster_has_another_size() {
    let fake = Fake::new([
        Call::Hangs(vec![snapshot("t1", &["a"]), checkpoint("t1", 2, "")]),
        Call::Hangs(vec![snapshot("t2", &["a", "b"])]),
    ]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    let broken = next(&mut watch).await;
    assert_eq!(
        (broken_by(&broken).code, broken_by(&broken).reason.as_str()),
        (Code::DataLoss, reason::ROSTER_MISMATCH)
    );
    assert_eq!(ids(&next(&mut watch).await), ["a", "b"]);
    assert_eq!(fake.seen().watches[1].1.resume_token, "");
    assert_eq!(fake.seen().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn ends_with_an_error_that_another_call_cannot_change() {
    for code in [
        Code::InvalidArgument,
        Code::NotFound,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::FailedPrecondition,
        Code::Unimplemented,
        Code::OutOfRange,
        Code::AlreadyExists,
    ] {
        let fake = Fake::new([Call::Ends(
            vec![snapshot("t1", &[])],
            Err(Status::new(code, "final")),
        )]);
        let mut watch = watch(&fake);
        next(&mut watch).await;
        assert_eq!(watch.next().await.unwrap().unwrap_err().code, code);
        assert!(watch.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn calls_again_with_the_next_credential_when_one_expires() {
    let expired = || Err(Status::unauthenticated("expired"));
    let fake = Fake::new([
        Call::Ends(vec![snapshot("t1", &[])], expired()),
        Call::Ends(vec![checkpoint("t1", 0, "")], expired()),
        Call::Ends(vec![], expired()),
    ]);
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let builder = fake.builder().credential(move || {
        let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move { Ok(format!("key{call}")) }
    });
    let mut watch = builder
        .connect_lazy()
        .unwrap()
        .watch("conf", WatchOptions::default());
    next(&mut watch).await;
    assert_eq!(broken_by(&next(&mut watch).await).code, Code::Unauthenticated);
    assert!(next(&mut watch).await.fresh);
    assert_eq!(broken_by(&next(&mut watch).await).code, Code::Unauthenticated);
    assert_eq!(
        watch.next().await.unwrap().unwrap_err().code,
        Code::Unauthenticated
    );
    let sent = fake.seen().authorizations.clone();
    assert_eq!(sent, [0, 1, 2].map(|call| Some(format!("Bearer key{call}"))));
}

#[tokio::test(start_paused = true)]
async fn keeps_values_that_this_version_does_not_know() {
    let newer = Participant {
        status: 99,
        role: 98,
        ..participant("a")
    };
    let mut changed = change("t2", ChangeKind::Added, newer);
    if let Some(fake::Event::Changes(changes)) = &mut changed.event {
        changes.changes[0].kind = 97;
    }
    let unknown_event = fake::Message {
        resume_token: "t3".to_owned(),
        event: None,
    };
    let fake = Fake::new([Call::Ends(
        vec![snapshot("t1", &[]), changed, unknown_event, end()],
        Ok(()),
    )]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    assert_eq!(next(&mut watch).await.roster["a"].status, 99);
    assert!(matches!(next(&mut watch).await.event, Event::End(_)));
}

#[tokio::test(start_paused = true)]
async fn resumes_from_an_earlier_state() {
    let fake = Fake::new([Call::Hangs(vec![change(
        "t2",
        ChangeKind::Added,
        participant("b"),
    )])]);
    let roster = [("a".to_owned(), participant("a"))].into();
    let options = WatchOptions {
        resume_from: Some(State::stored("t1", roster)),
        ..Default::default()
    };
    let state = next(&mut fake.client().watch("conf", options)).await;
    assert_eq!((ids(&state), state.fresh), (vec!["a", "b"], true));
    assert_eq!(fake.seen().watches[0].1.resume_token, "t1");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_cancels_its_call_and_leaves_no_connection() {
    let fake = Fake::new([Call::Hangs(vec![snapshot("t1", &[])])]);
    let mut watch = watch(&fake);
    next(&mut watch).await;
    drop(watch);
    fake.until(|seen| seen.streams_ended == 1 && seen.closed == 1)
        .await;
}
