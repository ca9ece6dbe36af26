//! Whether a picture that nothing says anything of is the file: byte by byte, with a piece
//! of each in memory.
//!
//! Whoever used Cloudflare before Longshore has pictures under the same ids without a mark.

use super::account::Account;
use super::answer::Answer;
use super::door::unanswered;
use super::pictures::image_path;
use crate::target::{Ground, Item, Trouble};
use bytes::Bytes;
use fetch::{ExtraHeaders, FetchError, Request, Response};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// Compares the picture at Cloudflare with the file.
pub(super) async fn is_the_same(
    account: &Account,
    id: &str,
    item: &Item,
    ground: &dyn Ground,
) -> Result<bool, Trouble> {
    let Some(mut theirs) = blob(account, id, item.size).await? else {
        return Ok(false);
    };
    if theirs
        .content_length()
        .is_some_and(|length| length != item.size)
    {
        return Ok(false);
    }
    let mut ours = ground.open(0).await?;
    let (mut left, mut right) = (Bytes::new(), Bytes::new());
    loop {
        while left.is_empty()
            && let Some(piece) = ours.next().await
        {
            left = piece?;
        }
        if right.is_empty() {
            right = match theirs.next_chunk().await {
                Ok(piece) => piece.unwrap_or_default(),
                Err(FetchError::TooLarge { .. }) => return Ok(false),
                Err(error) => return Err(unanswered(&error)),
            };
        }
        let both = left.len().min(right.len());
        if both == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.split_to(both) != right.split_to(both) {
            return Ok(false);
        }
    }
}

/// The picture's own bytes; nothing where Cloudflare gives none, as of ones that it has
/// made smaller.
async fn blob(account: &Account, id: &str, most: u64) -> Result<Option<Response>, Trouble> {
    account.api().enter().await?;
    let settings = &account.0.settings;
    let path = image_path(id);
    let url = format!("{}/accounts/{}{path}/blob", settings.api, settings.account);
    let refused = |refused| Trouble::Everything {
        reason: format!("Cloudflare's address is not asked: {refused}"),
    };
    let url = account.0.client.check(&url).map_err(refused)?;
    let bearer = account.bearer();
    let headers = ExtraHeaders::parse([("Authorization", bearer.as_str())]).map_err(refused)?;
    let request = Request::get(url)
        .headers(headers)
        .max_bytes(most)
        .without_redirects();
    let response = account
        .0
        .client
        .send(request, &CancellationToken::new())
        .await;
    match response {
        Ok(response) if response.status().is_success() => Ok(Some(response)),
        Ok(response) if response.status() == 429 => {
            let budget = &account.0.counted.budget;
            let doing = "to show the content of the picture that is there";
            Err(budget.too_many(&Answer::head(&response), doing))
        }
        Ok(response) if response.status().is_server_error() => Err(Trouble::Later {
            reason: format!(
                "Cloudflare answered {} to the question for the picture that is there",
                response.status().as_u16()
            ),
            after: response.retry_after(),
        }),
        Ok(_) | Err(FetchError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(unanswered(&error)),
    }
}
