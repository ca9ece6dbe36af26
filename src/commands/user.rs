//! `longshore user`: users, by way of the server; and, on its host alone, the way
//! back in for who has lost a password.

mod reset;

use crate::arguments::{HostArguments, ServerArguments};
use crate::client::Client;
use crate::commands::converse;
use crate::commands::login::{ask_secret, from_stdin};
use crate::commands::ops::when;
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use access::Role;
use base::Name;
use clap::{Args, Subcommand};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user.
    Add(AddArguments),
    /// List users.
    Ls(ListArguments),
    /// Give a user another role.
    Role(RoleArguments),
    /// Delete a user, with its sessions and tokens.
    Rm(OneArguments),
    /// Set a user's password.
    Password(PasswordArguments),
    /// On the server's host: give a user a new password, whoever lost it. Also while
    /// the server runs.
    ResetPassword(ResetArguments),
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Its name: letters, digits, `.`, `-`, `_`.
    name: Name,
    /// What it may do: viewer sees, operator works, admin also decides who may.
    #[arg(long)]
    role: Role,
    /// Read its password from standard input; without, one is made up and printed.
    #[arg(long)]
    password_stdin: bool,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RoleArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The user.
    name: Name,
    /// viewer, operator or admin.
    role: Role,
}

#[derive(Args, Debug)]
pub(crate) struct OneArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The user.
    name: Name,
}

#[derive(Args, Debug)]
pub(crate) struct PasswordArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The user.
    name: Name,
    /// Read the new password from the first line of standard input, and for one's own
    /// the present one from the second.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ResetArguments {
    #[command(flatten)]
    pub(super) host: HostArguments,
    /// The user.
    pub(super) name: Name,
}

pub(crate) fn run(command: UserCommand) -> Result {
    match command {
        UserCommand::Add(arguments) => add(&arguments),
        UserCommand::Ls(arguments) => list(&arguments),
        UserCommand::Role(arguments) => set_role(&arguments),
        UserCommand::Rm(arguments) => remove(&arguments),
        UserCommand::Password(arguments) => set_password(&arguments),
        UserCommand::ResetPassword(arguments) => reset::run(arguments),
    }
}

fn add(arguments: &AddArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    let mut wanted = json!({
        "name": arguments.name.as_str(),
        "role": arguments.role.as_str(),
    });
    if arguments.password_stdin {
        let password = from_stdin("a password")?;
        wanted["password"] = password.expose_secret().into();
    }
    converse(async {
        let made = client.post("/api/v1/users", &wanted).await?;
        if arguments.json {
            return terminal::json(&made);
        }
        match made["password"].as_str() {
            Some(password) => {
                terminal::say(&format!(
                    "{} may log in as {}, with this password, shown this once:",
                    arguments.name, arguments.role
                ));
                terminal::line(password)
            }
            None => {
                terminal::say(&format!(
                    "{} may log in as {}.",
                    arguments.name, arguments.role
                ));
                Ok(())
            }
        }
    })
}

fn list(arguments: &ListArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let found = client.get("/api/v1/users").await?;
        if arguments.json {
            return terminal::json(&found);
        }
        let text = |user: &Value, field: &str| user[field].as_str().unwrap_or("-").to_owned();
        let users = found["items"].as_array().into_iter().flatten();
        let rows = users.map(|user| {
            vec![
                text(user, "name"),
                text(user, "role"),
                when(&user["created_at"]),
                when(&user["last_seen"]),
            ]
        });
        terminal::table(&["NAME", "ROLE", "CREATED", "LAST SEEN"], rows)
    })
}

fn set_role(arguments: &RoleArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let path = format!("/api/v1/users/{}", arguments.name);
        let change = json!({ "role": arguments.role.as_str() });
        client.send(Method::PATCH, &path, Some(&change)).await?;
        terminal::say(&format!("{} is {} now.", arguments.name, arguments.role));
        Ok(())
    })
}

fn remove(arguments: &OneArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let path = format!("/api/v1/users/{}", arguments.name);
        client.send(Method::DELETE, &path, None).await?;
        terminal::say(&format!("{} is deleted.", arguments.name));
        Ok(())
    })
}

fn set_password(arguments: &PasswordArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    let session = converse(async { Ok(client.get("/api/v1/session").await?) })?;
    let own = session["user"]["name"]
        .as_str()
        .is_some_and(|name| name.eq_ignore_ascii_case(arguments.name.as_str()));
    let (new, current) = if arguments.password_stdin {
        let new = from_stdin("a password")?;
        (
            new,
            own.then(|| from_stdin("a present password")).transpose()?,
        )
    } else {
        let ask = |question: &str| ask_secret(question, "--password-stdin");
        let current = own.then(|| ask("Present password: ")).transpose()?;
        (ask_twice(ask)?, current)
    };
    let mut change = json!({ "password": new.expose_secret() });
    if let Some(current) = current {
        change["current"] = current.expose_secret().into();
    }
    converse(async {
        let path = format!("/api/v1/users/{}/password", arguments.name);
        client.post(&path, &change).await?;
        terminal::say(&format!(
            "The password of {} is set; its other sessions have ended.",
            arguments.name
        ));
        Ok(())
    })
}

/// What is not seen while it is typed is typed twice.
fn ask_twice(ask: impl Fn(&str) -> Result<SecretString>) -> Result<SecretString> {
    let new = ask("New password: ")?;
    if ask("Once more: ")?.expose_secret() == new.expose_secret() {
        return Ok(new);
    }
    Err(Failure::new(
        Code::Usage,
        "the two differ, so nothing was changed; try again",
    ))
}
