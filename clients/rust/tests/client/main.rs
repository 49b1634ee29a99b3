//! The client against a scripted gateway, with paused time.

mod calls;
mod fake;
mod watch;
