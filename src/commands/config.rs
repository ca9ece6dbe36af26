//! `longshore config`: the server's configuration as it would be in force, read on
//! its host. It opens nothing and changes nothing.

use crate::arguments::HostArguments;
use crate::exit::Result;
use crate::settings::Origins;
use crate::{settings, terminal};
use base::config::Loaded;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value, and where that comes from. Secrets are not shown.
    Show(ShowArguments),
    /// Say whether the configuration can be understood.
    Check(HostArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    host: HostArguments,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: ConfigCommand) -> Result {
    match command {
        ConfigCommand::Show(arguments) => show(arguments),
        ConfigCommand::Check(host) => check(host),
    }
}

fn check(host: HostArguments) -> Result {
    let loaded = settings::load(&host.into())?;
    warn(&loaded);
    terminal::say("The configuration is understood.");
    Ok(())
}

fn warn(loaded: &Loaded) {
    for unknown in &loaded.unknown_variables {
        terminal::say(&format!("warning: {unknown}"));
    }
}

fn show(arguments: ShowArguments) -> Result {
    let serve = arguments.host.into();
    let loaded = settings::load(&serve)?;
    warn(&loaded);
    let origins = Origins::read(&serve)?;
    let all = loaded.config.shown().map(|(setting, value)| {
        let origin = origins.of(setting);
        (
            setting.key.to_owned(),
            value,
            origin.unwrap_or_else(|| "default".to_owned()),
        )
    });
    if arguments.json {
        let object =
            all.map(|(key, value, origin)| (key, json!({ "value": value, "from": origin })));
        return terminal::json(&Value::Object(object.collect()));
    }
    let rows =
        all.map(|(key, value, origin)| vec![key, value.unwrap_or_else(|| "-".to_owned()), origin]);
    terminal::table(&["SETTING", "VALUE", "FROM"], rows)
}
