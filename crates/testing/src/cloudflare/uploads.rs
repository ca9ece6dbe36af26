//! Resumable uploads of films: kept here, or passed on to a tus server behind.

use super::Shared;
use super::wire::{Connection, Head, Reply};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PIECE: usize = 64 * 1024;
const LEAST: u64 = 5_242_880;
const MOST: u64 = 209_715_200;
const STEP: u64 = 262_144;
/// The largest answer of a server behind.
const MOST_ANSWER: u64 = 64 * 1024;

/// Where an upload stands: how many bytes it shall have, how many it has, what is behind.
struct Standing {
    length: u64,
    received: u64,
    behind: Option<String>,
}

/// The upload of this id and key.
fn find(uid: &str, head: &Head, shared: &Shared) -> Result<Standing, Reply> {
    if head.header("tus-resumable") != Some("1.0.0") {
        return Err(Reply::text(412, "Tus-Resumable must be 1.0.0"));
    }
    let key = head.parameter("key").unwrap_or_default();
    let standing = shared.store.with_video(uid, |video| {
        (video.key == key).then(|| Standing {
            length: video.length,
            received: video.received,
            behind: video.behind.clone(),
        })
    });
    match standing {
        None => Err(Reply::text(404, "upload not found")),
        Some(None) => Err(Reply::text(403, "this address allows nothing")),
        Some(Some(standing)) => Ok(standing),
    }
}

pub(super) async fn standing(uid: &str, head: &Head, shared: &Shared) -> Reply {
    let standing = match find(uid, head, shared) {
        Ok(standing) => standing,
        Err(reply) => return reply,
    };
    let received = match &standing.behind {
        None => standing.received,
        Some(place) => match offset_behind(place).await {
            Ok((_, Some(offset))) => offset,
            Ok((status, None)) => return Reply::text(status, "the tus server says no"),
            Err(error) => return Reply::text(502, &error.to_string()),
        },
    };
    shared
        .store
        .with_video(uid, |video| video.received = received);
    Reply::empty(200)
        .header("Tus-Resumable", "1.0.0")
        .header("Cache-Control", "no-store")
        .header("Upload-Offset", received)
        .header("Upload-Length", standing.length)
}

/// Takes a piece; of it only `most` bytes, where it is to break off there.
pub(super) async fn take(
    uid: &str,
    head: &Head,
    connection: &mut Connection,
    shared: &Shared,
    most: Option<u64>,
) -> io::Result<Reply> {
    let standing = match find(uid, head, shared) {
        Ok(standing) => standing,
        Err(reply) => {
            connection.discard().await?;
            return Ok(reply);
        }
    };
    let piece = connection.left().unwrap_or(0);
    let offset = head
        .header("upload-offset")
        .and_then(|offset| offset.parse::<u64>().ok());
    let is_last = offset.is_some_and(|offset| offset + piece == standing.length);
    let wrong = if head.header("content-type") != Some("application/offset+octet-stream") {
        Some((
            415,
            "the type of a piece is application/offset+octet-stream",
        ))
    } else if piece > MOST {
        Some((413, "the piece is too large"))
    } else if !is_last && (piece < LEAST || !piece.is_multiple_of(STEP)) {
        Some((400, "the piece is too small, or no multiple of 256 KiB"))
    } else {
        None
    };
    if let Some((status, text)) = wrong {
        connection.discard().await?;
        return Ok(Reply::text(status, text));
    }
    let Some(_lock) = shared.store.lock(uid) else {
        connection.discard().await?;
        return Ok(Reply::text(423, "another request has the upload"));
    };
    if let Some(place) = &standing.behind {
        return pass_on(uid, place, head, connection, shared, most).await;
    }
    // Under the lock: the last request may have brought more meanwhile.
    let received = shared.store.with_video(uid, |video| video.received);
    if offset != received {
        connection.discard().await?;
        return Ok(Reply::text(409, "that is not where the upload stands"));
    }
    let mut watch = Halves::of(piece);
    let mut left = most.unwrap_or(piece);
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let Some(bytes) = connection.piece(wanted).await? else {
            break;
        };
        left -= bytes.len() as u64;
        shared.store.take_piece(uid, &bytes);
        if watch.has_passed(bytes.len()) {
            shared.faults.moment().await?;
        }
    }
    let received = shared.store.with_video(uid, |video| video.received);
    Ok(taken(received.unwrap_or_default()))
}

