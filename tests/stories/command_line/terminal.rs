//! The commands on a terminal, which `script` of util-linux plays: bars that move, and
//! what is asked for.

use super::Person;
use super::wire::Wire;
use crate::archive::contents;
use crate::program::server;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use testing::{Answer, Content, Origin, TestDatabase, installed, on_sqlite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The columns of a terminal.
const COLUMNS: usize = 100;

/// A command on a terminal.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: ChildStdout,
    /// All that was ever written to it.
    seen: String,
    /// The file in which the device is named.
    device: PathBuf,
}

impl Terminal {
    /// Starts a command; nothing, after saying so, where there is no `script`.
    fn of(person: &Person, arguments: &[&str]) -> Option<Self> {
        let script = installed("script")?;
        let device = person.folder().join("device");
        let inner = person.command(arguments);
        let inner = inner.as_std();
        let words: Vec<String> = std::iter::once(inner.get_program())
            .chain(inner.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        let line = format!(
            "stty cols {COLUMNS} rows 30; tty > device; exec {}",
            words.join(" ")
        );
        let mut command = Command::new(script);
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut child = command
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .current_dir(person.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("script can be started");
        Some(Self {
            keys: child.stdin.take().expect("it is piped"),
            shown: child.stdout.take().expect("it is piped"),
            child,
            seen: String::new(),
            device,
        })
    }

    /// Waits until the screen is as wanted.
    async fn shows(&mut self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        within(what, async {
            loop {
                let screen = screen(&self.seen);
                if wanted(&screen) {
                    return screen;
                }
                assert!(self.more().await, "it ended without {what}: {screen:#?}");
            }
        })
        .await
    }

    /// Reads what comes next; whether anything did.
    async fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let count = self.shown.read(&mut bytes).await.unwrap_or(0);
        self.seen
            .push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }

    /// Waits until what is typed is not shown any more.
    async fn hides_keys(&self) {
        let stty = installed("stty").expect("it is where script is");
        let device = std::fs::read_to_string(&self.device).expect("the device was named");
        within("the echo to be off", async {
            loop {
                let said = Command::new(&stty)
                    .args(["-a", "-F", device.trim()])
                    .output()
                    .await
                    .expect("stty can be started");
                if String::from_utf8_lossy(&said.stdout).contains(" -echo ") {
                    return;
                }
                // A device tells nobody of its settings.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    async fn types(&mut self, line: &str) {
        let line = format!("{line}\n");
        let typed = self.keys.write_all(line.as_bytes()).await;
        typed.expect("a terminal takes keys");
    }

    /// Waits for the end; the exit code, and the screen that it leaves.
    async fn ends(mut self) -> (Option<i32>, Vec<String>, String) {
        within("its end", async { while self.more().await {} }).await;
        let ended = within("its end", self.child.wait()).await;
        let code = ended.expect("a child can be waited for").code();
        (code, screen(&self.seen), self.seen)
    }
}

/// What a terminal shows that was sent this. It knows what progress bars send.
fn screen(sent: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut sent = sent.chars().peekable();
    while let Some(c) = sent.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' if sent.next_if_eq(&'[').is_some() => {
                let mut given = String::new();
                while let Some(c) = sent.next_if(|c| !c.is_ascii_alphabetic()) {
                    given.push(c);
                }
                let count = given.parse().unwrap_or(1);
                match sent.next() {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row += count,
                    Some('C') => column += count,
                    Some('D') => column = column.saturating_sub(count),
                    Some('K') if given == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('J') => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    _ => {}
                }
            }
            c if c.is_control() => {}
            c => {
                if column == COLUMNS {
                    (row, column) = (row + 1, 0);
                    lines.resize(lines.len().max(row + 1), Vec::new());
                }
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        let rows = lines.len().max(row + 1);
        lines.resize(rows, Vec::new());
    }
    let lines = lines.into_iter();
    lines
        .map(|line| line.into_iter().collect::<String>().trim_end().to_owned())
        .collect()
}

/// The names of files that have a bar of their own, which is neither empty nor full where
/// they are `moving`.
fn bars(screen: &[String], moving: bool) -> BTreeSet<&str> {
    let bars = screen.iter().filter(|line| {
        line.starts_with("  ") && line.contains("B/") && (!moving || line.contains("=>"))
    });
    let paths = bars.filter_map(|line| line.split_whitespace().last());
    let names = paths.filter_map(|path| path.rsplit('/').next());
    // The total has a rate, and no name.
    names.filter(|name| name.contains('.')).collect()
}

fn has(screen: &[String], words: &[&str]) -> bool {
    screen
        .iter()
        .any(|line| words.iter().all(|word| line.contains(word)))
}

#[test]
fn a_screen_is_what_was_sent_to_it() {
    let sent = "one\r\ntwo\r\nthree\u{1b}[1A\r\u{1b}[2Kzwei\u{1b}[1A\rONE\u{1b}[0m!";
    assert_eq!(screen(sent), ["ONE!", "zwei", "three"]);
    assert_eq!(screen("a\r\nb\r\nc\u{1b}[2A\r\u{1b}[J"), [""]);
    let full = "-".repeat(COLUMNS);
    assert_eq!(screen(&format!("{full}\r\nnext")), [&full, "next"]);
    assert_eq!(screen(&format!("{full}next")), [&full, "next"]);
}

on_sqlite!(a_bundle_has_a_bar_for_each_transfer_and_a_total);
async fn a_bundle_has_a_bar_for_each_transfer_and_a_total(database: TestDatabase) {
    let (server, origin) = (server(&database).start().await, Origin::start().await);
    let person = Person::logged_in(&server).await;
    let mut list = String::new();
    for name in ["first.jpg", "second.jpg"] {
        let answer = Answer::ok(Content::seeded(1, 4_000_000)).stall_after(2_000_000);
        list += &origin.put(&format!("/{name}"), answer);
        list.push('\n');
    }
    for number in 0..3 {
        let answer = Answer::ok(Content::seeded(number, 1000));
        list += &origin.put(&format!("/{number}.jpg"), answer);
        list.push('\n');
    }
    person.write("list.txt", &list);
    let Some(mut terminal) = Terminal::of(&person, &["bundle", "list.txt", "-o", "out.zip"]) else {
        return;
    };
    terminal
        .shows("two bars and a total", |screen| {
            bars(screen, true).is_superset(&["first.jpg", "second.jpg"].into())
                && has(screen, &["/5 files", "iB/s"])
        })
        .await;
    origin.release();
    let (code, screen, seen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{seen}");
    assert!(bars(&screen, false).is_empty(), "{screen:#?}");
    assert!(has(&screen, &["out.zip"]), "{screen:#?}");
    let archive = std::fs::read(person.folder().join("out.zip")).expect("it was saved");
    assert_eq!(contents(&archive).len(), 5);
}

on_sqlite!(four_uploads_at_once_have_a_bar_each_and_a_total);
async fn four_uploads_at_once_have_a_bar_each_and_a_total(database: TestDatabase) {
    let server = server(&database).start().await;
    let wire = Wire::to(server.port()).await;
    let person = Person::logged_in_by(&server, &wire.url(), &[]).await;
    std::fs::create_dir(person.folder().join("tree")).expect("a folder");
    for number in 0..6 {
        let content = Content::seeded(number, 3_000_000).to_vec();
        std::fs::write(person.folder().join(format!("tree/{number}.bin")), content)
            .expect("a file");
    }
    wire.hold_after(500_000);
    let put = ["put", "-r", "-j", "4", "tree", "files:"];
    let Some(mut terminal) = Terminal::of(&person, &put) else {
        return;
    };
    let screen = terminal
        .shows("four bars and a total", |screen| {
            bars(screen, false).len() >= 4 && has(screen, &["iB/s"])
        })
        .await;
    // The others wait: nobody lets more go at once than was said.
    assert_eq!(bars(&screen, false).len(), 4, "{screen:#?}");
    assert_eq!(person.run(&["ls", "-r", "files:"]).await.output, "");
    wire.let_go();
    let (code, screen, seen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{seen}");
    assert!(bars(&screen, false).is_empty(), "{screen:#?}");
    assert!(has(&screen, &["6 files uploaded"]), "{screen:#?}");
    let listed = person.run(&["ls", "-r", "files:"]).await.output;
    assert_eq!(listed.lines().count(), 6, "{listed}");
}

on_sqlite!(a_name_and_a_password_are_asked_for_and_the_password_is_not_shown);
async fn a_name_and_a_password_are_asked_for_and_the_password_is_not_shown(database: TestDatabase) {
    let server = server(&database).start().await;
    let person = Person::new();
    let Some(mut terminal) = Terminal::of(&person, &["login", &server.url()]) else {
        return;
    };
    terminal
        .shows("the question who it is", |screen| has(screen, &["User:"]))
        .await;
    terminal.types("admin").await;
    terminal
        .shows("the question for the password", |screen| {
            has(screen, &["assword"])
        })
        .await;
    terminal.hides_keys().await;
    terminal.types(server.admin_password()).await;
    let (code, screen, seen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{seen}");
    assert!(
        has(&screen, &["User: admin"]),
        "a name is shown: {screen:#?}"
    );
    assert!(!seen.contains(server.admin_password()), "{screen:#?}");
    let ended = person.run(&["ops", "ls"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
