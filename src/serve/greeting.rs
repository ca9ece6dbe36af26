//! What a start says to the person who started it: where the console is, and once the
//! first password.

use super::parts::Parts;
use crate::exit::Result;
use base::Config;
use secrecy::SecretString;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Makes the first user where there is none, and says where the console is.
pub(super) async fn greet(parts: &Parts, config: &Config) -> Result {
    let given = std::env::var("LONGSHORE_ADMIN_PASSWORD")
        .ok()
        .filter(|password| !password.is_empty())
        .map(SecretString::from);
    let generated = parts.access.ensure_admin(given).await?;
    let mut text = format!(
        "Longshore {}\n  Console   {}\n  Data      {} ({})\n",
        env!("CARGO_PKG_VERSION"),
        config.console_url(),
        parts.directory.path().display(),
        parts.db.dialect().name(),
    );
    let password = generated.as_ref().map(access::GeneratedPassword::reveal);
    if let Some(password) = password {
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "  User      admin\n  Password  {password}\n            It is shown this once; \
             `longshore user reset-password admin` makes another.\n"
        );
    }
    if !say(&text, &mut [&mut io::stdout(), &mut io::stderr()]) && password.is_some() {
        tracing::error!(
            "the password of admin could not be shown; `longshore user reset-password admin` makes another"
        );
    }
    Ok(())
}

/// Writes to the first that takes it; whether any did.
fn say(text: &str, places: &mut [&mut dyn Write]) -> bool {
    let write = |place: &mut dyn Write| {
        place.write_all(text.as_bytes())?;
        place.flush()
    };
    places.iter_mut().any(|place| write(*place).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_one_stream_does_not_take_goes_to_the_next() {
        let (mut heard, mut unheard) = (Vec::new(), Vec::new());
        assert!(say("hello", &mut [&mut Closed, &mut heard, &mut unheard]));
        assert_eq!((heard.as_slice(), unheard.len()), (&b"hello"[..], 0));
        assert!(!say("hello", &mut [&mut Closed, &mut Closed]));
    }
}
