//! Reading requests: what axum's extractors do, with problems for refusals, and
//! never more of a body than the route allows.

mod body;
mod json;
mod path;
mod query;

pub use body::whole;
pub use json::{Json, JsonText};
pub use path::Path;
pub use query::Query;

pub(crate) use query::read as read_query;

use crate::Problem;

/// A field's place as serde found it, or where the text stops making sense.
fn misfit(path: &serde_path_to_error::Path, whole: &str, message: String) -> Problem {
    let path = path.to_string();
    let field = if path == "." { whole.to_owned() } else { path };
    Problem::invalid(field, "invalid", message)
}
