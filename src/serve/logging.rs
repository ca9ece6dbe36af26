//! The program's own log, on standard error. Every line passes the redactor of the
//! secrets that are stored, as those of operations do.

use base::Config;
use base::config::LogFormat;
use base::redact::Redactor;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};

/// The running log, whose filter can be changed.
pub(crate) struct Logging {
    filter: Handle<EnvFilter, Registry>,
    redactors: Redactors,
}

/// The secrets as they are known at the time; none until the database is open.
type Redactors = Arc<OnceLock<watch::Receiver<Redactor>>>;

/// Starts the log.
pub(crate) fn start(config: &Config) -> Logging {
    let (filter, handle) = Layer::new(filter_of(config));
    let redactors = Redactors::default();
    let writer = {
        let redactors = Arc::clone(&redactors);
        move || Clean {
            redactors: Arc::clone(&redactors),
            out: io::stderr(),
        }
    };
    let registry = tracing_subscriber::registry().with(filter);
    // A second start in one process keeps the first log.
    let _ = match config.log.format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(writer)
                    .with_target(false)
                    // Colours are for eyes, not for files and journals.
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(writer))
            .try_init(),
    };
    Logging {
        filter: handle,
        redactors,
    }
}

/// What is logged. The S3 protocol's library is left out whatever is asked for: it writes
/// down whole requests with their signatures, and every missing file as an error.
fn filter_of(config: &Config) -> EnvFilter {
    EnvFilter::new(format!("{},s3s=off", config.log.filter.as_str()))
}

impl Logging {
    /// From now on no line holds a secret of these.
    pub(crate) fn redact(&self, redactors: watch::Receiver<Redactor>) {
        // A second one cannot be: a process opens access once.
        let _ = self.redactors.set(redactors);
    }

    /// Changes how much is logged.
    pub(super) fn set_filter(&self, config: &Config) {
        if let Err(error) = self.filter.reload(filter_of(config)) {
            tracing::warn!(%error, "the log's filter could not be changed");
        }
    }
}

/// Takes the secrets out of each line, which comes in one piece.
struct Clean<W> {
    redactors: Redactors,
    out: W,
}

impl<W: Write> Write for Clean<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.redactors.get() {
            Some(redactors) => {
                let redactor = redactors.borrow().clone();
                self.out.write_all(&redactor.redact_bytes(line))?;
            }
            None => self.out.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_holds_no_secret() {
        let redactors = Redactors::default();
        let mut clean = Clean {
            redactors: Arc::clone(&redactors),
            out: Vec::new(),
        };
        clean.write_all(b"before\n").expect("taken");
        let (_secrets, receiver) = watch::channel(Redactor::new([b"hunter2-hunter2".as_slice()]));
        assert!(redactors.set(receiver).is_ok());
        clean.write_all(b"it is hunter2-hunter2.\n").expect("taken");
        let text = String::from_utf8(clean.out).expect("text");
        assert!(text.starts_with("before\nit is "), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
