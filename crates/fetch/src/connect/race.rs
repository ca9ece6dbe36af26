//! Which of several checked addresses answers first (RFC 8305, "happy eyeballs").
//!
//! It dials the addresses that it is given and no others.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long one address is given before the next is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

/// How an address that the guard admitted becomes a connection.
///
/// An implementation must connect to `address` and nothing else; tests put their own
/// here to see which addresses are asked for.
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Opens a TCP connection. The caller bounds the time.
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// Plain TCP from this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

#[async_trait]
impl Dial for TcpDialer {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// Dials `addresses`, families in turn, each a little after the one before or as soon
/// as that has failed; the first connection wins and the others are dropped.
pub(crate) async fn first_to_connect(
    dialer: &dyn Dial,
    addresses: &[SocketAddr],
) -> io::Result<TcpStream> {
    let mut waiting = families_in_turn(addresses).into_iter();
    let mut dialling = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        if let Some(address) = waiting.next() {
            dialling.push(dialer.dial(address));
        }
        let next_one_waits = waiting.len() > 0;
        let outcome = tokio::select! {
            outcome = dialling.next() => outcome,
            () = tokio::time::sleep(HEAD_START), if next_one_waits => continue,
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => first_error = first_error.or(Some(error)),
            None => {
                let nobody = || io::Error::from(io::ErrorKind::AddrNotAvailable);
                return Err(first_error.unwrap_or_else(nobody));
            }
        }
    }
}

fn families_in_turn(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let starts_with_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (leading, other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == starts_with_v6);
    let mut other = other.into_iter();
    let mut turns = Vec::with_capacity(addresses.len());
    for address in leading {
        turns.push(address);
        turns.extend(other.next());
    }
    turns.extend(other);
    turns
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;
    use tokio::net::TcpListener;

    /// Reaches one address, refuses some and leaves the rest unanswered.
    #[derive(Default)]
    struct Paths {
        reach: Option<(SocketAddr, SocketAddr)>,
        refuse: Vec<SocketAddr>,
        dialled: Mutex<Vec<SocketAddr>>,
    }

    #[async_trait]
    impl Dial for Paths {
        async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
            self.dialled.lock().unwrap().push(address);
            match self.reach {
                Some((from, to)) if from == address => TcpStream::connect(to).await,
                _ if self.refuse.contains(&address) => {
                    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
                }
                _ => std::future::pending().await,
            }
        }
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_alternate_from_the_first() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let turns = families_in_turn(&given);
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"];
        assert_eq!(turns, addresses(&expected));
    }

    #[tokio::test]
    async fn a_silent_address_does_not_hold_up_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let given = addresses(&["[2001:db8::1]:80", "192.0.2.1:80"]);
        let paths = Paths {
            reach: Some((given[1], listener.local_addr().unwrap())),
            ..Paths::default()
        };
        first_to_connect(&paths, &given).await.unwrap();
        assert_eq!(*paths.dialled.lock().unwrap(), given);
    }

    #[tokio::test]
    async fn when_all_fail_the_first_failure_is_told() {
        let given = addresses(&["192.0.2.1:80", "192.0.2.2:80"]);
        let paths = Paths {
            refuse: given.clone(),
            ..Paths::default()
        };
        let error = first_to_connect(&paths, &given).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(paths.dialled.lock().unwrap().len(), 2);
        assert!(first_to_connect(&paths, &[]).await.is_err());
    }
}
