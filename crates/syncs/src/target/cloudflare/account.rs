//! An account of Cloudflare's, asked by all syncs of it through one handle.
//!
//! What is shared is what Cloudflare counts for the token: requests, the token for
//! batches, and whether it takes videos just now. That outlives who asks, so that the next one
//! does not ask while nothing is taken.

use super::budget::{Budget, LONGEST};
use super::door::Batch;
use fetch::{Client, ExtraHeaders, Limits, RetryLimits};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// The address of Cloudflare's API.
pub const API: &str = "https://api.cloudflare.com/client/v4";
/// The address of its API for many images, outside the limit of the API.
pub const BATCH: &str = "https://batch.imagedelivery.net";

/// What Cloudflare takes of one token, unless it says otherwise.
const REQUESTS: u64 = 1200;
const WITHIN: Duration = Duration::from_secs(300);
/// What it takes of one token for batches, a second.
const BATCH_REQUESTS: u64 = 200;

/// Exchanges at once. How many files are on their way at once is not decided here.
const AT_ONCE: usize = 64;
/// How long a body may stand still, and an answer take: a little more than the 100 seconds
/// after which Cloudflare's edge gives up (524).
const PATIENCE: Duration = Duration::from_secs(120);

/// Which account, where, and by which right.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The address of the API, [`API`] as a rule.
    pub api: String,
    /// The address of the API for many images, [`BATCH`] as a rule; without it images go
    /// through the API itself.
    pub batch: Option<String>,
    /// The account's id.
    pub account: String,
    /// A token that may edit Images and Stream of the account.
    pub token: SecretString,
}

impl AccountSettings {
    /// An account at Cloudflare itself, or at `api`, which has no address for batches.
    #[must_use]
    pub fn new(account: String, token: SecretString, api: Option<String>) -> Self {
        let batch = api.is_none().then(|| BATCH.to_owned());
        Self {
            api: api.unwrap_or_else(|| API.to_owned()),
            batch,
            account,
            token,
        }
    }

    /// As they are asked by, once it is known that they can be.
    fn checked(mut self, client: &Client) -> Result<Self, String> {
        self.check()?;
        self.api = without_slash(&self.api);
        self.batch = self.batch.as_deref().map(without_slash);
        for address in [Some(&self.api), self.batch.as_ref()].into_iter().flatten() {
            let refused = |refused| format!("Cloudflare's address is not asked: {refused}");
            client.check(address).map_err(refused)?;
        }
        Ok(self)
    }

    fn check(&self) -> Result<(), String> {
        let is_id = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        if self.account.is_empty() || !self.account.bytes().all(is_id) {
            return Err(
                "that is no id of a Cloudflare account: copy the 32 letters and digits from the \
                 dashboard's overview"
                    .to_owned(),
            );
        }
        let token = self.token.expose_secret();
        let bearer = format!("Bearer {token}");
        if token.is_empty() || ExtraHeaders::parse([("Authorization", &*bearer)]).is_err() {
            return Err("the Cloudflare token is empty or holds what no token holds".to_owned());
        }
        Ok(())
    }

    /// Whether both mean the same right.
    fn is(&self, other: &Self) -> bool {
        self.api == other.api
            && self.batch == other.batch
            && self.account == other.account
            && self.token.expose_secret() == other.token.expose_secret()
    }
}

/// The account. Clones are the same one.
#[derive(Clone)]
pub struct Account(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) settings: AccountSettings,
    pub(super) client: Client,
    pub(super) counted: Arc<Counted>,
}

/// What Cloudflare counts for a token.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) budget: Budget,
    pub(super) batch_budget: Budget,
    pub(super) batch: Batch,
    /// Until when no video is made, since Cloudflare has too many to work on.
    no_videos_until: Mutex<Option<Instant>>,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            budget: Budget::new(REQUESTS, WITHIN),
            batch_budget: Budget::new(BATCH_REQUESTS, Duration::from_secs(1)),
            batch: Batch::default(),
            no_videos_until: Mutex::default(),
        }
    }
}

impl Counted {
    fn no_videos_for(&self) -> Option<Duration> {
        let until = self.no_videos_until.lock();
        let until = *until.unwrap_or_else(PoisonError::into_inner);
        let left = until?.saturating_duration_since(Instant::now());
        Some(left).filter(|left| !left.is_zero())
    }

    /// Whether one that begins anew would know as much.
    fn is_as_new(&self) -> bool {
        let budgets = [&self.budget, &self.batch_budget];
        budgets.into_iter().all(Budget::is_as_new) && self.no_videos_for().is_none()
    }
}

