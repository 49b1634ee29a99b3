//! Watches a conference and prints what changes.
//!
//! Usage: `GATEWAY_KEY=… cargo run --example watch [CONFERENCE [ADDRESS]]`

use std::env;

use audian_conference::{Client, Event, WatchOptions};
use futures_util::StreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let conference = arguments.next().unwrap_or_else(|| "conf_demo".to_owned());
    let address = arguments.next().or_else(|| env::var("GATEWAY_ADDR").ok());
    let mut builder = Client::builder(address.unwrap_or_else(|| "127.0.0.1:9090".to_owned()));
    if let Ok(key) = env::var("GATEWAY_KEY") {
        builder = builder.key(key);
    }
    let client = builder.connect_lazy()?;

    let mut watch = client.watch(conference, WatchOptions::default());
    while let Some(state) = watch.next().await {
        let state = state?;
        match &state.event {
            Event::Snapshot(reason) => println!("{reason:?}: {} participants", state.roster.len()),
            Event::Changes(changes) => {
                for change in changes {
                    let participant = change.participant.clone().unwrap_or_default();
                    println!(
                        "{:?} {}: {:?}",
                        change.kind(),
                        participant.id,
                        participant.status()
                    );
                }
            }
            Event::Freshness => println!("fresh: {} {}", state.fresh, state.stale_reason),
            Event::Disconnected(error) => println!("disconnected: {error}"),
            Event::End(reason) => println!("the conference has ended: {reason:?}"),
            _ => {}
        }
    }
    Ok(())
}
