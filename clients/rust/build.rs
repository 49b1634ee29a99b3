//! Generates the messages and the stub from the gateway's protos. It needs no `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const SERVICE: &str = "audian/conference/v2/participant_service.proto";
const DETAILS: &str = "google/rpc/error_details.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let protos = protos()?;
    println!("cargo:rerun-if-env-changed=PROTOS");
    println!("cargo:rerun-if-changed={}", protos.display());
    let files = protox::compile([SERVICE, DETAILS], [&protos])?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .include_file("protos.rs")
        .compile_fds(files.clone())?;
    generate_test_server(files)
}

/// The folder of the protos: `PROTOS`, otherwise the one that `make client-protos` writes.
fn protos() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(folder) = env::var_os("PROTOS") {
        return Ok(folder.into());
    }
    let default = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../.client-protos");
    if !default.join(SERVICE).exists() {
        return Err("no protos: run `make`, or set PROTOS to the folder of the unpacked proto.zip".into());
    }
    Ok(default)
}

/// The tests need the server's side of the service too. The crate does not contain it.
fn generate_test_server(files: tonic_prost_build::FileDescriptorSet) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("OUT_DIR")?).join("server");
    fs::create_dir_all(&folder)?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .generate_default_stubs(true)
        .extern_path(".audian.conference.v2", "::audian_conference::proto")
        .extern_path(".google.rpc", "::audian_conference::rpc")
        .out_dir(folder)
        .compile_fds(files)?;
    Ok(())
}
