//! The API of people and of the program itself: who is logged in, users, tokens,
//! access keys, secrets, the record of who did what, and what is running here.
//!
//! A file a noun; each handler reads its request, calls [`access::Access`] and
//! answers. What is a rule stands there; what is a word of the interface, here.

mod about;
mod access_keys;
mod audit;
mod refused;
mod secrets;
mod session;
mod tokens;
mod users;
mod words;

pub use about::About;

use crate::Routes;
use access::Access;

/// All of them.
pub fn routes(access: &Access, about: About) -> Routes {
    session::routes(access)
        .merge(users::routes(access))
        .merge(tokens::routes(access))
        .merge(access_keys::routes(access))
        .merge(secrets::routes(access))
        .merge(audit::routes(access))
        .merge(about::routes(about))
}
