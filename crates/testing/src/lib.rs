//! What tests of every crate stand on: both databases, the real server, origins that
//! misbehave to order, a real nginx and S3 store, and a client of the live socket.
//!
//! Everything here is real or says that it is not; everything waits with a limit,
//! and ends what it started when it is dropped. Nothing here is part of the program:
//! crates name it among their `dev-dependencies` only. A failure of the set-up
//! panics with a sentence, since in a test there is nobody to hand it to.

mod databases;
mod deadline;
mod live;
mod nginx;
mod origin;
mod peers;
mod ports;
mod server;
mod store;

pub use databases::{TestDatabase, on_both};
pub use deadline::{PATIENCE, within};
pub use live::Live;
pub use nginx::Nginx;
pub use origin::{Answer, Content, Counts, Origin, Seen};
pub use peers::{POSTGRES, REQUIRE_PEERS, S3_CLIENTS, S3_STORE, installed, s3_client};
pub use server::{Captured, ServerOptions, Session, TestServer};
pub use store::S3Store;
