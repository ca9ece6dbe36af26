//! Every setting of Longshore: its name, type, default, range and meaning. This
//! is the one place where a limit of the program is written down.
//!
//! `docs/configuration.md` is made from the comments here and a test holds it
//! against them, so write them for the person who runs Longshore.

use super::declare::{Group, Part, Setting, settings};
use super::value::PerKind;
use super::{
    CacheUrl, ConfiguredSecret, DatabaseUrl, Domain, EndpointUrl, Listen, LogFilter, LogFormat,
    MailSender, MailServer, MailUser, PublicUrl,
};
use crate::{Size, Span};
use ipnet::IpNet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

/// All settings, in the order in which they are documented.
pub(super) const ALL: [Group; 15] = [
    Config::GROUP,
    Log::GROUP,
    Storage::GROUP,
    Fetch::GROUP,
    Bundles::GROUP,
    Files::GROUP,
    Authoriser::GROUP,
    Syncs::GROUP,
    Mail::GROUP,
    Operations::GROUP,
    Retention::GROUP,
    Http::GROUP,
    Live::GROUP,
    Access::GROUP,
    Metrics::GROUP,
];

settings! {
    /// What holds for the whole program.
    Config at "" {
        /// IP address and port on which the console and the API answer.
        listen: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8011)); restart;
        /// IP address and port on which S3 clients are answered, or `off`.
        s3_listen: Listen = Listen::at(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8012))); restart;
        /// Directory of the database, the stored bytes and the master key. A relative path
        /// counts from the directory in which Longshore is started.
        data: PathBuf = PathBuf::from("./longshore-data"); restart;
        /// Address of a PostgreSQL database (15 or later). Without it, SQLite in the data
        /// directory. It holds a password and is never shown.
        database: Option<DatabaseUrl> = None; restart;
        /// Address of a Redis (6 or later) or Valkey server, in which replicas on one Postgres
        /// share what they looked up; `rediss://` is encrypted. What is down or lost there makes
        /// Longshore slower and nothing else. It may hold a password and is never shown.
        cache: Option<CacheUrl> = None; restart;
        /// Address of the console as its users see it, for links and cookies. Without it, links
        /// use the address of the request.
        public_url: Option<PublicUrl> = None; live;
        /// Networks of the proxies in front of Longshore. Only from these are `Forwarded` and
        /// `X-Forwarded-*` believed.
        trusted_proxies: Vec<IpNet> = Vec::new(); live;
        /// How long running work may go on after SIGTERM before it is interrupted, to be resumed
        /// at the next start.
        shutdown_grace: Span = Span::seconds(10), within Span::ZERO..=Span::hours(1); live;
    }
    parts {
        /// The program's own log.
        log: Log,
        /// The database.
        storage: Storage,
        /// Outbound requests.
        fetch: Fetch,
        /// Bundles.
        bundles: Bundles,
        /// Files.
        files: Files,
        /// Somebody else who decides.
        authoriser: Authoriser,
        /// Syncs.
        syncs: Syncs,
        /// Mail.
        mail: Mail,
        /// Operations.
        operations: Operations,
        /// The HTTP interface.
        http: Http,
        /// Watching live.
        live: Live,
        /// People, sessions and tokens.
        access: Access,
        /// Figures for Prometheus.
        metrics: Metrics,
    }
}

settings! {
    /// The program's own log, on standard error.
    Log at "log." {
        /// How much is logged: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), and
        /// after commas exceptions for parts, such as `info,sqlx=warn`.
        filter: LogFilter = LogFilter::default(); live;
        /// `text` for people, `json` for programs.
        format: LogFormat = LogFormat::Text; restart;
    }
}

settings! {
    /// The database, as far as it is not its address.
    Storage at "storage." {
        /// Connections that read a SQLite database at once; one more writes.
        sqlite_readers: u32 = 4, within 1..=64; restart;
        /// Connections to Postgres, of which this process holds two for messages and long work.
        postgres_connections: u32 = 16, within 3..=1000; restart;
        /// Longest wait for a free connection, and at the start for the database to answer.
        acquire_timeout: Span = Span::seconds(15), within Span::seconds(1)..=Span::minutes(10); restart;
        /// Longest time that Postgres works on one statement.
        statement_timeout: Span = Span::seconds(60), within Span::seconds(1)..=Span::hours(1); restart;
    }
}

