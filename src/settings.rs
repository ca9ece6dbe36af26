//! Reads the server's configuration from its file, the environment and the flags.

mod origin;

pub(crate) use origin::Origins;

use crate::arguments::ServeArguments;
use crate::exit::{Code, Failure, Result};
use base::Config;
use base::config::{Loaded, Overrides};
use std::io;
use std::path::{Path, PathBuf};

/// Read when no other file is named.
const USUAL: &str = "longshore.toml";

/// The configuration as it is now. Blocking.
pub(crate) fn load(arguments: &ServeArguments) -> Result<Loaded> {
    let file = read_file(arguments.host.config.as_deref())?;
    let file = file
        .as_ref()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let mut overrides = Overrides::default()
        .flag("--listen", "listen", arguments.listen.as_ref())
        .flag("--s3-listen", "s3_listen", arguments.s3_listen.as_ref())
        .flag("--data", "data", arguments.host.data.as_ref());
    for assignment in &arguments.host.set {
        overrides = overrides.assignment("--set", assignment);
    }
    // A variable that is not UTF-8 cannot be a setting.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let loaded = Config::load(file, environment, &overrides)
        .map_err(|error| Failure::new(Code::Usage, error))?;
    let unknown = loaded.config.unknown_kinds(&crate::serve::kinds::NAMES);
    if unknown.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::new(Code::Usage, unknown.join("\n")))
    }
}

fn read_file(named: Option<&Path>) -> Result<Option<(String, String)>> {
    let path = named.map_or_else(|| PathBuf::from(USUAL), Path::to_path_buf);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path.display().to_string(), text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => Err(Failure::new(
            Code::Usage,
            format!(
                "the configuration file {} cannot be read: {error}",
                path.display()
            ),
        )),
    }
}

/// What the environment says of a sync from Spaces to Cloudflare, if it does.
pub(crate) fn sync_variables() -> Result<Option<syncs::Variables>> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    syncs::Variables::read(environment).map_err(|error| Failure::new(Code::Usage, error))
}
