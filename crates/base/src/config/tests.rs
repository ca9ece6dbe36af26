//! What a configuration promises to the one who writes it.

#![allow(clippy::unwrap_used)]

mod declared;
mod mistakes;
mod secrets;
mod sources;

use super::*;

fn file(text: &str) -> Result<Config, ConfigError> {
    let loaded = Config::load(Some(("longshore.toml", text)), [], &Overrides::default());
    loaded.map(|loaded| loaded.config)
}

fn environment(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::load(None, pairs.iter().map(owned), &Overrides::default())
}
