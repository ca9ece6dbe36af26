//! The role of a server with an operation that talks, since the shipped one has none.
//!
//! Everything but the kind is what `longshore serve` uses: the engine, access, the gate,
//! the routes of activity and the live socket, on a real listener. It begins to write
//! when it is told `go`.

use crate::process::Process;
use crate::program::PASSWORD;
use crate::{Result, process};
use access::{Access, AccessSettings, MasterKeys};
use base::{Actor, OperationId, SharedClock, SystemClock, Trigger};
use operations::{
    Context, EngineSettings, Failure, Kind, Kinds, NewOperation, Operations, Outcome, Settings,
    Stream,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use storage::{Bus, Db, DbSettings};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::{Gate, Links, ServerLimits};

/// Every line has this many bytes, so that who reads a thousand copies of it need not
/// look for its end.
pub(crate) const LINE: usize = 72;
/// A line that holds this is one of every ten thousand.
pub(crate) const NEEDLE: &str = "needle";

/// A running engine, seen from outside.
pub(crate) struct Engine {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) operation: String,
}

impl Engine {
    /// Starts one whose operation will write `lines`, so many a second, or as fast as
    /// it can when `per_second` is 0.
    pub(crate) async fn start(data: &Path, lines: u64, per_second: u64) -> Result<Self> {
        let arguments = [
            data.to_string_lossy().into_owned(),
            lines.to_string(),
            per_second.to_string(),
        ];
        let mut process = Process::role("role-engine", &arguments)?;
        let ready = process.says("ready").await?;
        let (address, operation) = ready.split_once(' ').ok_or("no address")?;
        Ok(Self {
            address: address.parse()?,
            operation: operation.to_owned(),
            process,
        })
    }
}

/// Writes lines.
struct Talk {
    go: Arc<Notify>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TalkInput {
    lines: u64,
    per_second: u64,
}

impl Kind for Talk {
    const NAME: &'static str = "talk";
    type Input = TalkInput;

    fn settings(&self) -> Settings {
        Settings::new("Talk")
    }

    async fn run(
        &self,
        input: TalkInput,
        context: Context,
    ) -> std::result::Result<Outcome, Failure> {
        self.go.notified().await;
        let begun = Instant::now();
        let mut ticks = match input.per_second {
            0 => None,
            per_second => {
                let mut ticks = tokio::time::interval(
                    Duration::from_secs(1) / u32::try_from(per_second).unwrap_or(1000),
                );
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                Some(ticks)
            }
        };
        for number in 1..=input.lines {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            context.line(Stream::Stdout, &line(number)).await;
        }
        println!("wrote {}", begun.elapsed().as_secs_f64());
        Ok(Outcome::Null)
    }
}

/// Text that compresses about as well as the output of a build.
fn line(number: u64) -> String {
    let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = if number.is_multiple_of(10_000) {
        NEEDLE
    } else {
        "module"
    };
    let line = format!(
        "   Compiling {word} {number} {noise:016x} src/part/{}.rs",
        noise % 977
    );
    format!("{line:<LINE$.LINE$}")
}

/// Plays the role until it is killed.
pub(crate) async fn play(arguments: &[&str]) -> Result {
    let [data, lines, per_second] = arguments else {
        return Err("role-engine DATA LINES PER_SECOND".into());
    };
    let input = TalkInput {
        lines: lines.parse()?,
        per_second: per_second.parse()?,
    };
    let go = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let clock: SharedClock = Arc::new(SystemClock);
    let db = Db::open(&DbSettings::Sqlite(Path::new(data).join("longshore.db"))).await?;
    let bus = Bus::start(&db, &tasks, stop.clone());
    let access = Access::open(
        db.clone(),
        bus.clone(),
        Arc::clone(&clock),
        MasterKeys::generate(),
        AccessSettings::default(),
    )
    .await?;
    access
        .ensure_admin(Some(SecretString::from(PASSWORD)))
        .await?;
    let operations = Operations::open(
        db,
        bus,
        Arc::clone(&clock),
        Kinds::new().with(Talk {
            go: Arc::clone(&go),
        }),
        access.redactors(),
        EngineSettings {
            alone: true,
            ..EngineSettings::default()
        },
    )
    .await?;
    operations.start();
    let (_settings, current) = watch::channel(Arc::default());
    let gate = Gate::new(
        Arc::new(access.clone()),
        Links::new([0; 32], "bench"),
        clock,
        current.clone(),
        1024,
    );
    let site = web::activity_routes(operations.clone(), access.clone(), Arc::new(Nothing))
        .merge(web::live_routes(
            operations.clone(),
            None,
            access,
            current,
            stop.clone(),
        ))
        .finish(&gate);
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(1024)?;
    let address = listener.local_addr()?;
    let new = NewOperation::of::<Talk>(&input, Actor::system(), Trigger::System)?;
    let id: OperationId = operations.submit(new).await?;
    println!("ready {address} {id}");
    let mut told = process::told();
    let served = web::serve(vec![listener], site, ServerLimits::default(), stop);
    let listens = async {
        while let Some(line) = told.recv().await {
            if line == "go" {
                go.notify_one();
            }
        }
    };
    tokio::select! {
        served = served => Ok(served?),
        // Who started it is gone.
        () = listens => Ok(()),
    }
}

/// Nobody starts anything here.
#[derive(Debug)]
struct Nothing;

#[async_trait::async_trait]
impl web::Starting for Nothing {
    async fn admit(
        &self,
        _caller: &access::Caller,
        _kind: &str,
        _input: &str,
    ) -> web::Answer<Option<String>> {
        Ok(None)
    }
}
