//! People: users, sessions, tokens, secrets, and the record of who did what.

mod caller;

pub use caller::{Caller, Proof, Role, Scope, UnknownRole, UnknownScope};
