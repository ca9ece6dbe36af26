//! Whether an account can be asked, and what its token may do.

use super::account::Account;
use super::door::Ask;
use crate::target::{Checked, Trouble};

impl Account {
    /// Looks whether the token is one: of the account, or else of a user.
    pub(super) async fn check_token(&self) -> Vec<Checked> {
        let what = "Cloudflare token".to_owned();
        let ask = || Ask::get("/tokens/verify", "to look at the token");
        let of_the_account = self.api().ask(ask()).await;
        if let Ok(answer) = &of_the_account
            && answer.result().is_ok()
        {
            return vec![Checked {
                what,
                missing: None,
            }];
        }
        let user = Ask::get("/user/tokens/verify", "to look at the token");
        let missing = match self.root().ask(user).await {
            Ok(answer) => match answer.result() {
                Ok(result) => inactive(result["status"].as_str()),
                Err(said) => Some(said.trouble("to look at the token").to_string()),
            },
            Err(trouble) => Some(trouble.to_string()),
        };
        vec![Checked { what, missing }]
    }

    /// Looks whether Images can be listed.
    pub(super) async fn check_images(&self) -> Checked {
        let missing = self
            .missing("/images/v2?per_page=10", "to list pictures")
            .await;
        Checked {
            what: "Cloudflare Images".to_owned(),
            missing,
        }
    }

    /// Looks whether Stream can be listed.
    pub(super) async fn check_stream(&self) -> Checked {
        let missing = self.missing("/stream?limit=1", "to list films").await;
        Checked {
            what: "Cloudflare Stream".to_owned(),
            missing,
        }
    }

    async fn missing(&self, path: &str, doing: &str) -> Option<String> {
        let asked: Result<(), Trouble> = match self.api().ask(Ask::get(path, doing)).await {
            Ok(answer) => match answer.result() {
                Ok(_) => Ok(()),
                Err(said) => Err(said.trouble(doing)),
            },
            Err(trouble) => Err(trouble),
        };
        asked.err().map(|trouble| trouble.to_string())
    }
}

/// What is wrong with a token that is known.
fn inactive(status: Option<&str>) -> Option<String> {
    match status {
        None | Some("active") => None,
        Some(status) => Some(format!(
            "the token is {status}; make a new one in Cloudflare's dashboard"
        )),
    }
}
