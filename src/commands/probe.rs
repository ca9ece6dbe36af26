//! `longshore probe`: a canary for cron or a monitor. It does with a server's files what
//! people do, says how long each step took, and leaves nothing behind.

use crate::client::{Ask, Client, Credential, Error, From, Interrupt, Place, Remote, Way};
use crate::commands::converse;
use crate::commands::login::from_stdin;
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::{FileId, Size, Span};
use clap::Args;
use files::BucketName;
use reqwest::{Body, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use url::Url;

/// Where probes put their file.
const FOLDER: &str = ".longshore-probe";
/// The largest file that a probe sends: it is held in memory.
const MOST: u64 = 64 << 20;

#[derive(Args, Debug)]
pub(crate) struct ProbeArguments {
    /// Address of the server. Without it, the one logged in to last.
    #[arg(env = "LONGSHORE_URL", value_hint = clap::ValueHint::Url)]
    url: Option<String>,
    /// As whom, instead of by the token of `longshore login` or LONGSHORE_TOKEN.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    user: Option<String>,
    /// Read the password from standard input.
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// The bucket that is tried.
    #[arg(long, default_value = files::DEFAULT_BUCKET)]
    bucket: String,
    /// How large the file is that is sent.
    #[arg(long, default_value = "64KiB")]
    size: Size,
    /// How long each step may take.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    timeout: Span,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// One step, as it went.
#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    state: &'static str,
}

/// A probe on its way.
struct Probe {
    client: Client,
    at: Remote,
    content: Vec<u8>,
    limit: Duration,
    steps: Vec<Step>,
}

pub(crate) fn run(arguments: &ProbeArguments) -> Result {
    let bucket: BucketName = arguments
        .bucket
        .trim_end_matches(':')
        .parse()
        .map_err(|error| Failure::new(Code::Usage, error))?;
    if arguments.size.bytes() > MOST {
        let text = "a probe sends at most 64MiB";
        return Err(Failure::new(Code::Usage, text));
    }
    let client = Client::at(place(arguments)?)?;
    let id = FileId::new().to_string();
    let path = format!("{FOLDER}/{id}");
    let at = Remote {
        bucket,
        path: path.parse().map_err(Failure::failed)?,
    };
    let mut probe = Probe {
        client,
        at,
        content: id
            .bytes()
            .cycle()
            .take(arguments.size.in_memory())
            .collect(),
        limit: arguments.timeout.duration(),
        steps: Vec::new(),
    };
    converse(async {
        let interrupt = Interrupt::listen()?;
        let begun = Instant::now();
        let went = tokio::select! {
            () = interrupt.come() => Err(Failure::new(Code::Cancelled, "interrupted")),
            went = probe.go() => went,
        };
        let total = begun.elapsed();
        if went.is_err() {
            probe.clean().await;
        }
        probe.tell(arguments, total, &went)?;
        went
    })
}

fn place(arguments: &ProbeArguments) -> Result<Place> {
    let mut place = match (&arguments.user, &arguments.url) {
        // What is kept of log-ins is of no account, and may not even be readable.
        (Some(_), Some(url)) => Place {
            url: url.parse()?,
            credential: Credential::None,
        },
        (_, url) => Place::find(url.as_deref())?,
    };
    if let Some(name) = &arguments.user {
        place.credential = Credential::Password {
            name: name.clone(),
            password: from_stdin("a password")?,
        };
    }
    Ok(place)
}

impl Probe {
    async fn go(&mut self) -> Result {
        let (client, at) = (self.client.clone(), self.at.clone());
        let content = self.content.clone();
        let length = content.len() as u64;
        let put = client.put(&at, Way::Keep, Some(length), Body::from(content.clone()));
        self.step("upload", async {
            let put = put.await?;
            expect(put.size == length, "the server says another length")
        })
        .await?;
        self.step("list", async {
            let found = client
                .list(&Ask::all(&at.bucket, at.path.as_str()), None)
                .await?;
            let found = found
                .items
                .iter()
                .any(|item| item["path"] == at.path.as_str());
            expect(found, "the file is not listed")
        })
        .await?;
        self.step("download", async {
            let response = client.content(&at, &From::default()).await?;
            compare(&client, response, &content).await
        })
        .await?;
        self.signed(&client, &at, &content).await?;
        self.step("delete", async {
            delete(&client, &at).await?;
            match client.details(&at).await {
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
                Err(error) => Err(error.into()),
                Ok(_) => expect(false, "the file is still there"),
            }
        })
        .await
    }

    /// By a signed address, where the server gives any.
    async fn signed(&mut self, client: &Client, at: &Remote, content: &[u8]) -> Result {
        let mut offered = true;
        let step = async {
            let Some(url) = presigned(client, at).await? else {
                offered = false;
                return Ok(());
            };
            let response = client.at_signed(&url, &From::default()).await?;
            compare(client, response, content).await
        };
        self.step("presigned download", step).await?;
        if !offered && let Some(step) = self.steps.last_mut() {
            step.state = "not offered";
        }
        Ok(())
    }

    async fn step(&mut self, name: &'static str, work: impl Future<Output = Result>) -> Result {
        let begun = Instant::now();
        let went = match timeout(self.limit, work).await {
            Ok(went) => went,
            Err(_) => Err(Failure::new(
                Code::Server,
                format!("it took more than {} s", self.limit.as_secs_f64()),
            )),
        };
        self.steps.push(Step {
            name,
            took: begun.elapsed(),
            state: if went.is_ok() { "ok" } else { "failed" },
        });
        went.map_err(|failure| {
            Failure::new(
                failure.code(),
                format!("the step `{name}` failed: {failure}"),
            )
        })
    }

    /// Takes away what is there, as far as that can be done.
    async fn clean(&self) {
        let _ = timeout(self.limit, delete(&self.client, &self.at)).await;
    }

    fn tell(&self, arguments: &ProbeArguments, total: Duration, went: &Result) -> Result {
        if arguments.json {
            return terminal::json(&self.report(total, went));
        }
        for step in &self.steps {
            let took = match step.state {
                "not offered" => "not offered by this server".to_owned(),
                "ok" => milliseconds(step.took),
                state => format!("{}  {state}", milliseconds(step.took)),
            };
            terminal::line(&format!("{:<20}{took}", step.name))?;
        }
        terminal::line(&format!("{:<20}{}", "total", milliseconds(total)))
    }

    fn report(&self, total: Duration, went: &Result) -> Value {
        let millis = |took: Duration| json!(took.as_secs_f64() * 1000.0);
        let steps = self.steps.iter().map(|step| {
            json!({ "step": step.name, "state": step.state, "milliseconds": millis(step.took) })
        });
        let failed = self.steps.iter().find(|step| step.state == "failed");
        json!({
            "ok": went.is_ok(),
            "url": self.client.place().url.to_string(),
            "bucket": self.at.bucket,
            "bytes": self.content.len(),
            "milliseconds": millis(total),
            "steps": steps.collect::<Vec<_>>(),
            "failed": failed.map(|step| step.name),
            "error": went.as_ref().err().map(ToString::to_string),
        })
    }
}

fn milliseconds(took: Duration) -> String {
    format!("{:>9.1} ms", took.as_secs_f64() * 1000.0)
}

fn expect(met: bool, otherwise: &str) -> Result {
    if met {
        Ok(())
    } else {
        Err(Failure::failed(otherwise))
    }
}

/// The signed address of a file; none where the server has none to give.
async fn presigned(client: &Client, at: &Remote) -> Result<Option<Url>> {
    let path = format!("/api/v1/buckets/{}/presign", at.bucket);
    let wanted = json!({ "path": at.path, "method": "GET", "expires_in": 60 });
    let given = match client.post(&path, &wanted).await {
        Ok(given) => given,
        Err(error) if is_no_route(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let url = given["url"].as_str().and_then(|url| url.parse().ok());
    let url = url.ok_or_else(|| Failure::failed("the server gave no signed address"))?;
    Ok(Some(url))
}

fn is_no_route(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    )
}

async fn compare(client: &Client, mut response: Response, content: &[u8]) -> Result {
    let mut left = content;
    while let Some(bytes) = response
        .chunk()
        .await
        .map_err(|error| client.broken(&error))?
    {
        left = left
            .strip_prefix(&bytes[..])
            .ok_or_else(|| Failure::failed("another content came than was sent"))?;
    }
    expect(left.is_empty(), "the content ended early")
}

/// Deletes the file, and what the trash or the versions keep of it.
async fn delete(client: &Client, at: &Remote) -> Result {
    let gone = client.delete(at).await?;
    let past = format!("/api/v1/buckets/{}/past/{}", at.bucket, gone.id);
    match client.send(Method::DELETE, &past, None).await {
        Ok(_) => Ok(()),
        // It was gone for good at once.
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
