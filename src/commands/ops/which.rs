//! From what a person types to the operation that is meant.

use crate::client::Client;
use crate::exit::{Code, Failure, Result};
use base::OperationId;
use serde_json::Value;

/// How many of the newest operations an abbreviation is looked for in.
const PAGES: usize = 5;
const PAGE: usize = 200;
/// The shortest abbreviation.
const SHORTEST: usize = 4;

/// The operation that `given` names: wholly, or by its beginning or end.
pub(super) async fn resolve(client: &Client, given: &str) -> Result<OperationId> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    let wanted = digits(given);
    if wanted.len() < SHORTEST || !wanted.chars().all(|c| c.is_ascii_hexdigit()) {
        let text = format!(
            "`{given}` is no id; give at least {SHORTEST} of its digits, from its beginning or its end"
        );
        return Err(Failure::new(Code::Usage, text));
    }
    let mut query = vec![("limit", PAGE.to_string())];
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let page = client.get_with("/api/v1/operations", &query).await?;
        found.extend(fitting(&page, &wanted));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = vec![("limit", PAGE.to_string()), ("cursor", next.to_owned())];
    }
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::failed(format!(
            "none of the {} newest operations begins or ends with `{given}`; `longshore ops ls` lists them",
            PAGES * PAGE
        ))),
        several => {
            let list: Vec<String> = several.iter().take(5).map(ToString::to_string).collect();
            Err(Failure::failed(format!(
                "`{given}` may be any of {}; give more of the id: {}{}",
                several.len(),
                list.join(", "),
                if several.len() > 5 { " …" } else { "" }
            )))
        }
    }
}

fn digits(text: &str) -> String {
    text.to_ascii_lowercase().replace('-', "")
}

fn fitting(page: &Value, wanted: &str) -> Vec<OperationId> {
    let ids = page["items"].as_array().into_iter().flatten();
    ids.filter_map(|operation| operation["id"].as_str())
        .filter(|id| {
            let id = digits(id);
            id.starts_with(wanted) || id.ends_with(wanted)
        })
        .filter_map(|id| id.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_known_by_either_end() {
        let one = "01900000-0000-7000-8000-00000000abcd";
        let page = json!({"items": [{"id": one}, {"id": "01911111-0000-7000-8000-00000000abce"}]});
        let found = |wanted: &str| fitting(&page, &digits(wanted)).len();
        assert_eq!(found("abcd"), 1);
        assert_eq!(found("ABCE"), 1);
        assert_eq!(found("01900000-00"), 1);
        assert_eq!(found("0190"), 1);
        assert_eq!(found("019"), 2);
        assert_eq!(found("7000"), 0, "the middle is no end");
    }
}
