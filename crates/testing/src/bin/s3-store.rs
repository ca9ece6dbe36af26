//! A real S3-compatible store for the tests of buckets that lie in one: s3s-fs, which
//! keeps objects as files. Its own program is this and a few options more; compiled here,
//! it shares everything that it is made of with the workspace.
//!
//! `s3-store PORT ACCESS_KEY FOLDER`, and the secret in `S3_STORE_SECRET`. It listens on
//! 127.0.0.1, a bucket is each folder of `FOLDER`, found by path and, below
//! `localhost:PORT`, by host, and it goes on until it is killed.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::host::SingleDomain;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, access_key, folder] = arguments.as_slice() else {
        return Err("s3-store PORT ACCESS_KEY FOLDER".into());
    };
    let secret = std::env::var("S3_STORE_SECRET")?;
    let files = FileSystem::new(folder).map_err(|error| format!("{folder}: {error:?}"))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(access_key.as_str(), secret));
    service.set_host(SingleDomain::new(&format!("localhost:{port}"))?);
    let service = service.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        // A connection ends with its client, and all of them with this process.
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
