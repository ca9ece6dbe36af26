//! Who did what is on record: every route that changes something leaves an operation or
//! an entry of the audit, by whoever called it, or stands here with the reason why not.

use crate::desk::{accepted, ended, id_of, in_state};
use crate::hooks::{MEDIA, Pair, event};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testing::{Answer, Content, Origin, Session, TestDatabase, TestServer, on_both, within};

const LOOKS: &str = "it looks, and changes nothing";
const FILE: &str = "the file bears who put it, and the bucket's watchers and webhooks are told who \
                    changed it; what can be restored is no secret act";

/// What leaves neither. Whoever adds to this says why.
const UNRECORDED: [(&str, &str); 18] = [
    ("POST /api/v1/live/poll", LOOKS),
    ("POST /api/v1/schedules/preview", LOOKS),
    ("POST /api/v1/sync-dry-run", LOOKS),
    ("POST /api/v1/syncs/{sync}/check", LOOKS),
    ("POST /api/v1/syncs/{sync}/dry-run", LOOKS),
    (
        "POST /s/{token}",
        "it opens what was shared, which is on record, and so is a wrong password",
    ),
    ("PUT /api/v1/buckets/{bucket}/files/{path}", FILE),
    ("PATCH /api/v1/buckets/{bucket}/files/{path}", FILE),
    ("DELETE /api/v1/buckets/{bucket}/files/{path}", FILE),
    ("POST /api/v1/buckets/{bucket}/files", FILE),
    ("POST /api/v1/buckets/{bucket}/copy", FILE),
    ("POST /api/v1/buckets/{bucket}/move", FILE),
    ("POST /api/v1/buckets/{bucket}/restore", FILE),
    ("PUT /api/v1/signed/{bucket}/{path}", FILE),
    ("POST /tus", FILE),
    ("POST /tus/{id}", FILE),
    ("PATCH /tus/{id}", FILE),
    ("DELETE /tus/{id}", FILE),
];

/// What is on record, by id: what was done, and by whom.
type Record = BTreeMap<String, (String, String)>;

/// Admin, who calls one route after the other.
struct Walk<'a> {
    server: &'a TestServer,
    /// A session, since a password that is verified leaves an entry of its own.
    admin: Session,
    walked: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    async fn of(server: &'a TestServer) -> Self {
        let admin = server.log_in("admin", server.admin_password()).await;
        Self {
            server,
            admin,
            walked: BTreeSet::new(),
        }
    }

    async fn send(&self, by: &Session, method: Method, at: &str, body: &Value) -> Value {
        let mut request = by.request(method.clone(), at);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("whole");
        assert!(status.is_success(), "{method} {at}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, at: &str) -> Value {
        self.send(&self.admin, Method::GET, at, &Value::Null).await
    }

    async fn record(&self) -> Record {
        let mut record = Record::new();
        for (list, what) in [("audit", "action"), ("operations", "kind")] {
            let page = self.get(&format!("/api/v1/{list}?limit=200")).await;
            assert!(page["next"].is_null(), "more of {list} than is looked at");
            for item in page["items"].as_array().expect("a list") {
                let text = |field: &str| item[field].as_str().expect("a text").to_owned();
                record.insert(id_of(item), (text(what), text("actor")));
            }
        }
        record
    }

    /// What is on record that was not before.
    async fn since(&self, before: &Record) -> Vec<(String, String)> {
        let mut record = self.record().await;
        record.retain(|id, _| !before.contains_key(id));
        record.into_values().collect()
    }

    /// Calls a route, which must leave `trace`: what an entry says was done, or the kind of
    /// an operation. What its path names is taken from `names`.
    async fn leaves(&mut self, trace: &str, route: &str, names: &[&str], body: Value) -> Value {
        let by = self.admin.clone();
        self.leaves_by(&by, trace, route, names, body).await
    }

    async fn leaves_by(
        &mut self,
        by: &Session,
        trace: &str,
        route: &str,
        names: &[&str],
        body: Value,
    ) -> Value {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let mut names = names.iter().copied();
        let mut at = Vec::new();
        for part in path.split('/') {
            let named = part.starts_with('{');
            at.push(if named {
                names.next().expect("a name")
            } else {
                part
            });
        }
        let before = self.record().await;
        let method: Method = method.parse().expect("a method");
        let answer = self.send(by, method, &at.join("/"), &body).await;
        let new = self.since(&before).await;
        let wanted = (trace.to_owned(), "user:admin".to_owned());
        assert!(
            new.contains(&wanted),
            "{route} leaves {new:?}, and no {trace}"
        );
        self.walked.insert(route.to_owned());
        answer
    }
}

