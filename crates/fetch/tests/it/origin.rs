//! An HTTP server that remembers what it was asked.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Version};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) type Answer = http::Response<Full<Bytes>>;
type Handler = Arc<dyn Fn(Seen) -> BoxFuture<'static, Answer> + Send + Sync>;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// `Host`, or `:authority` of HTTP/2.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// All of it, as far as it came.
    pub(crate) body: Bytes,
    /// 0 for the first request of this origin.
    pub(crate) number: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Option<CertificateDer<'static>>,
    record: Arc<Record>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Record {
    requests: Mutex<Vec<Seen>>,
    opened: watch::Sender<usize>,
    closed: watch::Sender<usize>,
}

impl Origin {
    /// Answers every request with what `handler` makes of it.
    pub(crate) async fn start<F>(handler: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |seen| Box::pin(handler(seen)));
        Self::serve(handler, None).await
    }

    /// The same over TLS, for `names`.
    pub(crate) async fn start_tls<F>(
        names: &[&str],
        handler: impl Fn(Seen) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let handler: Handler = Arc::new(move |seen| Box::pin(handler(seen)));
        Self::serve(handler, Some((config, certificate))).await
    }

    async fn serve(
        handler: Handler,
        tls: Option<(rustls::ServerConfig, CertificateDer<'static>)>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let stop = CancellationToken::new();
        let (config, certificate) = tls.unzip();
        let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        let serving = accept(listener, acceptor, handler, Arc::clone(&record));
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        Self {
            address,
            certificate,
            record,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.record.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.record.opened.borrow()
    }

    /// Waits until `count` connections have ended.
    pub(crate) async fn closed(&self, count: usize) {
        let mut closed = self.record.closed.subscribe();
        closed.wait_for(|closed| *closed >= count).await.unwrap();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    handler: Handler,
    record: Arc<Record>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        record.opened.send_modify(|opened| *opened += 1);
        let handler = Arc::clone(&handler);
        let record = Arc::clone(&record);
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor {
                None => converse(stream, handler, &record).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, handler, &record).await;
                    }
                }
            }
            record.closed.send_modify(|closed| *closed += 1);
        });
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    handler: Handler,
    record: &Arc<Record>,
) {
    let service = service_fn(|request: http::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        let record = Arc::clone(record);
        async move {
            let (request, body) = request.into_parts();
            let body = body.collect().await.map(Collected::to_bytes);
            let host = request.headers.get("host");
            let host = host.map(|value| value.to_str().unwrap().to_owned());
            let authority = request.uri.authority().map(ToString::to_string);
            let seen = {
                let mut requests = record.requests.lock().unwrap();
                let seen = Seen {
                    method: request.method,
                    version: request.version,
                    host: host.or(authority).unwrap_or_default(),
                    path: request.uri.path_and_query().unwrap().to_string(),
                    headers: request.headers,
                    body: body.unwrap_or_default(),
                    number: requests.len(),
                };
                requests.push(seen.clone());
                seen
            };
            Ok::<_, Infallible>(handler(seen).await)
        }
    });
    // How a conversation ends is for the client's side of the test to judge.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

pub(crate) fn ok(body: &'static str) -> Answer {
    Answer::new(Full::from(body))
}

pub(crate) fn status(code: u16) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = code.try_into().unwrap();
    answer
}

pub(crate) fn redirect(code: u16, location: &str) -> Answer {
    with(status(code), "location", location)
}

pub(crate) fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.headers_mut().insert(name, value.parse().unwrap());
    answer
}
