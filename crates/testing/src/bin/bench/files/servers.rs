//! The servers that are measured, each with the same contents behind the same password.

use super::CONTENTS;
use crate::client::Connection;
use crate::process::Process;
use crate::program::{PASSWORD, Program, free_address};
use crate::{Error, Result, place};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;

const READY: Duration = Duration::from_secs(30);
/// The bucket of all that speak S3.
pub(super) const BUCKET: &str = "bench-bucket";
/// With what s3s-fs is asked.
pub(crate) const KEY: &str = "BENCHKEY";
pub(crate) const SECRET: &str = "bench-secret";

/// A running server.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) id: u32,
    /// Where it speaks HTTP, and before which path the contents lie.
    pub(super) http: Option<(SocketAddr, &'static str)>,
    /// Whether it takes PUT there.
    pub(super) takes_puts: bool,
    /// Where it speaks S3, with an access key and its secret.
    pub(super) s3: Option<(SocketAddr, String, String)>,
}

impl Server {
    /// Whether it is Longshore.
    pub(super) fn is_ours(&self) -> bool {
        self.name == LONGSHORE
    }
}

const LONGSHORE: &str = "Longshore";

/// All of them; they end when this is dropped.
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    program: Program,
    peers: Vec<Process>,
}

impl Servers {
    pub(super) async fn start() -> Result<Self> {
        let folder = place::folder("files")?;
        let contents = folder.join("www");
        fs::create_dir_all(&contents)?;
        for (name, length) in CONTENTS {
            let path = contents.join(name);
            if fs::metadata(&path).map_or(0, |known| known.len()) != length as u64 {
                fs::write(&path, noise(length))?;
            }
        }
        let data = folder.join("longshore");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let (program, _) = Program::start(&data).await?;
        let ours = longshore(&program, &contents).await?;
        let mut servers = Self {
            all: vec![ours],
            program,
            peers: Vec::new(),
        };
        for (name, password) in [
            ("nginx, sendfile, {PLAIN}", format!("{{PLAIN}}{PASSWORD}")),
            ("nginx, sendfile, apr1", APR1.to_owned()),
            (
                "nginx, no sendfile, {PLAIN}",
                format!("{{PLAIN}}{PASSWORD}"),
            ),
        ] {
            servers.nginx(name, &password, &folder, &contents).await?;
        }
        servers.dufs(&folder, &contents).await?;
        servers.s3s_fs(&folder).await?;
        Ok(servers)
    }

