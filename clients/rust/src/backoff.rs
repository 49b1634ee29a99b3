use std::time::Duration;

use tonic::Code;

use crate::Error;

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// The longest wait that a RetryInfo can ask for.
const LONGEST_RETRY_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Decides when a watch calls again.
#[derive(Default)]
pub(crate) struct Backoff {
    /// The number of calls in a row that got no message.
    failures: u32,
}

impl Backoff {
    /// A call got a message: the next wait is the first one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after a failed call: doubled with each failure, at least as long as the
    /// gateway asks for, and up to a quarter longer, so that clients do not call together.
    pub(crate) fn next(&mut self, error: &Error) -> Duration {
        let delay = (FIRST_DELAY * 2_u32.pow(self.failures.min(10))).min(LONGEST_DELAY);
        self.failures = self.failures.saturating_add(1);
        let requested = error.retry_delay.unwrap_or_default().min(LONGEST_RETRY_DELAY);
        delay.max(requested).mul_f64(1.0 + 0.25 * fastrand::f64())
    }
}

/// Whether a code is about the call itself: its arguments, its caller, its conference. Another call
/// ends in the same way.
pub(crate) fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::Unimplemented
            | Code::OutOfRange
            | Code::AlreadyExists
    )
}
