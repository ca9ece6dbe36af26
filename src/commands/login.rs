//! `longshore login` and `logout`: from a password to a token of this host, kept for
//! the commands that follow, and back.
//!
//! A password or a token comes from the terminal, without echo, or from standard
//! input: never from an argument, which every user of the machine could read.

use crate::client::{Client, Credential, Error, Place, ServerUrl, Servers, StoredServer};
use crate::commands::converse;
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::Span;
use clap::Args;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io::{self, BufRead, IsTerminal, Read};

/// The longest secret that is taken, in bytes.
const LONGEST: u64 = 4096;
/// Names that are tried for the token: HOST, HOST-2 …
const NAMES: usize = 50;

#[derive(Args, Debug)]
pub(crate) struct LoginArguments {
    /// Address of the server, such as https://longshore.example.org.
    #[arg(env = "LONGSHORE_URL", value_hint = clap::ValueHint::Url)]
    url: String,
    /// As whom; asked for on a terminal.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password from standard input.
    #[arg(long, conflicts_with = "token_stdin")]
    password_stdin: bool,
    /// Read an API token from standard input, and keep that instead of making one.
    #[arg(long, conflicts_with_all = ["user", "admin", "expires"])]
    token_stdin: bool,
    /// Also for `longshore user` and `longshore token`: everything that the role allows.
    #[arg(long)]
    admin: bool,
    /// How long the log-in is good for, such as 12h or 90d; until `logout` without.
    #[arg(long, value_name = "TIME")]
    expires: Option<Span>,
}

#[derive(Args, Debug)]
pub(crate) struct LogoutArguments {
    /// Address of the server; the one logged in to last without.
    #[arg(env = "LONGSHORE_URL", value_hint = clap::ValueHint::Url)]
    url: Option<String>,
}

pub(crate) fn log_in(arguments: LoginArguments) -> Result {
    let url: ServerUrl = arguments.url.parse()?;
    if url.is_open() {
        terminal::say(&format!(
            "warning: {url} is not https, so what you enter can be read on the way"
        ));
    }
    // Read before anything else, so that a file that cannot be used costs no token.
    let mut servers = Servers::load()?;
    let (credential, mut stored) = if arguments.token_stdin {
        let token = from_stdin("a token")?;
        let stored = StoredServer {
            user: String::new(),
            token_id: None,
            token: token.clone(),
        };
        (Credential::Given(token), Some(stored))
    } else {
        let name = match &arguments.user {
            Some(name) => name.clone(),
            None => ask_name()?,
        };
        let password = if arguments.password_stdin {
            from_stdin("a password")?
        } else {
            ask_secret(&format!("Password of {name}: "), "--password-stdin")?
        };
        (Credential::Password { name, password }, None)
    };
    let client = Client::at(Place {
        url: url.clone(),
        credential,
    })?;
    converse(async {
        let session = client.get("/api/v1/session").await?;
        let text = |field: &str| {
            session["user"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let mut server = match stored.take() {
            Some(stored) => stored,
            None => make_token(&client, &arguments, &text("role")).await?,
        };
        server.user = text("name");
        let earlier = servers.put(&url, server.clone());
        let path = servers.save()?;
        // Only when the new one is safe.
        if let Some(id) = earlier.and_then(|earlier| earlier.token_id)
            && !arguments.token_stdin
        {
            // It may be gone, or another user's: then it is not ours to delete.
            let _ = client
                .send(Method::DELETE, &format!("/api/v1/tokens/{id}"), None)
                .await;
        }
        terminal::say(&format!(
            "Logged in to {url} as {} ({}); the token is in {}.",
            server.user,
            text("role"),
            path.display()
        ));
        Ok(())
    })
}

/// Makes a token on the server, named after this host.
async fn make_token(
    client: &Client,
    arguments: &LoginArguments,
    role: &str,
) -> Result<StoredServer> {
    let scopes = match (arguments.admin, role) {
        (true, _) => json!(["admin"]),
        // A viewer's token that could do more would be a promise that is not kept.
        (false, "viewer") => json!([
            "operations:read",
            "bundles:read",
            "files:read",
            "syncs:read"
        ]),
        (false, _) => json!([
            "operations:read",
            "operations:write",
            "bundles:read",
            "bundles:write",
            "files:read",
            "files:write",
            "syncs:read",
            "syncs:write"
        ]),
    };
    let host = host_name();
    for number in 1..=NAMES {
        let name = match number {
            1 => host.clone(),
            number => format!("{host}-{number}"),
        };
        let mut wanted = json!({ "name": name, "scopes": scopes });
        if let Some(expires) = arguments.expires {
            wanted["expires_in"] = expires.as_seconds().into();
        }
        match client.post("/api/v1/tokens", &wanted).await {
            Ok(made) => return issued(&made),
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::failed(format!(
        "this host has {NAMES} tokens there already; delete some with `longshore token rm`"
    )))
}

fn issued(made: &Value) -> Result<StoredServer> {
    match (made["token"].as_str(), made["id"].as_str()) {
        (Some(token), Some(id)) => Ok(StoredServer {
            user: String::new(),
            token_id: Some(id.to_owned()),
            token: token.to_owned().into(),
        }),
        _ => Err(Failure::new(
            Code::Server,
            "the server made a token that this version does not understand; do both have the same version?",
        )),
    }
}

/// The name of this machine, as a name of a token.
fn host_name() -> String {
    let system = rustix::system::uname();
    let name: String = system
        .nodename()
        .to_string_lossy()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                c
            } else {
                '-'
            }
        })
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(60)
        .collect();
    if name.is_empty() {
        "cli".to_owned()
    } else {
        name
    }
}

