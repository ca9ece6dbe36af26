//! A real nginx on a free port: before a server, with the sample configuration of
//! docs/deploy, or serving the files of a folder.

use crate::peers;
use crate::ports;
use crate::server::{Captured, Running};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What surrounds a site: nothing but what lets nginx run without its installation.
const AROUND: &str = "\
daemon off;
worker_processes 1;
pid \"{folder}/pid\";
error_log stderr notice;
events { worker_connections 2048; }
http {
    access_log off;
    client_body_temp_path \"{folder}/body\";
    proxy_temp_path \"{folder}/proxy\";
    fastcgi_temp_path \"{folder}/fastcgi\";
    uwsgi_temp_path \"{folder}/uwsgi\";
    scgi_temp_path \"{folder}/scgi\";
    include \"{folder}/site.conf\";
}
";

/// A running nginx; ended with its workers when dropped.
pub struct Nginx {
    /// Before the folder, so that it is ended first.
    _running: Running,
    captured: Captured,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// Puts one before the server that listens on this port of 127.0.0.1, with the
    /// sample at `docs/deploy/nginx.conf`. Start Longshore with
    /// `LONGSHORE_TRUSTED_PROXIES=127.0.0.0/8`. Nothing, after saying so, when nginx is
    /// not installed.
    ///
    /// # Panics
    /// When nginx does not take the sample, or the sample lost a line that is replaced.
    pub async fn before(server: u16) -> Option<Self> {
        let port = ports::free();
        let sample = fs::read_to_string(sample()).expect("docs/deploy/nginx.conf is there");
        let site = replaced(&sample, "listen 80;", &format!("listen 127.0.0.1:{port};"));
        let site = replaced(&site, "listen [::]:80;", "");
        let upstream = format!("server 127.0.0.1:{server};");
        let site = replaced(&site, "server 127.0.0.1:8011;", &upstream);
        Self::start(&site, port, None).await
    }

    /// Serves the files of a folder. Nothing, after saying so, when nginx is not
    /// installed.
    ///
    /// # Panics
    /// When nginx does not start.
    pub async fn serving(files: &Path) -> Option<Self> {
        let port = ports::free();
        let site = format!(
            "sendfile on; keepalive_requests 1000000;
            server {{ listen 127.0.0.1:{port}; root \"{}\"; location / {{ }} }}",
            files.display()
        );
        Self::start(&site, port, Some(files)).await
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote to its error log so far.
    #[must_use]
    pub const fn captured(&self) -> &Captured {
        &self.captured
    }

    async fn start(site: &str, port: u16, files: Option<&Path>) -> Option<Self> {
        let nginx = peers::installed("nginx")?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // As root, nginx gives its workers to another user, who must walk here.
        for open in [Some(folder.path()), files].into_iter().flatten() {
            fs::set_permissions(open, fs::Permissions::from_mode(0o755))
                .expect("a folder of ours takes permissions");
        }
        let around = AROUND.replace("{folder}", &folder.path().to_string_lossy());
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, around).expect("a temporary folder takes files");
        fs::write(folder.path().join("site.conf"), site).expect("a temporary folder takes files");
        let captured = Captured::default();
        let mut command = crate::server::command(&nginx);
        command
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&configuration);
        let mut running = Running::spawn(command, &captured);
        running.listens("nginx", port, &captured).await;
        Some(Self {
            _running: running,
            captured,
            port,
            _folder: folder,
        })
    }
}

/// The sample in the checkout that this crate was built from.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/deploy/nginx.conf")
}

/// Replaces the one place at which a line stands.
fn replaced(text: &str, line: &str, by: &str) -> String {
    assert_eq!(
        text.matches(line).count(),
        1,
        "docs/deploy/nginx.conf has `{line}` in one place, where tests replace it"
    );
    text.replace(line, by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::client;
    use crate::{Answer, Content, Live, Origin, within};
    use futures::{SinkExt, StreamExt};

    #[tokio::test]
    async fn files_of_a_folder_are_served() {
        let files = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(files.path().join("a.txt"), "cargo").expect("a temporary folder takes files");
        let Some(nginx) = Nginx::serving(files.path()).await else {
            return;
        };
        let answer = client().get(format!("{}/a.txt", nginx.url())).send().await;
        let answer = answer.expect("nginx answers");
        assert_eq!(answer.headers()["accept-ranges"], "bytes");
        assert_eq!(answer.text().await.expect("whole"), "cargo");
    }

    #[tokio::test]
    async fn the_sample_says_who_asked_and_believes_no_client() {
        let origin = Origin::start().await;
        origin.put("/a?b=c", Answer::status(200));
        let Some(nginx) = Nginx::before(origin.address().port()).await else {
            return;
        };
        let answer = client()
            .get(format!("{}/a?b=c", nginx.url()))
            .header("X-Forwarded-For", "203.0.113.7")
            .header("Forwarded", "for=203.0.113.7")
            .send()
            .await;
        assert_eq!(answer.expect("nginx answers").status(), 200);
        let seen = origin
            .seen_of("/a?b=c")
            .pop()
            .expect("the request came through");
        let host = format!("127.0.0.1:{}", nginx.port());
        assert_eq!(seen.header("host"), Some(host.as_str()));
        assert_eq!(seen.header("x-forwarded-host"), Some(host.as_str()));
        assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
        assert_eq!(seen.header("forwarded"), None);
    }

    #[tokio::test]
    async fn the_sample_passes_bytes_on_as_they_come() {
        let origin = Origin::start().await;
        let content = Content::seeded(1, 1000);
        origin.put("/a", Answer::ok(content.clone()).chunked().stall_after(10));
        let Some(nginx) = Nginx::before(origin.address().port()).await else {
            return;
        };
        let answer = client().get(format!("{}/a", nginx.url())).send().await;
        let mut answer = answer.expect("nginx answers");
        let first = answer.chunk().await.expect("flows").expect("ten bytes");
        assert_eq!(first, content.to_vec()[..10], "while the rest stalls");
        drop(answer);
        origin
            .when("the leaving to be passed on", |counts| counts.requests == 0)
            .await;
    }

    #[tokio::test]
    async fn the_sample_passes_websockets_on() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let port = listener
            .local_addr()
            .expect("a listener has an address")
            .port();
        let Some(nginx) = Nginx::before(port).await else {
            return;
        };
        // One WebSocket that says back what it is told; what is no WebSocket (nginx
        // being asked whether it is up) is dropped.
        let echo = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
                    continue;
                };
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() && socket.send(message).await.is_err() {
                        break;
                    }
                }
            }
        });
        let url = format!("ws://127.0.0.1:{}/api/v1/live", nginx.port());
        let mut live = Live::connect_to(&url, "admin", "secret").await;
        let said = serde_json::json!({ "type": "hello" });
        live.send(&said).await;
        assert_eq!(within("the echo", live.next()).await, said);
        echo.abort();
    }
}
