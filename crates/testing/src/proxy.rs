//! A proxy between a client and a server of TCP that does harm, at random and by a seed: it
//! cuts connections in an orderly way or by a reset, stalls before it does, and is slow. It
//! knows nothing of what passes, so requests break off in their heads and bodies, and
//! answers are lost when what they tell of is done.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

const PIECE: usize = 16 * 1024;
/// How long a connection stands still before it is cut, and a slow piece waits.
const STALL: Duration = Duration::from_millis(300);
const SLOW: Duration = Duration::from_millis(5);

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Harm {
    /// Nothing.
    None,
    /// Every piece waits a little.
    Slow,
    /// It ends in an orderly way.
    Cut,
    /// It is reset.
    Reset,
    /// It stands still for a while, and is reset then.
    Stall,
}

/// Harm, and after how many bytes of which direction.
#[derive(Clone, Copy, Debug)]
struct Plan {
    harm: Harm,
    upwards: bool,
    after: u64,
}

struct Shared {
    target: SocketAddr,
    seed: u64,
    connections: AtomicU64,
    /// What was done so far.
    done: Mutex<Vec<Harm>>,
}

/// A running proxy; ended with its connections when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts one before `target`.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn before(target: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("no port is free: {error}"));
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            target,
            seed,
            connections: AtomicU64::new(0),
            done: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it has done this so far.
    #[must_use]
    pub fn count(&self, harm: Harm) -> usize {
        let done = self.shared.done();
        done.iter().filter(|known| **known == harm).count()
    }
}

impl Shared {
    fn done(&self) -> MutexGuard<'_, Vec<Harm>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next connection has to expect.
    fn plan(&self) -> Plan {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut state = self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let harm = match mixed(&mut state) % 6 {
            0 => Harm::None,
            1 => Harm::Slow,
            2 => Harm::Stall,
            3 => Harm::Cut,
            _ => Harm::Reset,
        };
        let upwards = mixed(&mut state).is_multiple_of(2);
        // Small and large numbers alike: from the first bytes to some of the last.
        let digits = mixed(&mut state) % if upwards { 23 } else { 12 };
        let after = 1 + mixed(&mut state) % (1 << (digits + 1));
        Plan {
            harm,
            upwards,
            after,
        }
    }
}

/// SplitMix64.
const fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Its connections end with it.
    let mut connections = JoinSet::new();
    loop {
        // A connection that is gone before it is accepted concerns nobody.
        if let Ok((client, _)) = listener.accept().await {
            connections.spawn(serve(client, Arc::clone(&shared)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    let plan = shared.plan();
    let Ok(mut server) = TcpStream::connect(shared.target).await else {
        return;
    };
    let breaks = !matches!(plan.harm, Harm::None | Harm::Slow);
    let most = |upwards| (breaks && plan.upwards == upwards).then_some(plan.after);
    let slow = plan.harm == Harm::Slow;
    let broken = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        let mut up = pin!(carry(client_reads, server_writes, most(true), slow));
        let mut down = pin!(carry(server_reads, client_writes, most(false), slow));
        // One direction may end before the other.
        tokio::select! {
            broken = &mut up => broken || down.await,
            broken = &mut down => broken || up.await,
        }
    };
    if broken || plan.harm == Harm::Slow {
        shared.done().push(plan.harm);
    }
    if broken && plan.harm == Harm::Stall {
        tokio::time::sleep(STALL).await;
    }
    if broken && plan.harm != Harm::Cut {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Carries bytes until there are no more, then ends the other side; true when `most` of
/// them have passed before that.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    most: Option<u64>,
    slow: bool,
) -> bool {
    let mut left = most.unwrap_or(u64::MAX);
    let mut buffer = vec![0; PIECE];
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let Ok(count @ 1..) = from.read(&mut buffer[..wanted]).await else {
            let _ = to.shutdown().await;
            return false;
        };
        if slow {
            tokio::time::sleep(SLOW).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return false;
        }
        left -= count as u64;
    }
    true
}
