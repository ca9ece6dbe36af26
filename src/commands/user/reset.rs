//! `longshore user reset-password`: whoever can read the data directory may let
//! somebody in again.
//!
//! It works on the database itself, so it needs no password, no token and no server,
//! and it works while one runs: it does not take the data directory's lock, writes
//! one small transaction, and the server notices within a second. It never changes
//! the schema, for a running server may be of another version.

use super::ResetArguments;
use crate::commands::block_on;
use crate::commands::errand::{Errand, LIMIT, busy, master_keys};
use crate::exit::{Failure, Result};
use crate::{settings, terminal};
use access::{Access, AccessError, Doer, GeneratedPassword};
use base::Name;

pub(super) fn run(arguments: ResetArguments) -> Result {
    let config = settings::load(&arguments.host.into())?.config;
    let keys = master_keys(&config.data)?;
    let name = arguments.name;
    block_on(async {
        let errand = tokio::time::timeout(LIMIT, Errand::open(&config, keys));
        let errand = errand.await.map_err(|_| {
            busy("the database is busy; nothing was changed, try again in a moment")
        })??;
        let done = tokio::time::timeout(LIMIT, reset(errand.access(), name.as_str())).await;
        let told = match done {
            Ok(Ok(password)) => tell(&name, &password),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(busy(
                "the database is busy, and whether the password was set is not known; try again",
            )),
        };
        // Only now: however closing ends, the password is set and has been told.
        errand.close().await;
        told
    })
}

fn tell(name: &Name, password: &GeneratedPassword) -> Result {
    terminal::say(&format!(
        "{name} logs in with this password from now on; its sessions have ended:"
    ));
    terminal::line(password.reveal())
}

async fn reset(access: &Access, name: &str) -> Result<GeneratedPassword> {
    let done = access.reset_password(&Doer::host(), name).await;
    done.map_err(|error| match error {
        AccessError::NotFound { .. } => Failure::failed(format!(
            "there is no user `{name}`; the first one is called admin"
        )),
        error => error.into(),
    })
}
