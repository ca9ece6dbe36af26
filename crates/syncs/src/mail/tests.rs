//! Servers of mail that take, fail, refuse and say nothing.

use super::*;
use base::Redactor;
use testing::within;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

fn settings(port: u16) -> MailSettings {
    MailSettings {
        host: "127.0.0.1".to_owned(),
        port,
        encryption: MailEncryption::None,
        from: "Longshore <longshore@example.org>".to_owned(),
        login: Some(("anna".to_owned(), "hunter2-of-anna".into())),
        patience: Duration::from_millis(300),
        console: None,
    }
}

fn letter() -> Letter {
    Letter {
        subject: "Sync spaces".to_owned(),
        text: "3 delivered.".to_owned(),
        id: "1".to_owned(),
        at: Timestamp::from_micros(1_700_000_000_000_000),
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let sending = settings(port);
    let sent = within("the limit", sending.send(&letter(), "ben@example.org")).await;
    let why = sent.expect_err("nobody answers");
    assert!(!why.is_of_the_reader(), "{why}");
}

/// A server that lets `doors` clients in before it says anything to any of them, and then
/// takes what each has.
async fn takes_together(listener: TcpListener, doors: usize) {
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(doors));
    loop {
        let (socket, _) = listener.accept().await.expect("it comes");
        let barrier = std::sync::Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            takes(socket).await;
        });
    }
}

/// Takes what a client has.
async fn takes(mut socket: TcpStream) {
    let _ = socket.write_all(b"220 here\r\n").await;
    let mut lines = BufReader::new(&mut socket);
    let (mut line, mut in_text) = (String::new(), false);
    while lines.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let answer = match line.trim_end() {
            "." => "250 taken\r\n",
            _ if in_text => "",
            "DATA" => "354 go on\r\n",
            _ => "250 fine\r\n",
        };
        in_text = match line.trim_end() {
            "DATA" => true,
            "." => false,
            _ => in_text,
        };
        line.clear();
        if lines.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn readers_are_written_to_at_once_and_who_is_none_keeps_it_from_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let _serving = AbortOnDropHandle::new(tokio::spawn(takes_together(listener, AT_ONCE)));
    let mail = MailSettings {
        login: None,
        patience: Duration::from_secs(20),
        ..settings(port)
    };
    let mut readers = vec!["nobody".to_owned()];
    readers.extend((0..2 * AT_ONCE).map(|number| format!("r{number}@example.org")));
    let letter = letter();
    // One after the other, nobody would be let in.
    let all = within("an end", mail.send_to_all(&letter, &readers)).await;
    let named: Vec<_> = all.iter().map(|(reader, _)| reader.clone()).collect();
    assert_eq!(named, readers);
    let unsent = all.iter().filter(|(_, sent)| sent.is_err());
    let unsent: Vec<_> = unsent.map(|(reader, _)| &**reader).collect();
    assert_eq!(unsent, ["nobody"], "{all:?}");
}

