//! The role of a server with a clock: `GET /SIZE/NUMBER.jpg` gives so many bytes after a
//! delay, and it knows when the first of them went out.

use crate::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Asking for this tells when the first byte since the last asking went out, in
/// microseconds since 1970.
pub(super) const FIRST: &str = "/_first";
const BODY: usize = 1 << 20;

struct Origin {
    delay: Duration,
    body: Vec<u8>,
    first: AtomicU64,
}

/// Plays the role until it is killed.
pub(crate) async fn play(arguments: &[&str]) -> Result {
    let [millis] = arguments else {
        return Err("role-origin MILLISECONDS".into());
    };
    let origin = Arc::new(Origin {
        delay: Duration::from_millis(millis.parse()?),
        body: longshore_testing::Content::seeded(1, BODY as u64 * 2).to_vec(),
        first: AtomicU64::new(0),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let origin = Arc::clone(&origin);
        tokio::spawn(async move {
            // A client that goes away concerns nobody.
            let _ = origin.converse(stream).await;
        });
    }
}

impl Origin {
    async fn converse(&self, mut stream: TcpStream) -> Result {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at + 4;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            buffer.drain(..end);
            let path = head.split(' ').nth(1).unwrap_or_default();
            if path == FIRST {
                let text = self.first.swap(0, Ordering::Relaxed).to_string();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
                    text.len()
                );
                stream.write_all(answer.as_bytes()).await?;
                continue;
            }
            self.answer(&mut stream, path).await?;
        }
    }

    async fn answer(&self, stream: &mut TcpStream, path: &str) -> Result {
        let mut parts = path.trim_start_matches('/').split(['/', '.']);
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
        let (mut size, number) = (number().unwrap_or(0), number().unwrap_or(0));
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        let now = u64::try_from(now)?;
        // Only the first answer since the last asking is noted.
        let _ = self
            .first
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let begin = number % BODY;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        while size > 0 {
            let part = size.min(BODY);
            stream.write_all(&self.body[begin..begin + part]).await?;
            size -= part;
        }
        Ok(())
    }
}
