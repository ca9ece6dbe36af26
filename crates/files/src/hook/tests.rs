//! Hooks: what is believed of SNS, and who is asked for that.

use super::sns::samples;
use super::*;
use crate::{DEFAULT_BUCKET, Error, FileSettings, Ground};
use access::{Access, AccessSettings, MasterKeys};
use async_trait::async_trait;
use base::SystemClock;
use fetch::{Client, Dial, Limits, Policy, Resolve, ResolveError, Roots};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use storage::{Blobs, Bus};
use testing::on_both;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

const HOST: &str = "sns.eu-central-1.amazonaws.com";
/// Where a name server would say that SNS is.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(54, 239, 99, 1));

/// Stands for SNS: it gives its certificate, and notes what else it is asked for. What is
/// at its name comes here instead.
#[derive(Clone)]
struct Double {
    port: u16,
    authority: CertificateDer<'static>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Double {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("made");
        let authority = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![authority.clone()], key.into())
            .expect("a certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let double = Self {
            port: listener.local_addr().expect("an address").port(),
            authority,
            asked: Arc::default(),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let asked = Arc::clone(&double.asked);
        // It ends with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, asked) = (acceptor.clone(), Arc::clone(&asked));
                tokio::spawn(async move { answer(acceptor, stream, &asked).await });
            }
        });
        double
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    fn client(&self) -> Client {
        Client::builder(Policy::default(), Limits::default())
            .resolver(self.clone())
            .dialer(self.clone())
            .roots(Roots::Only(vec![self.authority.clone()]))
            .build()
    }
}

#[async_trait]
impl Resolve for Double {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        if host == HOST {
            Ok(vec![THERE])
        } else {
            Err(ResolveError::NotFound)
        }
    }
}

#[async_trait]
impl Dial for Double {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        assert_eq!(address, SocketAddr::new(THERE, 443));
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await
    }
}

/// Answers one request, and closes.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream, asked: &Mutex<Vec<String>>) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => head.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = match path.rsplit_once('/') {
        Some((_, name)) if name.starts_with("SimpleNotificationService-") => {
            ("200 OK", samples::CERTIFICATE)
        }
        Some((_, "moved.pem")) => ("302 Found\r\nLocation: https://example.org/x.pem", ""),
        Some((_, "none.pem")) => ("200 OK", "no certificate"),
        _ => ("200 OK", "<ConfirmSubscriptionResponse/>"),
    };
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path);
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Files that reach SNS at its double.
struct Desk {
    files: Files,
    bucket: Arc<Bucket>,
    stop: CancellationToken,
    tasks: TaskTracker,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open(database: &testing::TestDatabase, double: &Double) -> Self {
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock: base::SharedClock = Arc::new(SystemClock);
        let keys = MasterKeys::generate();
        let settings = AccessSettings::default();
        let access = Access::open(db.clone(), bus.clone(), Arc::clone(&clock), keys, settings);
        let folder = tempfile::tempdir().expect("a folder");
        let ground = Ground {
            client: double.client(),
            db,
            blobs: Blobs::open(&folder.path().join("files")).expect("they are ours"),
            bus,
            access: access.await.expect("access opens"),
            clock,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let files = Files::open(ground, FileSettings::default())
            .await
            .expect("files open");
        Self {
            bucket: files.bucket(DEFAULT_BUCKET).expect("it is there"),
            files,
            stop,
            tasks,
            _folder: folder,
        }
    }

    async fn hear(&self, message: &Value) -> crate::Result<()> {
        let body = message.to_string();
        self.files.hear(&self.bucket, body.as_bytes()).await
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.files.db().close().await;
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn a_topic_that_asks_is_told_that_its_subscription_is_wanted() {
    on_both(|database| async move {
        let double = Double::start().await;
        let desk = Desk::open(&database, &double).await;
        let heard = desk.hear(&read(samples::CONFIRMATION)).await;
        heard.expect("it is confirmed");
        let asked = double.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].ends_with(".pem"), "{asked:?}");
        assert!(asked[1].starts_with("/?Action=ConfirmSubscription&"));
        assert!(asked[1].ends_with("&Token=2336412f37"));
        // Its certificate is known from now on.
        for sample in [samples::OF_VERSION_1, samples::OF_VERSION_2] {
            desk.hear(&read(sample)).await.expect("it is heard");
        }
        assert_eq!(double.asked().len(), 2);
        desk.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_only_says_that_it_is_of_sns_is_refused_and_nobody_else_is_asked() {
    on_both(|database| async move {
        let double = Double::start().await;
        let desk = Desk::open(&database, &double).await;
        let mut message = read(samples::CONFIRMATION);
        message["SubscribeURL"] = json!("https://example.org/?Action=ConfirmSubscription");
        let elsewhere = desk.hear(&message).await;
        assert!(
            matches!(
                elsewhere,
                Err(Error::Hook(HookError::NoEvent(NoEvent::Elsewhere)))
            ),
            "{elsewhere:?}"
        );
        for certificate in [
            json!(null),
            json!("https://example.org/SimpleNotificationService-0.pem"),
            json!(format!("http://{HOST}/SimpleNotificationService-0.pem")),
            json!(format!(
                "https://{HOST}:8443/SimpleNotificationService-0.pem"
            )),
            json!(format!("https://{HOST}/SimpleNotificationService-0")),
            json!(format!("https://{HOST}/SimpleNotificationService-0.pem?a")),
            json!("https://sns.eu-central-1.amazonaws.com.example.org/a.pem"),
        ] {
            let mut message = read(samples::OF_VERSION_2);
            message["SigningCertURL"] = certificate.clone();
            let refused = desk.hear(&message).await;
            assert!(
                matches!(refused, Err(Error::Hook(HookError::Unsigned(_)))),
                "{certificate}: {refused:?}"
            );
        }
        assert_eq!(double.asked(), Vec::<String>::new());
        for sample in [samples::CONFIRMATION, samples::OF_VERSION_1] {
            let mut message = read(sample);
            message["Message"] = json!("{\"Records\":[]}");
            let refused = desk.hear(&message).await;
            assert!(
                matches!(refused, Err(Error::Hook(HookError::Unsigned(_)))),
                "{refused:?}"
            );
        }
        assert_eq!(double.asked().len(), 1, "nothing is confirmed");
        // A certificate that cannot be had is no refusal: it may be had later.
        for name in ["moved.pem", "none.pem"] {
            let mut message = read(samples::OF_VERSION_2);
            message["SigningCertURL"] = json!(format!("https://{HOST}/{name}"));
            let unknown = desk.hear(&message).await;
            assert!(
                matches!(unknown, Err(Error::Hook(HookError::Unverified(_)))),
                "{name}: {unknown:?}"
            );
        }
        desk.close().await;
    })
    .await;
}
