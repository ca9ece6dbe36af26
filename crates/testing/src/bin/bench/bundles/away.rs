//! The role of the floor: fetches every source, so many at once, and throws it away.

use crate::{Error, Result, process};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tokio::task::JoinSet;

/// Plays the role: one round for each `go`.
pub(crate) async fn play(arguments: &[&str]) -> Result {
    let [list, at_once] = arguments else {
        return Err("role-away LIST AT_ONCE".into());
    };
    let at_once: usize = at_once.parse()?;
    let list = std::fs::read_to_string(list)?;
    let urls: Vec<String> = list.lines().map(str::to_owned).collect();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut told = process::told();
    println!("ready");
    while let Some(line) = told.recv().await {
        let urls = if line == "warm" {
            &urls[..urls.len().min(32)]
        } else {
            &urls[..]
        };
        let own = std::process::id();
        let before = process::processor(own)?;
        let begun = Instant::now();
        let first = fetch(&client, urls, at_once).await?;
        let wall = begun.elapsed().as_secs_f64();
        let processor = process::processor(own)? - before;
        println!(
            "round {wall} {} {processor}",
            first.duration_since(begun).as_secs_f64()
        );
    }
    Ok(())
}

/// When the first byte came.
async fn fetch(client: &reqwest::Client, urls: &[String], at_once: usize) -> Result<Instant> {
    let first = Arc::new(OnceLock::new());
    let noted = Arc::clone(&first);
    each(client, urls, at_once, move |_| {
        noted.get_or_init(Instant::now);
        std::future::ready(())
    })
    .await?;
    Ok(*first.get().ok_or("nothing came")?)
}

/// Fetches all of them, so many at once, and gives every piece to `take` as it comes.
pub(super) async fn each<Fut>(
    client: &reqwest::Client,
    urls: &[String],
    at_once: usize,
    take: impl Fn(Bytes) -> Fut + Clone + Send + 'static,
) -> Result
where
    Fut: Future<Output = ()> + Send,
{
    let queue: Arc<Mutex<VecDeque<String>>> = Arc::new(Mutex::new(urls.to_vec().into()));
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let (client, queue, take) = (client.clone(), Arc::clone(&queue), take.clone());
        tasks.spawn(async move {
            loop {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some(url) = next else {
                    return Ok::<(), Error>(());
                };
                let mut answer = client.get(url).send().await?.error_for_status()?;
                while let Some(piece) = answer.chunk().await? {
                    take(piece).await;
                }
            }
        });
    }
    drop(take);
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}
