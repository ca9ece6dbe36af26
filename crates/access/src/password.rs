//! Passwords: hashing and checking them, off the runtime's threads and few at once.
//!
//! It never says why a password was refused, and an unknown user costs what a
//! known one does.

use crate::{AccessError, Result};
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::Error::Stopped;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory of one hash in KiB: 19 MiB. With two passes and one lane it is what the
/// OWASP Password Storage Cheat Sheet asks of argon2id at least.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes from which on glibc gives an allocation back to the system as soon as it is
/// freed, whatever was allocated before (mallopt(3), M_MMAP_THRESHOLD). What is smaller
/// it keeps after the second time, and an idle server would hold 19 MiB for nothing.
const GIVEN_BACK: usize = 33 << 20;
/// The fewest characters of a password. No rules on their kinds: length is what
/// counts (NIST SP 800-63B, 3.1.1.2).
pub(crate) const SHORTEST: usize = 10;
/// The most, so that nobody makes us hash megabytes.
pub(crate) const LONGEST: usize = 512;
/// How long one waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// Letters and digits that are not taken for one another when read aloud or copied by hand.
const READABLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// 20 characters of 31 are 99 bits.
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// A password that Longshore made up. Shown once, to the one who asked for it.
#[derive(Clone, Debug)]
pub struct GeneratedPassword(SecretString);

impl GeneratedPassword {
    /// Four groups of five readable characters, 99 bits.
    #[must_use]
    pub fn new() -> Self {
        let mut text = String::with_capacity(GROUPS * (GROUP + 1));
        for index in 0..GROUPS * GROUP {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(READABLE[rand::random_range(0..READABLE.len())]));
        }
        Self(text.into())
    }

    /// The password, to be printed once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) const fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl Default for GeneratedPassword {
    fn default() -> Self {
        Self::new()
    }
}

/// A password's hash, as it is stored. `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Hashed(String);

impl Hashed {
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// A turn at hashing. Whoever holds it also counts the outcome before giving it
/// back, so that no more guesses are under way than there are turns.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    nobody: Hashed,
    checked: AtomicU64,
    /// Counted when argon2 has done its work, and not before.
    worked: Arc<AtomicU64>,
}

impl Passwords {
    /// At most `at_once` hashes run at a time.
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            nobody: nobodys(),
            checked: AtomicU64::new(0),
            worked: Arc::default(),
        }
    }

    /// Waits for a turn, for as long as one can be kept waiting.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let waiting = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(_)) => Err(Stopped.into()),
            Err(_) => Err(AccessError::Busy),
        }
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: &SecretString) -> Result<Hashed> {
        rules(password)?;
        let turn = self.turn().await?;
        let password = password.clone();
        // The turn goes along: a caller who leaves does not free a core that still hashes.
        let work = tokio::task::spawn_blocking(move || {
            let hashed = hash(password.expose_secret());
            drop(turn);
            hashed
        });
        work.await.map_err(|_| Stopped.into())
    }

    /// Whether the password is the one that was stored; with nobody to compare it
    /// with, the same work is done and the answer is no.
    pub(crate) async fn check(
        &self,
        turn: Turn,
        stored: Option<&Hashed>,
        password: &SecretString,
    ) -> Result<(bool, Turn)> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        let somebody = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).clone();
        let password = password.clone();
        let worked = Arc::clone(&self.worked);
        let work = tokio::task::spawn_blocking(move || {
            let fits = verify(&stored, password.expose_secret(), &worked);
            (fits && somebody, turn)
        });
        work.await.map_err(|_| Stopped.into())
    }

    /// The hash with which passwords of nobody are compared.
    pub(crate) const fn nobody(&self) -> &Hashed {
        &self.nobody
    }

    /// How many checks were begun, whether or not there was anybody to compare with.
    #[cfg(test)]
    pub(crate) fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// For how many checks argon2 has done all of its work.
    #[cfg(test)]
    pub(crate) fn worked(&self) -> u64 {
        self.worked.load(Ordering::Relaxed)
    }
}

/// Whether a new password is long enough, and not too long.
fn rules(password: &SecretString) -> Result<()> {
    let length = password.expose_secret().chars().count();
    if (SHORTEST..=LONGEST).contains(&length) {
        Ok(())
    } else {
        Err(AccessError::WeakPassword {
            min: SHORTEST,
            max: LONGEST,
        })
    }
}

/// Every hash is made with these; a stored one says itself how it was made.
fn parameters() -> Params {
    Params::new(MEMORY, PASSES, LANES, None).expect("constants within argon2's range")
}

fn hash(password: &str) -> Hashed {
    // The one way to fail is a system without randomness, where nothing here can be done.
    let salt: [u8; Salt::RECOMMENDED_LENGTH] = rand::random();
    let made = made(password, &salt, parameters());
    Hashed(
        made.expect("parameters and salt are of the right sizes")
            .to_string(),
    )
}

