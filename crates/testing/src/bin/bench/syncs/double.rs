//! The role of Cloudflare: the project's double in a process of its own.

use crate::Result;
use crate::process::{self, Process};
use data_encoding::HEXLOWER;
use longshore_testing::Cloudflare;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an answer takes.
pub(super) const LATENCY: Duration = Duration::from_millis(50);
/// What a new connection costs: a round trip for TCP and one for TLS 1.3, which loopback
/// has neither of.
pub(super) const HANDSHAKE: Duration = Duration::from_millis(100);
/// How long a film is worked on until it is ready.
pub(super) const READY_AFTER: Duration = Duration::from_secs(10);

/// Plays the role until it is told nothing any more: `clear` takes everything away, `count`
/// says what there is.
pub(crate) async fn play(arguments: &[&str]) -> Result {
    let [latency, handshake, ready] = arguments else {
        return Err("role-cloudflare LATENCY HANDSHAKE READY".into());
    };
    let time = |text: &str| -> Result<Duration> { Ok(Duration::from_millis(text.parse()?)) };
    let cloudflare = Cloudflare::start().await;
    cloudflare.latency(time(latency)?);
    cloudflare.handshake(time(handshake)?);
    cloudflare.ready_after(time(ready)?);
    println!(
        "ready {} {} {} {}",
        cloudflare.api(),
        cloudflare.batch(),
        cloudflare.account(),
        cloudflare.token()
    );
    let mut told = process::told();
    while let Some(line) = told.recv().await {
        let (images, films) = (cloudflare.images(), cloudflare.videos());
        if line == "clear" {
            for image in &images {
                cloudflare.take_image(&image.id);
            }
            for film in &films {
                cloudflare.take_video(&film.uid);
            }
        }
        let pictures = images.iter().map(|image| (&*image.id, &*image.sha256));
        let films = films.iter().map(|film| (&*film.name, &*film.sha256));
        println!("has {}", digest(pictures.chain(films)));
    }
    Ok(())
}

/// What tells these files, by their ids and digests, from others: how many, and a digest of
/// all. One that is there twice is two.
pub(super) fn digest<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = files
        .map(|(id, sha256)| format!("{id} {sha256}\n"))
        .collect();
    lines.sort();
    let digest = HEXLOWER.encode(&Sha256::digest(lines.concat()));
    format!("{} {digest}", lines.len())
}

/// The double, as seen from the benchmark.
pub(super) struct Double {
    process: Process,
    pub(super) api: String,
    pub(super) batch: String,
    pub(super) account: String,
    pub(super) token: String,
}

impl Double {
    pub(super) async fn start() -> Result<Self> {
        let times = [LATENCY, HANDSHAKE, READY_AFTER];
        let times = times.map(|time| time.as_millis().to_string());
        let mut process = Process::role("role-cloudflare", &times)?;
        let said = process.says("ready ").await?;
        let mut words = said.split(' ').map(str::to_owned);
        let mut word = || words.next().ok_or("the double says too little");
        Ok(Self {
            api: word()?,
            batch: word()?,
            account: word()?,
            token: word()?,
            process,
        })
    }

    /// Takes everything away.
    pub(super) async fn clear(&mut self) -> Result {
        self.process.tell("clear").await?;
        self.process.says("has ").await?;
        Ok(())
    }

    /// Fails unless it has exactly these files, by id and digest.
    pub(super) async fn holds(&mut self, files: &BTreeMap<String, String>) -> Result {
        self.process.tell("count").await?;
        let has = self.process.says("has ").await?;
        let expected = digest(files.iter().map(|(id, sha256)| (&**id, &**sha256)));
        if has == expected {
            return Ok(());
        }
        Err(format!("Cloudflare has {has}, and not {expected}").into())
    }

    /// The most memory that it held: it keeps no contents.
    pub(super) fn peak(&self) -> Result<f64> {
        process::peak(self.process.id())
    }

    pub(super) async fn end(self) -> Result {
        self.process.end().await
    }
}
