//! The program of the conformance suite: reads commands from stdin, one JSON object a line, and prints
//! what it sees.

mod json;
mod program;
mod streams;

use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut program = program::Program::default();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if !line.trim().is_empty() {
            program.run(&serde_json::from_str(&line)?).await;
        }
    }
    program.stop_all().await;
    Ok(())
}
