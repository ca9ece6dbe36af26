//! Cloudflare: pictures to Images, films to Stream.
//!
//! Both ask through one [`Account`], which keeps to Cloudflare's limit of requests for all
//! syncs of an account. Neither makes anything before it has recorded that it is about to,
//! with a name under which what came of it is found again: a picture by its own id, which
//! Cloudflare takes once; a film by the address of its upload, or by its exact name and a
//! mark of ours in what is kept beside it. What nothing says to be ours is never removed.

mod account;
mod answer;
mod budget;
mod check;
mod door;
mod filling;
mod images;
mod mark;
mod multipart;
mod naming;
mod pictures;
mod proof;
mod stream;
mod tus;
mod verdict;
mod videos;

pub use account::{API, Account, AccountSettings, Accounts, BATCH};
pub use images::{Images, ImagesSettings};
pub use naming::Naming;
pub use stream::{CHUNK, Stream, StreamSettings};