impl Account {
    fn new(settings: AccountSettings, client: &Client, counted: Arc<Counted>) -> Self {
        let limits = Limits {
            total: AT_ONCE,
            per_host: AT_ONCE,
            first_byte: PATIENCE,
            max_bytes: None,
            least_bytes: 0,
            // What is tried again is counted, waited for and told of by the delivery.
            retry: RetryLimits {
                attempts: 1,
                ..client.limits().retry.clone()
            },
            ..client.limits().clone()
        };
        Self(Arc::new(Inner {
            client: client.apart(limits),
            settings,
            counted,
        }))
    }

    /// How long Cloudflare takes no video from now on, if it has said so.
    pub(super) fn no_videos_for(&self) -> Option<Duration> {
        self.0.counted.no_videos_for()
    }

    pub(super) fn stop_videos(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let stopped = self.0.counted.no_videos_until.lock();
        *stopped.unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

fn without_slash(address: &str) -> String {
    address.trim_end_matches('/').to_owned()
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.0.settings.account)
    }
}

/// The accounts that are in use, or were lately: each is there once, so that all syncs share
/// its limits.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<Vec<Known>>);

#[derive(Debug)]
struct Known {
    settings: AccountSettings,
    in_use: Weak<Inner>,
    counted: Arc<Counted>,
}

impl Accounts {
    /// The account of these settings: the one that is in use already, or a new one that
    /// asks through `client`. Nothing is asked yet.
    ///
    /// # Errors
    /// What is wrong with the settings, and what to do.
    pub fn open(&self, settings: AccountSettings, client: &Client) -> Result<Account, String> {
        let settings = settings.checked(client)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.in_use.strong_count() > 0 || !known.counted.is_as_new());
        if let Some(known) = all.iter_mut().find(|known| known.settings.is(&settings)) {
            if let Some(inner) = known.in_use.upgrade() {
                return Ok(Account(inner));
            }
            // By the client of now, with what was counted before.
            let account = Account::new(settings, client, Arc::clone(&known.counted));
            known.in_use = Arc::downgrade(&account.0);
            return Ok(account);
        }
        let counted = Arc::<Counted>::default();
        let account = Account::new(settings.clone(), client, Arc::clone(&counted));
        all.push(Known {
            settings,
            in_use: Arc::downgrade(&account.0),
            counted,
        });
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use fetch::Policy;

    fn settings(account: &str, token: &str) -> AccountSettings {
        AccountSettings {
            api: format!("{API}/"),
            batch: Some(BATCH.to_owned()),
            account: account.to_owned(),
            token: token.to_owned().into(),
        }
    }

    #[test]
    fn syncs_of_one_account_share_it() {
        let client = Client::new(Policy::default(), Limits::default());
        let accounts = Accounts::default();
        let open = |account, token| accounts.open(settings(account, token), &client).unwrap();
        let first = open("abc", "one");
        let again = open("abc", "one");
        let other = open("abc", "two");
        assert!(Arc::ptr_eq(&first.0, &again.0));
        assert!(!Arc::ptr_eq(&first.0, &other.0));
        drop((first, again));
        let _anew = open("abd", "one");
        assert_eq!(accounts.0.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_kept_as_long_as_it_counts() {
        let client = Client::new(Policy::default(), Limits::default());
        let accounts = Accounts::default();
        let open = |account| accounts.open(settings(account, "one"), &client).unwrap();
        let crowded = open("abc");
        // Longer than any clock reaches.
        crowded.stop_videos(Duration::MAX);
        drop(crowded);
        let asked = open("abd");
        asked.0.counted.budget.take().await.unwrap();
        drop(asked);
        let still = open("abc");
        assert_eq!(still.no_videos_for(), Some(LONGEST));
        assert_eq!(accounts.0.lock().unwrap().len(), 2);
        drop(still);
        tokio::time::advance(WITHIN).await;
        let _again = open("abc");
        assert_eq!(accounts.0.lock().unwrap().len(), 1, "the window is over");
        tokio::time::advance(LONGEST).await;
        assert_eq!(open("abc").no_videos_for(), None);
    }

    #[test]
    fn settings_that_cannot_be_right_are_refused_without_the_token() {
        let client = Client::new(Policy::default(), Limits::default());
        let accounts = Accounts::default();
        for (account, token) in [("", "t"), ("a/b", "t"), ("a", ""), ("a", "secret\n")] {
            let why = accounts
                .open(settings(account, token), &client)
                .unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
        let inside = AccountSettings {
            api: "http://127.0.0.1/client/v4".to_owned(),
            ..settings("a", "t")
        };
        assert!(accounts.open(inside, &client).is_err());
    }
}
