//! Ports for servers that cannot be asked which one they took.

use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which systems give ports to outgoing connections, so that a
/// port that is free now is not taken by a passing client.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of 127.0.0.1 on which nobody listens now.
///
/// # Panics
/// When there is none.
pub(crate) fn free() -> u16 {
    // Where to begin is random, since tests run in many processes at once.
    let random = uuid::Uuid::now_v7().as_u128();
    let begin = u16::try_from(random % u128::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|step| FIRST + (begin + step) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("one of 12,000 ports of 127.0.0.1 is free")
}