#[tokio::test]
async fn letters_on_their_way_arrive_though_the_server_fails_another() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let serving = async {
        let mut doors = Vec::new();
        for _ in 0..AT_ONCE {
            doors.push(listener.accept().await.expect("it comes").0);
        }
        // One is sent away, and the others wait until its client knows of it.
        let mut away = doors.remove(0);
        away.write_all(b"421 not now\r\n").await.expect("written");
        away.read_to_end(&mut Vec::new()).await.expect("it leaves");
        futures::future::join_all(doors.into_iter().map(takes)).await;
    };
    let mail = MailSettings {
        login: None,
        patience: Duration::from_secs(20),
        ..settings(port)
    };
    let readers: Vec<_> = (0..AT_ONCE + 2)
        .map(|n| format!("r{n}@a.example"))
        .collect();
    let letter = letter();
    let sending = mail.send_to_all(&letter, &readers);
    let (all, ()) = within("an end", async { tokio::join!(sending, serving) }).await;
    let (begun, others) = all.split_at(AT_ONCE);
    let failed: Vec<_> = begun
        .iter()
        .filter_map(|(_, sent)| sent.as_ref().err())
        .collect();
    assert!(matches!(&failed[..], [Unsent::Server(_)]), "{all:?}");
    for (_, sent) in others {
        assert!(matches!(sent, Err(Unsent::Untried)), "{all:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_said_of_every_letter() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let mail = settings(port);
    let readers: Vec<_> = (0..AT_ONCE + 1)
        .map(|n| format!("r{n}@a.example"))
        .collect();
    let all = within("the limit", mail.send_to_all(&letter(), &readers)).await;
    assert_eq!(all.len(), readers.len());
    assert!(all.iter().all(|(_, sent)| sent.is_err()), "{all:?}");
    let last = all.last().map(|(_, sent)| sent);
    assert!(matches!(last, Some(Err(Unsent::Untried))), "{all:?}");
}

#[tokio::test]
async fn where_nobody_is_let_in_no_further_letter_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let serving = async {
        for _ in 0..AT_ONCE {
            let (mut socket, _) = listener.accept().await.expect("it comes");
            let answers = [
                "220 here\r\n",
                "250-here\r\n250 AUTH PLAIN\r\n",
                "535 no\r\n",
            ];
            for answer in answers {
                socket.write_all(answer.as_bytes()).await.expect("written");
                let _ = socket.read(&mut [0; 1024]).await;
            }
        }
    };
    let mail = MailSettings {
        patience: Duration::from_secs(20),
        ..settings(port)
    };
    let readers: Vec<_> = (0..2 * AT_ONCE)
        .map(|n| format!("r{n}@a.example"))
        .collect();
    let letter = letter();
    let sending = mail.send_to_all(&letter, &readers);
    let (all, ()) = within("an end", async { tokio::join!(sending, serving) }).await;
    let tried = |sent: &Result<(), Unsent>| matches!(sent, Err(Unsent::Server(_)));
    assert!(
        all[..AT_ONCE].iter().all(|(_, sent)| tried(sent)),
        "{all:?}"
    );
    let left = |sent: &Result<(), Unsent>| matches!(sent, Err(Unsent::Untried));
    assert!(all[AT_ONCE..].iter().all(|(_, sent)| left(sent)), "{all:?}");
}

#[tokio::test]
async fn what_a_server_repeats_of_a_password_is_known_as_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("it has one").port();
    let serving = async {
        let (mut socket, _) = listener.accept().await.expect("it comes");
        let mut said = [0; 1024];
        for answer in ["220 here\r\n", "250-here\r\n250 AUTH PLAIN\r\n"] {
            socket.write_all(answer.as_bytes()).await.expect("written");
            let _ = socket.read(&mut said).await;
        }
        let heard = String::from_utf8_lossy(&said);
        let word = heard.split_whitespace().nth(2).unwrap_or_default();
        let answer = format!("535 no: {word} hunter2-of-anna\r\n");
        socket.write_all(answer.as_bytes()).await.expect("written");
        let _ = socket.read(&mut said).await;
    };
    let mail = MailSettings {
        patience: Duration::from_secs(20),
        ..settings(port)
    };
    let letter = letter();
    let (sent, ()) = within("an end", async {
        tokio::join!(mail.send(&letter, "ben@example.org"), serving)
    })
    .await;
    let why = sent.expect_err("refused").to_string();
    assert!(
        why.contains("535") && why.contains("hunter2-of-anna"),
        "{why}"
    );
    let secrets = mail.secrets();
    let redactor = Redactor::new(secrets.iter().map(|secret| secret.expose_secret()));
    let shown = redactor.redact(&why);
    for secret in &secrets {
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
    }
}

#[test]
fn an_address_is_one_line_with_a_host() {
    assert!(is_address("anna@example.org"));
    for text in [
        "",
        "anna",
        "Anna <anna@example.org>",
        "a@b\r\nRCPT TO:<c@d>",
    ] {
        assert!(!is_address(text), "{text}");
    }
}