settings! {
    /// Outbound requests: everything that Longshore fetches from an address that somebody gave it.
    Fetch at "fetch." {
        /// Private networks that may be reached all the same, on any port. All others are refused:
        /// private, loopback, link-local and metadata addresses.
        allow: Vec<IpNet> = Vec::new(); live;
        /// Networks that are never reached, even where `allow` opens them.
        deny: Vec<IpNet> = Vec::new(); live;
        /// Further ports on which public addresses may be reached, besides 80 and 443.
        ports: Vec<u16> = Vec::new(); live;
        /// Requests under way at once, in all.
        concurrent: usize = 32, within 1..=1024; restart;
        /// Requests under way at once to one host.
        per_host: usize = 16, within 1..=1024; restart;
        /// Redirects followed for one request; each is checked anew.
        redirects: usize = 5, within 0..=20; live;
        /// Longest wait for a connection, name resolution and TLS included.
        connect_timeout: Span = Span::seconds(10), within Span::millis(100)..=Span::minutes(10); live;
        /// Longest wait from the request to the first byte of the answer.
        first_byte_timeout: Span = Span::seconds(30), within Span::millis(100)..=Span::hours(1); live;
        /// Longest silence in the middle of a body.
        silence_timeout: Span = Span::seconds(30), within Span::millis(100)..=Span::hours(1); live;
        /// Attempts in all, the first included, where a retry may help: connect errors, 429, 5xx,
        /// a body that ends early.
        attempts: u32 = 4, within 1..=20; live;
        /// Largest body accepted from one source.
        max_bytes_per_source: Size = Size::gib(64), within Size::kib(1)..=Size::tib(1024); live;
    }
}

settings! {
    /// Bundles: many sources in, one ZIP out.
    Bundles at "bundles." {
        /// Sources in one bundle.
        max_sources: usize = 100_000, within 1..=1_000_000; live;
        /// Largest archive.
        max_bytes: Size = Size::gib(512), within Size::kib(1)..=Size::tib(1024); live;
        /// Fetched bytes held in memory, by all bundles together, while they wait to be written.
        /// One bundle holds at most half of it; when that is full, its fetching waits for its
        /// taker.
        buffer: Size = Size::mib(16), within Size::mib(1)..=Size::gib(4); restart;
        /// How long a kept archive is kept, unless its maker says otherwise.
        expires_in: Span = Span::days(7), within Span::minutes(1)..=Span::days(3650); live;
        /// How long a signed link is good, unless its maker says otherwise; never longer than the
        /// archive.
        link_expires_in: Span = Span::days(1), within Span::minutes(1)..=Span::days(3650); live;
        /// Kept archives at one time. At the limit, a new bundle can only be streamed.
        max_kept: usize = 10_000, within 1..=10_000_000; live;
        /// Bytes of all kept archives together. At the limit, a new bundle can only be streamed.
        max_kept_bytes: Size = Size::tib(1), within Size::kib(1)..=Size::tib(1024); live;
    }
}

settings! {
    /// Files: buckets and what is in them.
    Files at "files." {
        /// Largest file.
        max_file_bytes: Size = Size::tib(5), within Size::kib(1)..=Size::tib(1024); live;
        /// Memory for small files that are asked for often.
        cache: Size = Size::mib(16), within Size::new(0)..=Size::gib(16); restart;
        /// How long a client that uploads may send nothing.
        silence_timeout: Span = Span::seconds(60), within Span::seconds(1)..=Span::hours(1); live;
        /// How long a resumable upload is kept with which nobody goes on.
        upload_expires_in: Span = Span::days(1), within Span::minutes(1)..=Span::days(3650); live;
        /// How long an S3 upload in parts may stay unfinished before its parts are removed.
        parts_expire_in: Span = Span::days(7), within Span::hours(1)..=Span::days(365); live;
        /// Domain of the S3 port, for clients that write the bucket before it:
        /// `<bucket>.<domain>`. Without it only below `localhost`; a bucket in the path works
        /// always.
        s3_domain: Option<Domain> = None; restart;
    }
}

settings! {
    /// An HTTP endpoint of your own that decides who may do what with files, for the buckets
    /// that are set to ask it (`"authoriser": "endpoint"`).
    Authoriser at "authoriser." {
        /// Where it is asked, by POST. A private address needs `fetch.allow`. Without it, such a
        /// bucket lets in only those whom Longshore knows itself.
        url: Option<EndpointUrl> = None; live;
        /// Sent along as `Authorization: Bearer …`, so that the endpoint knows who asks. It is
        /// never shown.
        secret: Option<ConfiguredSecret> = None; live;
        /// How long its answer may take; after that, nobody is let in.
        timeout: Span = Span::seconds(3), within Span::millis(100)..=Span::seconds(20); live;
        /// The longest time for which an answer is remembered, however long it says itself. `0s`
        /// asks at every request.
        remember: Span = Span::minutes(5), within Span::ZERO..=Span::hours(1); live;
        /// Questions under way at once; further ones wait within the time above.
        concurrent: usize = 64, within 1..=1024; live;
    }
}