async fn users(walk: &mut Walk<'_>) {
    let (first, second) = ("long-enough-for-anna", "another-one-for-anna");
    let anna = json!({ "name": "anna", "role": "operator", "password": first });
    let users = "/api/v1/users";
    walk.leaves("user.created", &format!("POST {users}"), &[], anna)
        .await;
    let one = format!("{users}/{{name}}");
    let role = json!({ "role": "viewer" });
    walk.leaves("user.role", &format!("PATCH {one}"), &["anna"], role)
        .await;
    let password = json!({ "password": second });
    let route = format!("POST {one}/password");
    walk.leaves("user.password", &route, &["anna"], password)
        .await;

    let anna = walk.server.log_in("anna", second).await;
    let sessions = walk.get("/api/v1/users/anna/sessions").await;
    let session = id_of(&sessions["items"][0]);
    let route = format!("DELETE {one}/sessions/{{id}}");
    walk.leaves("session.ended", &route, &["anna", &session], Value::Null)
        .await;
    let page = walk.get("/api/v1/audit?action=session.ended").await;
    let entries = page["items"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{page:#}");
    assert_eq!(entries[0]["subject"], "user:anna", "{page:#}");
    assert_eq!(entries[0]["before"], json!({ "session": session }));
    let after = anna.request(Method::GET, "/api/v1/about").send().await;
    assert_eq!(after.expect("an answer").status(), 401, "it has ended");

    walk.leaves(
        "user.deleted",
        &format!("DELETE {one}"),
        &["anna"],
        Value::Null,
    )
    .await;
}

async fn credentials(walk: &mut Walk<'_>) {
    for (path, action, scope) in [
        ("tokens", "token", "bundles:read"),
        ("access-keys", "access_key", "files:read"),
    ] {
        let route = format!("POST /api/v1/{path}");
        let new = json!({ "name": "ci", "scopes": [scope] });
        let made = walk
            .leaves(&format!("{action}.created"), &route, &[], new)
            .await;
        let route = format!("DELETE /api/v1/{path}/{{id}}");
        let deleted = format!("{action}.deleted");
        walk.leaves(&deleted, &route, &[&id_of(&made)], Value::Null)
            .await;
    }
    let secret = "/api/v1/secrets/{name}";
    let value = json!({ "value": "a-value-of-some-length" });
    walk.leaves("secret.put", &format!("PUT {secret}"), &["git"], value)
        .await;
    walk.leaves(
        "secret.deleted",
        &format!("DELETE {secret}"),
        &["git"],
        Value::Null,
    )
    .await;

    let right = json!({ "name": "admin", "password": walk.server.admin_password() });
    walk.leaves("login.ok", "POST /api/v1/session", &[], right)
        .await;
    let other = walk.server.log_in("admin", walk.server.admin_password());
    let other = other.await;
    walk.leaves_by(&other, "logout", "DELETE /api/v1/session", &[], Value::Null)
        .await;
}

async fn buckets(walk: &mut Walk<'_>) {
    let name = "crates";
    let body = json!({ "name": name, "settings": { "trash_seconds": 3600 } });
    walk.leaves("bucket.created", "POST /api/v1/buckets", &[], body)
        .await;
    let bucket = "/api/v1/buckets/{bucket}";
    let body = json!({ "public_read": true });
    walk.leaves("bucket.changed", &format!("PATCH {bucket}"), &[name], body)
        .await;
    for (path, thing, body) in [
        (
            "grants",
            "grant",
            json!({ "user": "admin", "permissions": ["read"] }),
        ),
        (
            "webhooks",
            "webhook",
            json!({ "url": "http://127.0.0.1:9/told" }),
        ),
    ] {
        let route = format!("POST {bucket}/{path}");
        let made = walk
            .leaves(&format!("{thing}.created"), &route, &[name], body)
            .await;
        let id = id_of(&made);
        let one = format!("{bucket}/{path}/{{id}}");
        if thing == "webhook" {
            let off = json!({ "enabled": false });
            walk.leaves(
                "webhook.changed",
                &format!("PATCH {one}"),
                &[name, &id],
                off,
            )
            .await;
        }
        let (deleted, route) = (format!("{thing}.deleted"), format!("DELETE {one}"));
        walk.leaves(&deleted, &route, &[name, &id], Value::Null)
            .await;
    }
    let file = format!("/api/v1/buckets/{name}/files/a.txt");
    let put = walk.admin.request(Method::PUT, &file).body("cargo");
    assert!(put.send().await.expect("an answer").status().is_success());
    let body = json!({ "path": "a.txt" });
    let made = walk
        .leaves(
            "share.created",
            &format!("POST {bucket}/shares"),
            &[name],
            body,
        )
        .await;
    let id = id_of(&made);
    walk.leaves(
        "share.deleted",
        "DELETE /api/v1/shares/{id}",
        &[&id],
        Value::Null,
    )
    .await;
    let body = json!({ "path": "a.txt", "method": "GET" });
    walk.leaves(
        "file.signed",
        &format!("POST {bucket}/presign"),
        &[name],
        body,
    )
    .await;

    walk.send(&walk.admin, Method::DELETE, &file, &Value::Null)
        .await;
    let trash = walk.get(&format!("/api/v1/buckets/{name}/trash")).await;
    let id = id_of(&trash["items"][0]);
    let route = format!("DELETE {bucket}/past/{{id}}");
    walk.leaves("file.purged", &route, &[name, &id], Value::Null)
        .await;
    let page = walk.get("/api/v1/audit?action=file.purged").await;
    let entry = &page["items"][0];
    assert_eq!(entry["subject"], "bucket:crates", "{page:#}");
    assert_eq!(entry["before"], json!({ "path": "a.txt", "size": 5 }));
    walk.leaves(
        "bucket.deleted",
        &format!("DELETE {bucket}"),
        &[name],
        Value::Null,
    )
    .await;
}

async fn schedules(walk: &mut Walk<'_>) {
    let body = json!({
        "name": "tidy", "kind": "retention", "input": {}, "cron": "30 4 * * *", "missed": "skip",
    });
    let made = walk
        .leaves("schedule.created", "POST /api/v1/schedules", &[], body)
        .await;
    let (id, one) = (id_of(&made), "/api/v1/schedules/{id}");
    let off = json!({ "enabled": false });
    walk.leaves("schedule.changed", &format!("PATCH {one}"), &[&id], off)
        .await;
    walk.leaves(
        "schedule.deleted",
        &format!("DELETE {one}"),
        &[&id],
        Value::Null,
    )
    .await;
}

async fn bundles(walk: &mut Walk<'_>, origin: &Origin) {
    let good = origin.put("/good.bin", Answer::ok(Content::seeded(1, 100)));
    let missing = origin.put("/missing.bin", Answer::status(404));
    let body = json!({ "sources": [good, missing] });
    let made = walk
        .leaves("bundle", "POST /api/v1/bundles", &[], body)
        .await;
    let id = id_of(&made);
    ended(walk.server, &id).await;
    let one = "/api/v1/bundles/{id}";
    walk.leaves(
        "bundle.linked",
        &format!("POST {one}/link"),
        &[&id],
        json!({}),
    )
    .await;
    walk.leaves("bundle", &format!("POST {one}/retry"), &[&id], json!({}))
        .await;
    let again = "POST /api/v1/operations/{id}/retry";
    walk.leaves("bundle", again, &[&id], Value::Null).await;
    walk.leaves(
        "bundle.deleted",
        &format!("DELETE {one}"),
        &[&id],
        Value::Null,
    )
    .await;

    // What is cancelled says by whom itself.
    let held = origin.put("/held.bin", Answer::ok(Content::seeded(1, 100)).held());
    let id = accepted(walk.server, &json!({ "sources": [held] })).await;
    let at = format!("/api/v1/operations/{id}/cancel");
    walk.send(&walk.admin, Method::POST, &at, &Value::Null)
        .await;
    let cancelled = in_state(walk.server, &id, &["cancelled"]).await;
    assert_eq!(cancelled["error"]["message"], "cancelled by user:admin");
    walk.walked
        .insert("POST /api/v1/operations/{id}/cancel".to_owned());
}

/// The only delivery of the sync, once nothing of it is under way.
async fn delivery(walk: &Walk<'_>) -> Value {
    let settled = async {
        for state in ["queued", "running"] {
            let at = format!("/api/v1/operations?kind=sync-pass&state={state}");
            while walk.get(&at).await["items"] != json!([]) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    within("the pass to end", settled).await;
    let page = walk.get("/api/v1/syncs/boat/deliveries").await;
    let items = page["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{page:#}");
    items[0].clone()
}

async fn syncs(walk: &mut Walk<'_>, origin: &Origin) {
    let put = walk
        .admin
        .request(Method::PUT, "/api/v1/buckets/files/files/out/a.txt")
        .body("cargo");
    assert!(put.send().await.expect("an answer").status().is_success());
    let url = origin.put("/told", Answer::status(400));
    let mut rule = json!({
        "source": { "kind": "bucket", "bucket": "files", "prefix": "out/" },
        "targets": [{ "name": "told", "to": { "kind": "webhook", "url": url } }],
        "attempts": 1,
    });
    let new = json!({ "name": "boat", "rule": rule, "paused": true });
    walk.leaves("sync.created", "POST /api/v1/syncs", &[], new)
        .await;
    let one = "/api/v1/syncs/{sync}";
    rule["at_once"] = json!(2);
    let change = json!({ "rule": rule });
    walk.leaves("sync.changed", &format!("PATCH {one}"), &["boat"], change)
        .await;
    for (trace, what) in [
        ("sync.changed", "resume"),
        ("sync-pass", "run"),
        ("sync-verify", "verify"),
    ] {
        let body = if what == "verify" {
            json!({})
        } else {
            Value::Null
        };
        walk.leaves(trace, &format!("POST {one}/{what}"), &["boat"], body)
            .await;
    }
    let failed = delivery(walk).await;
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let id = id_of(&failed);
    let of_one = format!("{one}/deliveries/{{id}}");
    let route = format!("POST {of_one}/retry");
    walk.leaves("sync.retried", &route, &["boat", &id], Value::Null)
        .await;
    assert_eq!(delivery(walk).await["state"], "failed", "once more");
    origin.put("/told", Answer::status(200));
    walk.leaves(
        "sync.retried",
        &format!("POST {one}/retry"),
        &["boat"],
        Value::Null,
    )
    .await;
    let delivered = delivery(walk).await;
    assert_ne!(delivered["state"], "failed", "{delivered:#}");
    let (trace, route) = (
        "sync.delivered_again",
        format!("POST {of_one}/deliver-again"),
    );
    walk.leaves(trace, &route, &["boat", &id], Value::Null)
        .await;
    walk.leaves(
        "sync.changed",
        &format!("POST {one}/pause"),
        &["boat"],
        Value::Null,
    )
    .await;
    walk.leaves(
        "sync.deleted",
        &format!("DELETE {one}"),
        &["boat"],
        Value::Null,
    )
    .await;
}

async fn hooks(walk: &mut Walk<'_>, pair: &Pair) {
    let bucket = "/api/v1/buckets/{bucket}";
    let compare = json!({ "dry_run": true });
    walk.leaves(
        "reconcile",
        &format!("POST {bucket}/reconcile"),
        &[MEDIA],
        compare,
    )
    .await;
    // Nobody has logged in who tells of something: the program itself sees to it.
    let before = walk.record().await;
    let told = event("ObjectCreated:Put", "a.txt", "01");
    assert_eq!(pair.tell(&told).await, 204);
    let new = walk.since(&before).await;
    assert!(
        new.contains(&("take-in".to_owned(), "system".to_owned())),
        "{new:?}"
    );
    walk.walked.insert("POST /hooks/s3/{bucket}".to_owned());
    walk.leaves(
        "hook.renewed",
        &format!("POST {bucket}/hook"),
        &[MEDIA],
        Value::Null,
    )
    .await;
    walk.leaves(
        "hook.ended",
        &format!("DELETE {bucket}/hook"),
        &[MEDIA],
        Value::Null,
    )
    .await;
}

/// Every route that may change something, by what the server says of itself.
async fn changing(walk: &Walk<'_>) -> BTreeSet<String> {
    let document = walk.get("/api/v1/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    let mut routes = BTreeSet::new();
    for (path, methods) in paths {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            if methods.get(method.to_lowercase()).is_some() {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    routes
}

on_both!(whatever_changes_something_leaves_an_operation_or_an_entry);
async fn whatever_changes_something_leaves_an_operation_or_an_entry(database: TestDatabase) {
    let origin = Origin::start().await;
    // One with a bucket in a store of others, which has more routes that change something.
    let pair = Pair::start(&database).await;
    let mut walk = Walk::of(&pair.server).await;
    users(&mut walk).await;
    credentials(&mut walk).await;
    buckets(&mut walk).await;
    schedules(&mut walk).await;
    bundles(&mut walk, &origin).await;
    syncs(&mut walk, &origin).await;
    hooks(&mut walk, &pair).await;
    let routes = changing(&walk).await;
    let mut known = walk.walked;
    for (route, why) in UNRECORDED {
        assert!(!why.is_empty() && known.insert(route.to_owned()), "{route}");
    }
    assert_eq!(known, routes, "walk what is new, or say above why not");
}
