//! The composition root: opens what there is, hands each part what it needs,
//! registers the kinds of operation, merges the routes, and ends it all in order.

mod logging;
mod outbound;
pub(crate) mod parts;
mod reload;
mod signals;
mod site;

use crate::arguments::ServeArguments;
use crate::exit::{Code, Failure, Result};
use crate::{commands, settings};
use base::Config;
use base::config::Loaded;
use parts::Parts;
use std::io::{self, Write};
use std::time::Duration;
use storage::DataDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use web::ServerLimits;

/// Connections that the system keeps while nobody has accepted them yet.
const BACKLOG: u32 = 1024;
/// After the work has ended, how long connections may take to be closed.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs the server until it is told to stop.
pub(crate) fn run(arguments: ServeArguments) -> Result {
    let Loaded {
        config,
        unknown_variables,
    } = settings::load(&arguments)?;
    let logging = logging::start(&config);
    for unknown in &unknown_variables {
        tracing::warn!("{unknown}");
    }
    commands::block_on(serve(arguments, config, logging))
}

async fn serve(arguments: ServeArguments, config: Config, logging: logging::Logging) -> Result {
    // What can be refused without a trace is tried first.
    let directory = open_directory(&config).await?;
    let listener = listen(&config)?;
    let metrics = parts::install_metrics()?;
    let parts = Parts::open(&config, directory).await?;
    parts.greet(&config).await?;
    let stop = CancellationToken::new();
    let site = site::build(&parts, &config, metrics.clone(), stop.clone());
    parts.operations.start();
    parts.schedule().await?;

    let limits = ServerLimits {
        grace: config.shutdown_grace.duration() + LAST_ANSWERS,
        ..ServerLimits::from(&config)
    };
    let server = tokio::spawn(web::serve(
        vec![listener],
        site.router,
        limits,
        stop.clone(),
    ));
    tracing::info!(address = %config.listen, "listening");

    let reloader = reload::Reloader {
        arguments,
        config,
        parts: parts.clone(),
        web: site.settings,
        logging,
    };
    let config = signals::until_stopped(reloader, &metrics).await;
    tracing::info!("stopping");
    stop.cancel();
    let (served, ()) = tokio::join!(server, parts.stop(config.shutdown_grace.duration()));
    parts.close().await;
    match served {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::failed(error)),
        Err(_) => Err(Failure::failed(
            "the server made a mistake while it stopped",
        )),
    }
}

/// Prints what the routes say of themselves. They are built on an empty directory
/// that is removed again.
pub(crate) fn print_openapi() -> Result {
    let folder = tempfile::tempdir().map_err(Failure::failed)?;
    let config = Config {
        data: folder.path().join("data"),
        ..Config::default()
    };
    let document = commands::block_on(async {
        let directory = open_directory(&config).await?;
        let parts = Parts::open(&config, directory).await?;
        let metrics = parts::install_metrics()?;
        let site = site::build(&parts, &config, metrics, CancellationToken::new());
        parts.close().await;
        Ok(site.document)
    })?;
    let text = document.to_pretty_json().map_err(Failure::failed)?;
    // Who reads it may leave early, which is no panic.
    writeln!(io::stdout(), "{text}").map_err(Failure::failed)
}

async fn open_directory(config: &Config) -> Result<DataDir> {
    let path = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || DataDir::open(&path)).await;
    Ok(opened.map_err(Failure::failed)??)
}

/// Takes the address, without answering yet.
fn listen(config: &Config) -> Result<TcpListener> {
    let refused = |error: io::Error| {
        let address = config.listen;
        let text = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "the address {address} is taken by another program; stop that one, or choose another with --listen"
            ),
            io::ErrorKind::AddrNotAvailable => {
                format!(
                    "the address {address} is none of this machine; choose another with --listen"
                )
            }
            io::ErrorKind::PermissionDenied => format!(
                "the address {address} needs more rights (ports below 1024 do); choose another with --listen"
            ),
            _ => format!("the address {address} cannot be used: {error}"),
        };
        Failure::new(Code::Port, text)
    };
    let socket = if config.listen.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(refused)?;
    socket.set_reuseaddr(true).map_err(refused)?;
    socket.bind(config.listen).map_err(refused)?;
    socket.listen(BACKLOG).map_err(refused)
}
