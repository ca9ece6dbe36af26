//! How bars look. None says how long it still takes before that can be told, nor that it
//! takes no time any more while something is missing.

use indicatif::{HumanDuration, ProgressState, ProgressStyle};
use std::fmt;
use std::time::Duration;

/// Longer than anybody waits: of what hardly moves nothing can be told.
const ABSURD: Duration = Duration::from_secs(100 * 24 * 3600);

/// The style of a template of ours, which is right; a plain bar if it were not. `{left}` is
/// how long it still takes: "12s left", and nothing where that is not known.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("left", write_left)
        .progress_chars("=> ")
}

fn write_left(state: &ProgressState, out: &mut dyn fmt::Write) {
    let missing = state.len().unwrap_or(0).saturating_sub(state.pos());
    // What cannot be written into memory is not shown.
    let _ = out.write_str(&left(missing, state.eta()));
}

/// `takes` is the estimate, zero where there is none.
fn left(missing: u64, takes: Duration) -> String {
    if missing == 0 || takes.is_zero() || takes > ABSURD {
        return String::new();
    }
    let takes = takes.max(Duration::from_secs(1));
    format!("{:#} left", HumanDuration(takes))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use indicatif::{ProgressBar, ProgressDrawTarget, TermLike};
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that keeps what was written to it.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Paper(Arc<Mutex<String>>);

    impl Paper {
        pub(crate) fn target(&self) -> ProgressDrawTarget {
            ProgressDrawTarget::term_like(Box::new(self.clone()))
        }

        /// What was written since it was asked last.
        pub(crate) fn read(&self) -> String {
            std::mem::take(&mut *self.0.lock().expect("nobody panics with it"))
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("nobody panics with it").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn how_long_it_takes_is_told_only_where_it_is_known() {
        let seconds = Duration::from_secs;
        for (missing, takes, told) in [
            (7, seconds(0), ""),
            (7, Duration::from_millis(3), "1s left"),
            (7, seconds(12), "12s left"),
            (7, seconds(7200), "2h left"),
            (7, Duration::MAX, ""),
            (0, seconds(12), ""),
        ] {
            assert_eq!(left(missing, takes), told, "{missing} {takes:?}");
        }
    }

    #[test]
    fn a_bar_of_which_nothing_is_done_says_no_time() {
        let paper = Paper::default();
        let bar = ProgressBar::with_draw_target(Some(7), paper.target());
        bar.set_style(style("{pos}/{len}  {left}|"));
        bar.tick();
        let drawn = paper.read();
        assert!(drawn.contains("0/7  |"), "{drawn}");
    }
}
