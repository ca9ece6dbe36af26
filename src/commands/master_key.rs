//! `longshore master-key`: the key that encrypts secrets, on the server's host, while
//! the server is stopped.

use crate::arguments::HostArguments;
use crate::commands::block_on;
use crate::commands::errand::{Errand, LIMIT, busy, master_keys};
use crate::exit::Result;
use crate::serve::parts::MASTER_KEY;
use crate::{settings, terminal};
use access::Doer;
use clap::Subcommand;
use storage::DataDir;

#[derive(Debug, Subcommand)]
pub(crate) enum MasterKeyCommand {
    /// Make a new master key and encrypt every secret with it. Stop the server first, and
    /// with replicas every one of them; then copy the file to their data directories.
    Rotate(HostArguments),
}

pub(crate) fn run(command: MasterKeyCommand) -> Result {
    match command {
        MasterKeyCommand::Rotate(host) => rotate(host),
    }
}

fn rotate(host: HostArguments) -> Result {
    let config = settings::load(&host.into())?.config;
    // Nothing is made where no Longshore was.
    let keys = master_keys(&config.data)?.with_new_key();
    // It is refused while a server runs here, which would go on with the old key.
    let directory = DataDir::open(&config.data)?;
    let encrypted = block_on(async {
        let before = tokio::time::timeout(LIMIT, Errand::open(&config, master_keys(&config.data)?));
        let before = before
            .await
            .map_err(|_| busy("the database is busy; nothing was changed, try again"))??;
        // Key and database belong together; now the new key is on the disk before
        // anything is encrypted with it.
        before.close().await;
        directory.replace(MASTER_KEY, &keys.file())?;
        let errand = Errand::open(&config, keys).await?;
        let by = Doer::host();
        let rotated = tokio::time::timeout(LIMIT, errand.access().rotate(&by)).await;
        errand.close().await;
        let encrypted = rotated.map_err(|_| {
            busy("the database is busy; the new key is in the file, and nothing is lost: run this again")
        })??;
        Ok(encrypted)
    })?;
    terminal::say(&format!(
        "A new master key is in force; secrets encrypted with it: {encrypted}. The older keys stay \
         in {}, for what operations have stored; keep a copy of it apart.",
        directory.path().join(MASTER_KEY).display()
    ));
    Ok(())
}
