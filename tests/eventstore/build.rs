//! Compiles the protocol without `protoc`, so that nothing has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        ["streams.proto", "gossip.proto", "serverfeatures.proto"],
        ["proto"],
    )?;
    tonic_build::configure()
        .build_client(false)
        // Bodies are shared, never copied.
        .bytes(["."])
        .include_file("wire.rs")
        .compile_fds(files)?;
    Ok(())
}
