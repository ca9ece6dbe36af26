//! The limits of access, with their defaults.

use crate::limit::AttemptLimits;
use std::time::Duration;

/// The limits of access. The configuration has most of them, with the same defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessSettings {
    /// How long a console session lives without being used.
    pub session_ttl: Duration,
    /// How long it lives at most, however much it is used.
    pub session_lifetime: Duration,
    /// How many failed log-ins there may be.
    pub attempts: AttemptLimits,
    /// How long a verified credential is remembered; zero verifies at every request.
    pub cache_time: Duration,
    /// Passwords hashed at once; each takes 19 MiB and a core meanwhile.
    pub argon2_concurrency: usize,
    /// How often the number of changes in the database is looked at, by which even a
    /// replica that missed the message, or a command on the host, is noticed.
    pub look: Duration,
    /// How long the record of who did what is kept.
    pub audit_retention: Duration,
}

impl Default for AccessSettings {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        Self {
            session_ttl: days(14),
            session_lifetime: days(90),
            attempts: AttemptLimits {
                per_account: 10,
                per_address: 50,
                window: Duration::from_secs(15 * 60),
            },
            cache_time: Duration::from_secs(60),
            argon2_concurrency: 2,
            look: Duration::from_secs(1),
            audit_retention: days(730),
        }
    }
}
