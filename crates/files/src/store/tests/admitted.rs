//! Who waits for a store has no place among the requests that are answered at once.

use super::*;
use access::{NewAccessKey, Scope};
use secrecy::SecretString;
use std::net::{IpAddr, Ipv4Addr};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use web::{ServerLimits, Settings, Site};

/// The S3 protocol over a quay's files, on a port that answers one request at once.
struct Port {
    /// Whom it knows: an admin's key.
    client: ObjectStore,
    _settings: watch::Sender<Arc<Settings>>,
    _serving: AbortOnDropHandle<()>,
}

impl Port {
    async fn before(quay: &Quay) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        let (settings, current) = watch::channel(Arc::new(Settings::default()));
        let site = Site::foreign(crate::s3_service(quay.files.clone(), None), current, 1);
        let stop = CancellationToken::new();
        let serving = web::serve_sites(vec![(listener, site)], ServerLimits::default(), stop);
        let serving = tokio::spawn(async move { serving.await.expect("it serves") });
        let client = ObjectSettings {
            endpoint: format!("http://{address}"),
            ..Self::key(quay).await
        };
        let client = ObjectStore::new(client, &quay.files.client(), TaskTracker::new());
        Self {
            client: client.expect("it can be"),
            _settings: settings,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    /// A key of an admin for the bucket.
    async fn key(quay: &Quay) -> ObjectSettings {
        let access = quay.files.access();
        let password = SecretString::from("a long enough password");
        let admin = access.ensure_admin(Some(password.clone())).await;
        admin.expect("made");
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let admin = access.identify_password("admin", &password, here).await;
        let new = NewAccessKey {
            name: "clients".parse().expect("a name"),
            scopes: vec![Scope::FilesRead, Scope::FilesWrite],
            expires_in: None,
        };
        let made = access.create_access_key(&admin.expect("known"), new).await;
        let (secret, key) = made.expect("made");
        ObjectSettings {
            endpoint: String::new(),
            public_endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: quay.bucket.name.to_string(),
            prefix: String::new(),
            path_style: true,
            access_key: key.key,
            secret,
        }
    }
}

#[tokio::test]
async fn a_copy_over_s3_takes_no_place_of_others_while_the_store_copies() {
    testing::on_sqlite(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        quay.put("a", b"one").await;
        quay.put("c", b"other").await;
        let port = Port::before(&quay).await;
        gate.hold("put /harbour/team/b");
        let client = port.client.clone();
        let copying = tokio::spawn(async move { client.copy("a", "b", None).await });
        gate.holds().await;
        let beside = within("an answer beside the copy", port.client.head("c")).await;
        let beside = beside.expect("there is a place").expect("it is there");
        assert_eq!(beside.size, 5);
        gate.open();
        let copied = within("the copy", copying).await.expect("no panic");
        copied.expect("copied");
        assert_eq!(quay.content("b").await.as_deref(), Some(&b"one"[..]));
    })
    .await;
}
