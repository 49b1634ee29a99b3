//! The retries of the gateway's published service config, which tonic cannot read.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tonic::codegen::http::{HeaderMap, Response};
use tonic::{Code, Status};

/// The calls that are safe to repeat.
const METHODS: [&str; 2] = [
    "/audian.conference.v2.ParticipantService/ListParticipants",
    "/audian.conference.v2.ParticipantService/RemoveParticipant",
];
const MAX_ATTEMPTS: u32 = 4;
const INITIAL_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(3);

/// In tenths of a token, because a success is worth a tenth (`tokenRatio` 0.1).
const MAX_TOKENS: u32 = 100;
const FAILURE: u32 = 10;
const SUCCESS: u32 = 1;

pub(crate) fn is_retried(method: &str) -> bool {
    METHODS.contains(&method)
}

/// Stops the retries of a client while most of its calls fail.
pub(crate) struct Throttle(AtomicU32);

impl Throttle {
    pub(crate) fn new() -> Self {
        Throttle(AtomicU32::new(MAX_TOKENS))
    }

    /// Counts a result, and returns whether a failure may be retried.
    fn count(&self, failed: bool) -> bool {
        let change = |tokens: u32| {
            if failed {
                tokens.saturating_sub(FAILURE)
            } else {
                (tokens + SUCCESS).min(MAX_TOKENS)
            }
        };
        let update = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                Some(change(tokens))
            });
        update.is_ok_and(|before| change(before) > MAX_TOKENS / 2)
    }
}

/// Makes a call up to four times, while it ends `UNAVAILABLE`.
pub(crate) async fn with_retries<B, F>(
    throttle: &Throttle,
    call: impl Fn() -> F,
) -> Result<Response<B>, Status>
where
    F: Future<Output = Result<Response<B>, Status>>,
{
    let mut attempt = 1;
    let mut backoff = INITIAL_BACKOFF;
    loop {
        let result = call().await;
        let failed = is_unavailable(&result);
        let allowed = throttle.count(failed);
        if !failed || !allowed || attempt == MAX_ATTEMPTS {
            return result;
        }
        tokio::time::sleep(backoff.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        attempt += 1;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

fn is_unavailable<B>(result: &Result<Response<B>, Status>) -> bool {
    match result {
        Ok(response) => Status::from_header_map(response.headers())
            .is_some_and(|status| status.code() == Code::Unavailable),
        Err(status) => status.code() == Code::Unavailable,
    }
}

/// The deadline of a call, which holds for all its attempts together.
pub(crate) fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(amount.saturating_mul(60))),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}