fn made(password: &str, salt: &[u8], parameters: Params) -> Option<PasswordHash> {
    let salt = Salt::new(salt).ok()?;
    let output = digest(Version::V0x13, parameters.clone(), password, &salt)?;
    phc(&parameters, salt, output)
}

fn phc(parameters: &Params, salt: Salt, output: Output) -> Option<PasswordHash> {
    Some(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(parameters).ok()?,
        hash: Some(output),
        salt: Some(salt),
    })
}

/// A hash as [`hash`] makes them, of no password: what would have come of one is drawn, which
/// no start has to wait for. To be compared with it takes what any other takes.
fn nobodys() -> Hashed {
    let (salt, output): (
        [u8; Salt::RECOMMENDED_LENGTH],
        [u8; Params::DEFAULT_OUTPUT_LEN],
    ) = rand::random();
    let salt = Salt::new(&salt).expect("a salt of the recommended length");
    let output = Output::new(&output).expect("an output of the usual length");
    let made = phc(&parameters(), salt, output);
    Hashed(made.expect("parameters of the right sizes").to_string())
}

/// Compares in constant time. A stored text that is no hash fits no password.
fn verify(stored: &Hashed, password: &str, worked: &AtomicU64) -> bool {
    // Nothing longer was ever stored, and hashing it would be somebody's way to keep us busy.
    let storable = password.len() <= LONGEST * 4;
    let password = if storable { password } else { "" };
    fits(stored, password, worked).unwrap_or(false) && storable
}

/// Nothing, when what is stored is no hash of argon2id.
fn fits(stored: &Hashed, password: &str, worked: &AtomicU64) -> Option<bool> {
    let stored = PasswordHash::new(&stored.0).ok()?;
    if stored.algorithm != Algorithm::Argon2id.ident() {
        return None;
    }
    let version = Version::try_from(stored.version?).ok()?;
    let parameters = Params::try_from(&stored).ok()?;
    let made = digest(version, parameters, password, &stored.salt?)?;
    worked.fetch_add(1, Ordering::Relaxed);
    // `Output` compares in constant time.
    Some(made == stored.hash?)
}

/// The hash itself, in memory that is given back afterwards.
fn digest(version: Version, parameters: Params, password: &str, salt: &Salt) -> Option<Output> {
    let blocks = parameters.block_count();
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK / Block::SIZE));
    // Only what is used is touched, and thereby resident.
    memory.resize(blocks, Block::default());
    let mut output = [0; Output::MAX_LENGTH];
    let length = parameters.output_len();
    let output = output.get_mut(..length.unwrap_or(Params::DEFAULT_OUTPUT_LEN))?;
    Argon2::new(Algorithm::Argon2id, version, parameters)
        .hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory)
        .ok()?;
    Output::new(output).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let stored = hash("correct horse");
        let worked = AtomicU64::new(0);
        let verify = |stored: &Hashed, password: &str| verify(stored, password, &worked);
        assert!(
            stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            stored.0
        );
        assert!(verify(&stored, "correct horse"));
        assert!(!verify(&stored, "correct horsf"));
        assert!(!verify(&Hashed::stored("nonsense".to_owned()), "nonsense"));
        assert!(!verify(&hash(""), &"x".repeat(LONGEST * 4 + 1)));
    }

    #[tokio::test]
    async fn an_unknown_user_is_compared_with_a_hash_of_the_same_parameters() {
        let passwords = Passwords::new(1);
        let (nobody, somebody) = (&passwords.nobody, hash("somebody's"));
        let parameters = |hashed: &Hashed| hashed.0.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(parameters(nobody), parameters(&somebody));
        assert_eq!(nobody.0.len(), somebody.0.len(), "salt and output too");
        let turn = passwords.turn().await.expect("a turn");
        let anything = SecretString::from("anything");
        let (fits, _) = passwords
            .check(turn, None, &anything)
            .await
            .expect("a check");
        assert!(!fits);
        assert_eq!(passwords.worked(), 1, "all of argon2's work was done");
    }

    #[test]
    fn generated_passwords_are_readable_and_differ() {
        let first = GeneratedPassword::new();
        let groups: Vec<&str> = first.reveal().split('-').collect();
        assert_eq!(groups.len(), GROUPS);
        assert!(groups.iter().all(|group| group.len() == GROUP));
        assert_ne!(first.reveal(), GeneratedPassword::new().reveal());
        assert!(!format!("{first:?}").contains(first.reveal()));
        assert!(rules(first.secret()).is_ok());
    }

    #[test]
    fn a_password_has_ten_characters_whatever_their_kind() {
        for (text, good) in [
            ("123456789", false),
            ("1234567890", true),
            ("éééééééééé", true),
            ("éééééé", false),
        ] {
            assert_eq!(rules(&text.into()).is_ok(), good, "{text}");
        }
        assert!(rules(&"x".repeat(LONGEST + 1).into()).is_err());
    }
}