pub(crate) fn log_out(arguments: LogoutArguments) -> Result {
    let mut servers = Servers::load()?;
    let url = match arguments.url.as_deref().filter(|url| !url.is_empty()) {
        Some(url) => url.parse()?,
        None => servers
            .last()
            .ok_or_else(|| Failure::failed("you are not logged in anywhere"))??,
    };
    let Some(server) = servers.remove(&url) else {
        return Err(Failure::failed(format!("you are not logged in to {url}")));
    };
    servers.save()?;
    let Some(id) = server.token_id else {
        terminal::say(&format!(
            "Logged out of {url}; its token was made elsewhere and lives on."
        ));
        return Ok(());
    };
    let client = Client::at(Place {
        url: url.clone(),
        credential: Credential::Stored(server.token),
    })?;
    let deleted = converse(async {
        let path = format!("/api/v1/tokens/{id}");
        Ok(client.send(Method::DELETE, &path, None).await)
    })?;
    match deleted {
        Ok(_) => terminal::say(&format!("Logged out of {url}.")),
        Err(error) if is_gone(&error) => terminal::say(&format!("Logged out of {url}.")),
        Err(error) => terminal::say(&format!(
            "Logged out of {url}, but the token {id} lives on there: {error}."
        )),
    }
    Ok(())
}

fn is_gone(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND)
    )
}

fn ask_name() -> Result<String> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Failure::new(
            Code::Usage,
            "there is no terminal to ask on; say who you are with --user",
        ));
    }
    // Not `print`: standard output is for data.
    eprint!("User: ");
    let mut name = String::new();
    input
        .lock()
        .take(LONGEST)
        .read_line(&mut name)
        .map_err(Failure::failed)?;
    match name.trim() {
        "" => Err(Failure::new(
            Code::Usage,
            "without a name nobody can log in",
        )),
        name => Ok(name.to_owned()),
    }
}

/// Asks on the terminal, without echo; `instead` is the flag for where there is none.
pub(super) fn ask_secret(question: &str, instead: &str) -> Result<SecretString> {
    let answer = rpassword::prompt_password(question).map_err(|_| {
        let text = format!("there is no terminal to ask on; give it with {instead}");
        Failure::new(Code::Usage, text)
    })?;
    if answer.is_empty() {
        return Err(Failure::new(Code::Usage, "nothing was entered"));
    }
    Ok(answer.into())
}

/// The first line of standard input.
pub(super) fn from_stdin(what: &str) -> Result<SecretString> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LONGEST)
        .read_line(&mut line)
        .map_err(|error| {
            Failure::failed(format!(
                "{what} cannot be read from standard input: {error}"
            ))
        })?;
    let line = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
    if line.expose_secret().is_empty() {
        let text = format!("standard input holds no {}", what.trim_start_matches("a "));
        return Err(Failure::new(Code::Usage, text));
    }
    Ok(line)
}
