//! Handing a message over to the server of mail that the configuration names.
//!
//! A message goes to each reader by itself, to some at once: one address that is refused
//! keeps it from nobody else, and one limit of time holds for all. What goes wrong is said in
//! words that hold no password.

use base::Timestamp;
use base::config::MailEncryption;
use data_encoding::BASE64;
use futures::stream::{FuturesUnordered, StreamExt};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Category;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::time::{Duration, UNIX_EPOCH};

/// Readers who are written to at once.
const AT_ONCE: usize = 5;
/// How many times as long as for one message it may take for all.
const FOR_ALL: u32 = 2;

/// The most that is repeated of what a server of mail says, in characters.
const MOST_SAID: usize = 300;

/// The server that takes mail, and in whose name it is sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Its name or IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said to it is encrypted.
    pub encryption: MailEncryption,
    /// The mailbox in whose name mail is sent.
    pub from: String,
    /// By which name and password to log in, if at all.
    pub login: Option<(String, SecretString)>,
    /// How long handing over one message may take.
    pub patience: Duration,
    /// The address of the console, for a link.
    pub console: Option<String>,
}

/// What is written to people.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// What it is about, in a line.
    pub(crate) subject: String,
    /// What it says.
    pub(crate) text: String,
    /// What names it, for whoever gets it twice.
    pub(crate) id: String,
    /// When it was written.
    pub(crate) at: Timestamp,
}

/// Why it was not handed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsent {
    /// There is no server.
    #[error("no mail server is set; set `mail.smtp` and `mail.from`")]
    NoServer,
    /// An address that is none.
    #[error("`{0}` is no address of mail")]
    Mailbox(String),
    /// Something of the message cannot be written.
    #[error("the message cannot be written: {0}")]
    Unwritten(lettre::error::Error),
    /// The server did not take it.
    #[error("the mail server did not take it: {}", said(.0))]
    Server(lettre::transport::smtp::Error),
    /// It took too long.
    #[error("the mail server did not take it within {} s", .0.as_secs())]
    Late(Duration),
    /// It was not begun any more.
    #[error("it was not tried, as the mail server failed or took too long with others")]
    Untried,
}

impl Unsent {
    /// Whether it is the reader's address that is wrong, and not the server.
    pub(crate) fn is_of_the_reader(&self) -> bool {
        match self {
            Self::Mailbox(_) => true,
            Self::Server(error) => error.is_permanent() && !is_of_the_login(error),
            _ => false,
        }
    }
}

/// Whether the server did not let us in: then it takes no letter, and asking again for each
/// reader may lock the account.
fn is_of_the_login(error: &lettre::transport::smtp::Error) -> bool {
    let category = error.status().map(|status| status.category);
    category == Some(Category::Unspecified3)
}

/// What went wrong, in one line that is no longer than a line is.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let text = error.to_string();
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(MOST_SAID).collect()
}

/// Whether mail can be sent to this address.
pub(crate) fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok() && !text.chars().any(char::is_control)
}

impl MailSettings {
    /// What no log may show: the password, also as it is said to the server.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let Some((user, password)) = &self.login else {
            return Vec::new();
        };
        let word = password.expose_secret();
        vec![
            password.clone(),
            BASE64.encode(word.as_bytes()).into(),
            BASE64.encode(format!("\0{user}\0{word}").as_bytes()).into(),
        ]
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unsent> {
        let host = self.host.clone();
        // The certificates that are trusted are read from the disk.
        let trusted = tokio::task::spawn_blocking(move || TlsParameters::new(host));
        let tls = match (self.encryption, trusted.await) {
            (MailEncryption::None, _) => Tls::None,
            (MailEncryption::Whole, Ok(trusted)) => Tls::Wrapper(trusted.map_err(Unsent::Server)?),
            (MailEncryption::Begun, Ok(trusted)) => Tls::Required(trusted.map_err(Unsent::Server)?),
            (_, Err(_)) => return Err(Unsent::Late(Duration::ZERO)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(self.patience));
        if let Some((user, password)) = &self.login {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Unsent>>) -> Result<T, Unsent> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => done,
            Err(_) => Err(Unsent::Late(self.patience)),
        }
    }

    /// Hands a letter over for each of these readers; what became of each, in their order.
    /// Once the server itself fails no further one is begun, and those that are on their
    /// way go on to their end.
    pub(crate) async fn send_to_all(
        &self,
        letter: &Letter,
        readers: &[String],
    ) -> Vec<(String, Result<(), Unsent>)> {
        let limit = self.patience * FOR_ALL;
        let mut late = std::pin::pin!(tokio::time::sleep(limit));
        let mut outcomes: Vec<_> = readers.iter().map(|_| Some(Err(Unsent::Untried))).collect();
        let mut left = readers.iter().enumerate();
        let mut sending = FuturesUnordered::new();
        let mut goes_on = true;
        loop {
            while goes_on
                && sending.len() < AT_ONCE
                && let Some((place, reader)) = left.next()
            {
                outcomes[place] = None;
                sending.push(async move { (place, self.send(letter, reader).await) });
            }
            let (place, sent) = tokio::select! {
                biased;
                sent = sending.next() => match sent {
                    Some(sent) => sent,
                    None => break,
                },
                () = &mut late => break,
            };
            goes_on &= sent.as_ref().err().is_none_or(Unsent::is_of_the_reader);
            outcomes[place] = Some(sent);
        }
        // Who has no outcome was begun, and not done in time.
        let outcomes = outcomes.into_iter();
        let outcomes = outcomes.map(|sent| sent.unwrap_or(Err(Unsent::Late(limit))));
        readers.iter().cloned().zip(outcomes).collect()
    }

    /// Hands a letter over for one reader.
    pub(crate) async fn send(&self, letter: &Letter, to: &str) -> Result<(), Unsent> {
        let message = self.message(letter, to)?;
        let sending = async {
            let sent = self.transport().await?.send(message).await;
            sent.map(drop).map_err(Unsent::Server)
        };
        self.in_time(sending).await
    }

    fn message(&self, letter: &Letter, to: &str) -> Result<Message, Unsent> {
        let mailbox = |text: &str| {
            let parsed: Result<Mailbox, _> = text.parse();
            parsed.map_err(|_| Unsent::Mailbox(text.chars().take(100).collect()))
        };
        let from = mailbox(&self.from)?;
        let id = format!("<{}@{}>", letter.id, from.email.domain());
        let written = Message::builder()
            .from(from)
            .to(mailbox(to)?)
            .subject(&letter.subject)
            .message_id(Some(id))
            .date(UNIX_EPOCH + Duration::from_secs(letter.at.seconds().unsigned_abs()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone());
        let mut message = written.map_err(Unsent::Unwritten)?;
        // Nobody's holiday notice answers it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let generated = HeaderValue::new(name, "auto-generated".to_owned());
        message.headers_mut().insert_raw(generated);
        Ok(message)
    }

    /// Looks whether the server answers, and lets us in.
    pub(crate) async fn check(&self) -> Result<(), Unsent> {
        let checking = async {
            let transport = self.transport().await?;
            transport.test_connection().await.map_err(Unsent::Server)
        };
        self.in_time(checking).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
