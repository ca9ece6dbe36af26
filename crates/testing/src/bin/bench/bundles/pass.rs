//! The role of the other floor: fetches every source, 16 at once, and passes the bytes
//! on over a socket as they come. No archive: what any way must do that sends one.

use super::away::each;
use crate::{Error, Result};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const AT_ONCE: usize = 16;
/// Pieces on their way.
const PIECES: usize = 32;

/// Plays the role until it is killed: every connection is given everything.
pub(crate) async fn play(arguments: &[&str]) -> Result {
    let [list] = arguments else {
        return Err("role-pass LIST".into());
    };
    let list = std::fs::read_to_string(list)?;
    let urls: Vec<String> = list.lines().map(str::to_owned).collect();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        answer(stream, &client, &urls).await?;
    }
}

async fn answer(mut stream: TcpStream, client: &reqwest::Client, urls: &[String]) -> Result {
    if !take_request(&mut stream).await? {
        return Ok(());
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        .await?;
    let (sender, mut pieces) = mpsc::channel::<Bytes>(PIECES);
    let fetching = each(client, urls, AT_ONCE, move |piece| {
        let sender = sender.clone();
        async move {
            // The receiver lives until all was sent.
            let _ = sender.send(piece).await;
        }
    });
    let passing = async {
        while let Some(piece) = pieces.recv().await {
            stream.write_all(&piece).await?;
        }
        Ok::<(), Error>(())
    };
    let (fetched, passed) = tokio::join!(fetching, passing);
    fetched?;
    passed?;
    Ok(stream.shutdown().await?)
}

/// Reads a whole request, as closing before that would reset the connection. Whether
/// there was one.
async fn take_request(stream: &mut TcpStream) -> Result<bool> {
    const END: &[u8] = b"\r\n\r\n";
    let mut request = Vec::new();
    let head = loop {
        if let Some(at) = request.windows(END.len()).position(|four| four == END) {
            break at + END.len();
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(false);
        }
    };
    let length: usize = String::from_utf8_lossy(&request[..head])
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    while request.len() < head + length {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