fn taken(received: u64) -> Reply {
    Reply::empty(204)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", received)
}

/// Says once when half of a body has passed.
struct Halves {
    half: u64,
    passed: Option<u64>,
}

impl Halves {
    const fn of(length: u64) -> Self {
        Self {
            half: length / 2,
            passed: Some(0),
        }
    }

    fn has_passed(&mut self, bytes: usize) -> bool {
        let Some(passed) = &mut self.passed else {
            return false;
        };
        *passed += bytes as u64;
        if *passed < self.half {
            return false;
        }
        self.passed = None;
        true
    }
}

/// The host, port and path of `http://HOST:PORT/PATH`.
fn parts(url: &str) -> io::Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let slash = rest.find('/').ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rest.split_at(slash))
}

/// Makes an upload behind; its address.
pub(super) async fn make_behind(url: &str, length: u64) -> io::Result<String> {
    let (host, path) = parts(url)?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Length: {length}\r\nContent-Length: 0\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let answer = answer_of(stream).await?;
    let place = value_in(&answer, "location").ok_or(io::ErrorKind::InvalidData)?;
    // Some say the path alone.
    Ok(if place.starts_with('/') {
        format!("http://{host}{place}")
    } else {
        place
    })
}

/// Passes a piece on, and what comes of it back.
async fn pass_on(
    uid: &str,
    place: &str,
    head: &Head,
    connection: &mut Connection,
    shared: &Shared,
    most: Option<u64>,
) -> io::Result<Reply> {
    let (host, path) = parts(place)?;
    let piece = connection.left().unwrap_or(0);
    let mut request = format!("PATCH {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in head.headers() {
        let passes = [
            "tus-resumable",
            "upload-offset",
            "content-type",
            "content-length",
        ];
        if passes.contains(&name.as_str()) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut watch = Halves::of(piece);
    let mut left = most.unwrap_or(piece);
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let Some(bytes) = connection.piece(wanted).await? else {
            break;
        };
        left -= bytes.len() as u64;
        stream.write_all(&bytes).await?;
        if watch.has_passed(bytes.len()) {
            shared.faults.moment().await?;
        }
    }
    if most.is_some() {
        // The server behind sees a client that left.
        drop(stream);
        return Ok(Reply::empty(204));
    }
    let answer = answer_of(stream).await?;
    let offset = value_in(&answer, "upload-offset").and_then(|text| text.parse().ok());
    let Some(offset) = offset else {
        return Ok(Reply::text(status_in(&answer), "the tus server says no"));
    };
    shared
        .store
        .with_video(uid, |video| video.received = offset);
    Ok(taken(offset))
}

/// The status of an answer from behind, and the offset that it says.
async fn offset_behind(place: &str) -> io::Result<(u16, Option<u64>)> {
    let (host, path) = parts(place)?;
    let request = format!(
        "HEAD {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nTus-Resumable: 1.0.0\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let answer = answer_of(stream).await?;
    let offset = value_in(&answer, "upload-offset").and_then(|text| text.parse().ok());
    Ok((status_in(&answer), offset))
}

async fn answer_of(stream: TcpStream) -> io::Result<String> {
    let mut answer = Vec::new();
    stream.take(MOST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn status_in(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1);
    status.and_then(|status| status.parse().ok()).unwrap_or(502)
}

fn value_in(answer: &str, name: &str) -> Option<String> {
    let mut lines = answer.split("\r\n").filter_map(|line| line.split_once(':'));
    let line = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
    line.map(|(_, value)| value.trim().to_owned())
}