settings! {
    /// Syncs: files delivered to where they are served.
    Syncs at "syncs." {
        /// Files that one pass delivers at once, unless its rule says otherwise.
        at_once: u32 = 8, within 1..=64; live;
        /// Attempts of one file, unless its rule says otherwise. After the last one it rests among
        /// the failed ones until somebody retries it.
        attempts: u32 = 6, within 1..=100; live;
        /// Longest wait between two attempts. A target that asks for more gets more.
        longest_wait: Span = Span::minutes(10), within Span::seconds(1)..=Span::days(1); live;
        /// From which size on a file goes to a store in parts, so that after a break it goes on
        /// where it was. What is larger than stores take at once goes so in any case.
        in_parts_from: Size = Size::gib(5), within Size::mib(5)..=Size::gib(5); live;
        /// How long a file stays with a process that has fallen silent, before another delivers
        /// it.
        lease: Span = Span::seconds(20), within Span::seconds(2)..=Span::hours(1); live;
    }
}

settings! {
    /// The server that takes mail for the people whom a sync's report names.
    Mail at "mail." {
        /// Its address: `smtps://host` is encrypted from the first byte (port 465), `smtp://host`
        /// by STARTTLS before anything else is said (port 587), `smtp://host?tls=none` not at all
        /// (port 25), which is for a relay on this machine. Without it no mail is sent.
        smtp: Option<MailServer> = None; live;
        /// In whose name mail is sent.
        from: Option<MailSender> = None; live;
        /// The name by which Longshore logs in there; it does not, when absent.
        user: Option<MailUser> = None; live;
        /// The password for it. It is never shown.
        password: Option<ConfiguredSecret> = None; live;
        /// How long handing over one message may take, everything included.
        timeout: Span = Span::seconds(30), within Span::seconds(1)..=Span::minutes(5); live;
    }
}

settings! {
    /// Operations: everything that takes time.
    Operations at "operations." {
        /// Operations running at once in this process, of all kinds.
        workers: usize = 64, within 1..=4096; restart;
        /// Operations of this kind running at once, over all replicas, instead of the number that
        /// the kind brings along.
        concurrency as "concurrency.<kind>": PerKind<usize> = PerKind::default(), within 1..=4096; restart;
        /// How long a worker that falls silent keeps its operation before another takes it up.
        lease: Span = Span::seconds(30), within Span::seconds(2)..=Span::hours(1); restart;
        /// How often a worker renews its lease; at most half of it.
        heartbeat: Span = Span::seconds(10), within Span::millis(100)..=Span::minutes(30); restart;
        /// How often the queue is looked at when nothing wakes it.
        poll: Span = Span::seconds(1), within Span::millis(10)..=Span::minutes(5); restart;
        /// Text that one operation may log. Further lines are dropped, and the log says so.
        log_max_bytes: Size = Size::gib(1), within Size::kib(64)..=Size::gib(64); restart;
    }
    parts {
        /// How long ended operations are kept.
        retention: Retention,
    }
}

settings! {
    /// How long ended operations and their logs are kept: until they are older than `age`, or
    /// until more than `count` of their kind are younger.
    Retention at "operations.retention." {
        /// Age at which an ended operation is removed.
        age: Span = Span::days(90), within Span::minutes(1)..=Span::MAX; restart;
        /// Ended operations kept of each kind.
        count: u64 = 10_000, within 1..=1_000_000_000; restart;
        /// Age for this kind.
        age_by_kind as "<kind>.age": PerKind<Span> = PerKind::default(), within Span::minutes(1)..=Span::MAX; restart;
        /// Count for this kind.
        count_by_kind as "<kind>.count": PerKind<u64> = PerKind::default(), within 1..=1_000_000_000; restart;
    }
}

