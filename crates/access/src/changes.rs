//! What has changed, so that nothing that was remembered before is believed after.
//!
//! Every change of a user, and the end of a session or a token, is a change of that
//! user. It is counted in the database within its transaction, told on the bus after
//! it, and the count is looked at every second: who missed the message, and who is
//! another process on the same SQLite file, still hears of it.

use base::UserId;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use tokio::sync::watch;

/// Users share these places; who shares one with a changed user is checked anew, too.
const PLACES: usize = 256;
/// The bus topic.
pub(crate) const TOPIC: &str = "access";

/// What a transaction changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// What this user is and may do, or one of its sessions or tokens.
    User(UserId),
    /// Its password, and so how many may be tried again.
    Password(UserId),
    /// The secrets.
    Secrets,
}

impl Change {
    /// As it stands on the bus, with its number.
    pub(crate) fn told(self, number: i64) -> String {
        match self {
            Self::User(user) => format!("user {user} {number}"),
            Self::Password(user) => format!("password {user} {number}"),
            Self::Secrets => format!("secrets {number}"),
        }
    }

    /// From the bus; nothing where it was not understood.
    pub(crate) fn heard(text: &str) -> Option<(Self, i64)> {
        let (what, number) = text.rsplit_once(' ')?;
        let change = match what.split_once(' ') {
            Some(("user", id)) => Self::User(id.parse().ok()?),
            Some(("password", id)) => Self::Password(id.parse().ok()?),
            None if what == "secrets" => Self::Secrets,
            _ => return None,
        };
        Some((change, number.parse().ok()?))
    }
}

/// When something was looked up, counted in changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(u64);

/// The changes that this process has heard of.
#[derive(Debug)]
pub(crate) struct Changes {
    count: AtomicU64,
    of_users: Box<[AtomicU64]>,
    of_everything: AtomicU64,
    /// The newest number of the database up to which none was missed.
    number: AtomicI64,
    told: watch::Sender<u64>,
}

impl Changes {
    pub(crate) fn new(number: i64) -> Self {
        Self {
            count: AtomicU64::new(0),
            of_users: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            of_everything: AtomicU64::new(0),
            number: AtomicI64::new(number),
            told: watch::Sender::new(0),
        }
    }

    /// Call it before looking something up; what is found holds since then.
    pub(crate) fn now(&self) -> Since {
        Since(self.count.load(SeqCst))
    }

    /// Whether what was looked up about `user` may still be believed.
    pub(crate) fn holds(&self, user: UserId, since: Since) -> bool {
        since.0 >= self.of_everything.load(SeqCst) && since.0 >= self.place(user).load(SeqCst)
    }

    /// Call it after the change is in the database.
    pub(crate) fn user_changed(&self, user: UserId) {
        let count = self.count.fetch_add(1, SeqCst) + 1;
        self.place(user).fetch_max(count, SeqCst);
        self.told.send_replace(count);
    }

    /// Nothing remembered is believed any more.
    pub(crate) fn everything_changed(&self) {
        let count = self.count.fetch_add(1, SeqCst) + 1;
        self.of_everything.fetch_max(count, SeqCst);
        self.told.send_replace(count);
    }

    /// Notes that the change with this number was heard of.
    pub(crate) fn heard(&self, number: i64) {
        // Another one before it may still be on its way: then the next look finds a gap.
        let _ = self
            .number
            .compare_exchange(number.saturating_sub(1), number, SeqCst, SeqCst);
    }

    /// Compares with the database's number; whether changes were missed.
    pub(crate) fn missed(&self, number: i64) -> bool {
        self.number.swap(number, SeqCst) != number
    }

    /// Makes the next look find something missed, since this one could not be followed.
    pub(crate) fn look_again(&self) {
        self.number.store(i64::MIN, SeqCst);
    }

    /// Hears of every change of users.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    fn place(&self, user: UserId) -> &AtomicU64 {
        // The last byte of a UUIDv7 is random.
        &self.of_users[usize::from(user.uuid().as_bytes()[15])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_before_a_change_is_not_believed_after_it() {
        let changes = Changes::new(0);
        let (one, other) = (
            UserId::from(uuid::Uuid::from_u128(1)),
            UserId::from(uuid::Uuid::from_u128(2)),
        );
        let before = changes.now();
        assert!(changes.holds(one, before));
        changes.user_changed(one);
        assert!(!changes.holds(one, before) && changes.holds(other, before));
        assert!(changes.holds(one, changes.now()));
        let between = changes.now();
        changes.everything_changed();
        assert!(!changes.holds(one, between) && !changes.holds(other, before));
    }

    #[test]
    fn a_gap_in_the_numbers_is_noticed_and_an_own_change_is_none() {
        let changes = Changes::new(7);
        changes.heard(8);
        assert!(!changes.missed(8));
        changes.heard(10);
        assert!(changes.missed(10), "the ninth was not heard of");
        assert!(!changes.missed(10));
    }

    #[test]
    fn a_change_survives_the_bus() {
        let user = UserId::new();
        for change in [Change::User(user), Change::Password(user), Change::Secrets] {
            assert_eq!(Change::heard(&change.told(9)), Some((change, 9)));
        }
        for text in ["", "user", "user 1 2", "secrets", "secrets x", "other 1"] {
            assert_eq!(Change::heard(text), None, "{text}");
        }
    }
}