    async fn add(&mut self, mut command: Command, mut server: Server, at: SocketAddr) -> Result {
        command.stderr(std::process::Stdio::null());
        let process = Process::start(&mut command)?;
        server.id = process.id();
        let begun = Instant::now();
        while Connection::open(at).await.is_err() {
            if begun.elapsed() > READY {
                return Err(format!("{} does not listen", server.name).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.all.push(server);
        self.peers.push(process);
        Ok(())
    }

    async fn nginx(
        &mut self,
        name: &'static str,
        password: &str,
        folder: &Path,
        contents: &Path,
    ) -> Result {
        let address = free_address()?;
        let own = folder.join(format!("nginx-{}", address.port()));
        fs::create_dir_all(&own)?;
        fs::write(own.join("users"), format!("admin:{password}\n"))?;
        let sendfile = if name.contains("no sendfile") {
            "off"
        } else {
            "on"
        };
        let configuration = NGINX
            .replace("{folder}", &own.display().to_string())
            .replace("{contents}", &contents.display().to_string())
            .replace("{address}", &address.to_string())
            .replace("{sendfile}", sendfile);
        let file = own.join("nginx.conf");
        fs::write(&file, configuration)?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).arg("-p").arg(&own);
        let server = Server {
            name,
            id: 0,
            http: Some((address, "/")),
            takes_puts: false,
            s3: None,
        };
        self.add(command, server, address).await
    }

    async fn dufs(&mut self, folder: &Path, contents: &Path) -> Result {
        let Some(program) = tool("dufs") else {
            println!("dufs is left out: it is not installed.\n");
            return Ok(());
        };
        let served = folder.join("dufs");
        // It puts nothing where something is, unless it may delete.
        if served.exists() {
            fs::remove_dir_all(&served)?;
        }
        fs::create_dir_all(&served)?;
        for (name, _) in CONTENTS {
            fs::hard_link(contents.join(name), served.join(name))?;
        }
        let address = free_address()?;
        let mut command = Command::new(program);
        command
            .arg(&served)
            .args(["--bind", "127.0.0.1", "--allow-upload", "--log-format", ""])
            .args(["--port", &address.port().to_string()])
            .args(["--auth", &format!("admin:{PASSWORD}@/:rw")]);
        let server = Server {
            name: "dufs",
            id: 0,
            http: Some((address, "/")),
            takes_puts: true,
            s3: None,
        };
        self.add(command, server, address).await
    }

    async fn s3s_fs(&mut self, folder: &Path) -> Result {
        let Some(program) = tool("s3s-fs") else {
            println!("s3s-fs is left out: it is not installed.\n");
            return Ok(());
        };
        let served = folder.join("s3s-fs");
        if served.exists() {
            fs::remove_dir_all(&served)?;
        }
        fs::create_dir_all(&served)?;
        let address = free_address()?;
        let command = s3s_fs(&program, &served, address);
        let server = Server {
            name: "s3s-fs",
            id: 0,
            http: None,
            takes_puts: false,
            s3: Some((address, KEY.to_owned(), SECRET.to_owned())),
        };
        self.add(command, server, address).await
    }

    pub(super) async fn stop(self) -> Result {
        for peer in self.peers {
            peer.end().await?;
        }
        self.program.stop().await
    }
}

/// Puts the contents, and makes a bucket and an access key for S3.
async fn longshore(program: &Program, contents: &Path) -> Result<Server> {
    let mut connection = program.connect().await?;
    for (name, _) in CONTENTS {
        let body = fs::read(contents.join(name))?;
        let status = connection.put(&format!("{OURS}{name}"), &body).await?;
        if status != 201 {
            return Err(format!("Longshore answered {status} to a PUT").into());
        }
    }
    let bucket = serde_json::json!({ "name": BUCKET }).to_string();
    connection
        .send("POST", "/api/v1/buckets", bucket.as_bytes())
        .await?
        .json()?;
    let (key, secret) = access_key(program).await?;
    Ok(Server {
        name: LONGSHORE,
        id: program.id(),
        http: Some((program.address(), OURS)),
        takes_puts: true,
        s3: Some((program.s3_address(), key, secret)),
    })
}

/// A new access key of `admin`, and its secret.
pub(super) async fn access_key(program: &Program) -> Result<(String, String)> {
    let mut connection = program.connect().await?;
    let body = br#"{"name":"bench"}"#;
    let answer = connection.send("POST", "/api/v1/access-keys", body).await?;
    let key = answer.json()?;
    let text = |field: &str| -> Result<String> {
        let value = key[field].as_str();
        let missing = || Error::from(format!("no {field} of an access key: {key}"));
        Ok(value.ok_or_else(missing)?.to_owned())
    };
    Ok((text("key")?, text("secret")?))
}

/// s3s-fs on a folder, a bucket each of its folders.
pub(crate) fn s3s_fs(program: &Path, served: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--host", "127.0.0.1"])
        .args(["--port", &address.port().to_string()])
        .args(["--access-key", KEY, "--secret-key", SECRET])
        .env("RUST_LOG", "error")
        .stderr(std::process::Stdio::null())
        .arg(served);
    command
}

/// Before the contents in Longshore.
const OURS: &str = "/api/v1/buckets/files/files/";
/// The password as Apache's MD5, which is what `htpasswd` makes unless told otherwise.
const APR1: &str = "$apr1$longshor$nPdDe1lyot1GgtOHKS.VY1";
/// One process, so that it is the one that is measured.
const NGINX: &str = "\
daemon off;
master_process off;
pid \"{folder}/pid\";
error_log \"{folder}/errors\" error;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile {sendfile};
    tcp_nopush on;
    keepalive_requests 100000000;
    open_file_cache max=1000;
    client_body_temp_path \"{folder}/body\";
    proxy_temp_path \"{folder}/proxy\";
    fastcgi_temp_path \"{folder}/fastcgi\";
    uwsgi_temp_path \"{folder}/uwsgi\";
    scgi_temp_path \"{folder}/scgi\";
    server {
        listen {address};
        root \"{contents}\";
        auth_basic files;
        auth_basic_user_file \"{folder}/users\";
    }
}
";

/// A program that `xtask` installed for this.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/tools/bench/bin")
        .join(name);
    program.is_file().then_some(program)
}

/// Bytes that do not shrink, the same in every run.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
