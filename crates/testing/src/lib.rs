//! What tests of every crate stand on: both databases, the real server, origins that
//! misbehave to order, a proxy that does harm, a double of Cloudflare, a real nginx, Redis,
//! S3 store, tus server and parser of forms, and a client of the live socket.
//!
//! Everything here is real or says that it is not; everything waits with a limit,
//! and ends what it started when it is dropped. Nothing here is part of the program:
//! crates name it among their `dev-dependencies` only. A failure of the set-up
//! panics with a sentence, since in a test there is nobody to hand it to.

mod cloudflare;
mod databases;
mod deadline;
mod form_server;
mod full;
mod live;
mod nginx;
mod origin;
mod peers;
mod ports;
mod proxy;
mod redis;
mod seed;
mod server;
mod store;
mod tus_server;

pub use cloudflare::{Cloudflare, Fault, Step, StoredImage, StoredVideo};
pub use databases::{TestDatabase, on_both, on_postgres, on_sqlite};
pub use deadline::{PATIENCE, within};
pub use form_server::FormServer;
pub use full::size;
pub use live::Live;
pub use nginx::Nginx;
pub use origin::{Answer, Content, Counts, Origin, Seen};
pub use peers::{
    CLOUDFLARE, POSTGRES, REQUIRE_PEERS, S3_CLIENTS, S3_STORE, cloudflare_peer, installed, missing,
    s3_client,
};
pub use proxy::{Harm, Proxy};
pub use redis::Redis;
pub use seed::files_table;
pub use server::{Captured, ServerOptions, Session, TestServer};
pub use store::S3Store;
pub use tus_server::TusServer;