settings! {
    /// The HTTP interface.
    Http at "http." {
        /// Largest JSON body of a request, which is the list of a bundle: 100,000 addresses of 330
        /// bytes fit into the default, and some 80,000 signed ones of S3, which have 400. A list
        /// is held in memory while its bundle is made.
        body_limit: Size = Size::mib(32), within Size::kib(1)..=Size::gib(1); live;
        /// Largest head of a request: its line and its headers.
        header_limit: Size = Size::kib(32), within Size::kib(8)..=Size::mib(1); restart;
        /// Most headers of a request.
        headers: usize = 100, within 16..=1000; restart;
        /// Longest wait for the head of a request, and longest idling between two of them.
        header_timeout: Span = Span::seconds(10), within Span::seconds(1)..=Span::minutes(5); restart;
        /// Longest time until an answer begins. Streams may go on for longer.
        request_timeout: Span = Span::seconds(30), within Span::seconds(1)..=Span::hours(1); live;
        /// Longest time that a client may take nothing of what is sent to it.
        stall_timeout: Span = Span::minutes(5), within Span::seconds(1)..=Span::hours(1); restart;
        /// Requests answered at once. Further ones are told to come back (503). Streams and live
        /// sockets that have begun do not count.
        concurrency: usize = 1024, within 1..=1_000_000; restart;
        /// Connections open at once; further ones wait. Never more than the system lets a process
        /// have open files, less 256 for everything else.
        connections: usize = 8192, within 1..=1_000_000; restart;
        /// Connections open at once from one address (of IPv6, from one /64); further ones are
        /// closed. Trusted proxies and this machine itself are not held to it.
        connections_per_address: usize = 256, within 1..=1_000_000; restart;
        /// Requests under way at once on one connection of HTTP/2.
        streams: u32 = 200, within 1..=10_000; restart;
    }
}

settings! {
    /// Watching live: the sockets of the console and of `longshore`, and the requests that stand
    /// in for them where a proxy passes no sockets on. A change holds for those that open then.
    Live at "live." {
        /// Topics that one client may follow at once.
        subscriptions: usize = 64, within 1..=4096; live;
        /// How often a client is asked whether it is still there. Many proxies end a connection
        /// that is silent for 60 seconds.
        ping: Span = Span::seconds(20), within Span::seconds(1)..=Span::seconds(55); live;
        /// How long a client may take to accept one message before it is given up.
        send: Span = Span::seconds(60), within Span::seconds(1)..=Span::minutes(10); live;
    }
}

settings! {
    /// People, sessions and tokens.
    Access at "access." {
        /// How long a console session lives without being used.
        session_ttl: Span = Span::days(14), within Span::minutes(1)..=Span::days(365); live;
        /// How long it lives at most, however much it is used. A change holds for sessions that
        /// begin after it.
        session_lifetime: Span = Span::days(90), within Span::minutes(1)..=Span::days(3650); live;
        /// Failed log-ins to one account within the window before further ones are refused.
        attempts_per_account: u32 = 10, within 1..=10_000; live;
        /// Failed log-ins from one address within the window before further ones are refused, but
        /// for users who have a session from there.
        attempts_per_address: u32 = 50, within 1..=1_000_000; live;
        /// The window in which failed log-ins are counted.
        attempts_window: Span = Span::minutes(15), within Span::seconds(1)..=Span::days(1); live;
        /// How long a verified password or token is believed without asking the database; a changed
        /// password and a deleted token are forgotten at once. `0s` verifies at every request.
        credential_cache: Span = Span::seconds(60), within Span::ZERO..=Span::hours(1); live;
        /// Passwords hashed at once; each takes 19 MiB of memory and a core meanwhile.
        argon2_concurrency: usize = 2, within 1..=64; restart;
        /// How long the record of who did what is kept.
        audit_retention: Span = Span::days(730), within Span::days(1)..=Span::MAX; live;
    }
}

settings! {
    /// Figures for Prometheus, at `/metrics`.
    Metrics at "metrics." {
        /// Whether anybody who reaches Longshore may read them. Otherwise they need a user or a
        /// token, as everything else does.
        open: bool = false; live;
    }
}

macro_rules! part {
    ($($part:ty: $($field:ident).*;)+) => {$(
        impl Part for $part {
            fn of(config: &Config) -> &Self {
                &config.$($field).*
            }

            fn of_mut(config: &mut Config) -> &mut Self {
                &mut config.$($field).*
            }
        }
    )+};
}

part! {
    Log: log;
    Storage: storage;
    Fetch: fetch;
    Bundles: bundles;
    Files: files;
    Authoriser: authoriser;
    Syncs: syncs;
    Mail: mail;
    Operations: operations;
    Retention: operations.retention;
    Http: http;
    Live: live;
    Access: access;
    Metrics: metrics;
}

impl Part for Config {
    fn of(config: &Config) -> &Self {
        config
    }

    fn of_mut(config: &mut Config) -> &mut Self {
        config
    }
}

/// What is kept of the ended operations of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Removed when older.
    pub age: Span,
    /// The younger ones are removed, too, beyond so many.
    pub count: u64,
}

impl Retention {
    /// What is kept of this kind.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Keep {
        Keep {
            age: self.age_by_kind.get(kind).unwrap_or(self.age),
            count: self.count_by_kind.get(kind).unwrap_or(self.count),
        }
    }
}
