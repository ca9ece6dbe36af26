//! Statements, values, and what the errors are.

use base::Timestamp;
use storage::{Db, DbSettings, Error, newest_version, values};
use testing::{on_both, on_sqlite};

async fn with_notes(database: &testing::TestDatabase) -> Db {
    let db = database.open().await;
    db.execute(
        "CREATE TABLE note (id BIGINT PRIMARY KEY, text {text} NOT NULL, seen BOOLEAN, bytes {bytes}, owner {uuid})",
        values![],
    )
    .await
    .expect("made");
    db
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_given_and_absent_stays_absent() {
    on_both(|database| async move {
        let db = with_notes(&database).await;
        let owner = uuid::Uuid::now_v7();
        let sql = "INSERT INTO note (id, text, seen, bytes, owner) VALUES ($1, $2, $3, $4, $5)";
        let bytes: &[u8] = &[0, 1, 255];
        let full = values![Timestamp::EPOCH, "wörter", true, bytes, owner];
        assert_eq!(db.execute(sql, full).await.expect("stored"), 1);
        let seen: Option<i64> = None;
        let rows = db
            .returning(
                "INSERT INTO note (id, text, seen) VALUES (7, 'x', CASE WHEN $1 IS NULL THEN NULL ELSE TRUE END) RETURNING id, seen, owner",
                values![seen],
            )
            .await
            .expect("stored");
        assert_eq!(rows[0].get::<u64>("id").expect("a number"), 7);
        assert_eq!(rows[0].get::<Option<bool>>("seen").expect("absent"), None);
        assert_eq!(
            rows[0].get::<Option<uuid::Uuid>>("owner").expect("absent"),
            None
        );
        let row = db
            .one("SELECT * FROM note WHERE id = $1", values![Timestamp::EPOCH])
            .await
            .expect("read")
            .expect("there");
        assert_eq!(row.get::<Timestamp>("id").expect("a time"), Timestamp::EPOCH);
        assert_eq!(row.get::<String>("text").expect("a text"), "wörter");
        assert!(row.get::<bool>("seen").expect("a truth"));
        assert_eq!(row.get::<Vec<u8>>("bytes").expect("bytes"), bytes);
        assert_eq!(row.get::<uuid::Uuid>("owner").expect("an id"), owner);
    })
    .await;
}

#[tokio::test]
async fn sqlite_has_its_log_beside_it_and_waits_for_the_disk_at_every_commit() {
    on_sqlite(|database| async move {
        let db = database.open().await;
        let row = db.one("PRAGMA journal_mode", values![]).await;
        let row = row.expect("read").expect("there");
        let mode: String = row.get("journal_mode").expect("a word");
        assert_eq!(mode, "wal");
        // FULL, asked on the connection that writes.
        let row = db.returning("PRAGMA synchronous", values![]).await;
        let synchronous: i64 = row.expect("read")[0].get("synchronous").expect("a number");
        assert_eq!(synchronous, 2);
    })
    .await;
}

#[tokio::test]
async fn a_text_with_a_zero_byte_is_stored_the_same_everywhere() {
    on_both(|database| async move {
        let db = with_notes(&database).await;
        db.execute(
            "INSERT INTO note (id, text) VALUES (1, $1)",
            values!["a\0b"],
        )
        .await
        .expect("stored");
        let row = db
            .one("SELECT text FROM note", values![])
            .await
            .expect("read");
        let text: String = row.expect("there").get("text").expect("a text");
        assert_eq!(text, "a\u{fffd}b");
    })
    .await;
}

#[tokio::test]
async fn texts_are_compared_byte_by_byte() {
    on_both(|database| async move {
        let db = with_notes(&database).await;
        for (id, text) in ["ä", "b", "B", "a"].into_iter().enumerate() {
            let sql = "INSERT INTO note (id, text) VALUES ($1, $2)";
            db.execute(sql, values![id, text]).await.expect("stored");
        }
        let rows = db
            .all("SELECT text FROM note ORDER BY text", values![])
            .await
            .expect("read");
        let texts: Vec<String> = rows
            .iter()
            .map(|row| row.get("text").expect("a text"))
            .collect();
        assert_eq!(texts, ["B", "a", "b", "ä"]);
    })
    .await;
}

#[tokio::test]
async fn errors_say_what_a_caller_can_decide_on() {
    on_both(|database| async move {
        let db = with_notes(&database).await;
        let insert = "INSERT INTO note (id, text) VALUES (1, 'x')";
        db.execute(insert, values![]).await.expect("stored");
        let error = db.execute(insert, values![]).await.expect_err("a second");
        assert!(error.is_conflict(), "{error:?}");
        let error = db
            .execute("INSERT INTO note (id) VALUES (2)", values![])
            .await
            .expect_err("no text");
        assert!(matches!(error, Error::Database(_)), "{error:?}");
        let row = db
            .one("SELECT id FROM note", values![])
            .await
            .expect("read");
        let row = row.expect("there");
        let error = row.get::<i64>("nothing").expect_err("no such column");
        assert!(
            matches!(&error, Error::Column { column, .. } if column == "nothing"),
            "{error:?}"
        );
        row.get::<String>("id").expect_err("a number is no text");
        db.close().await;
        let error = db.ping().await.expect_err("it is closed");
        assert!(matches!(error, Error::Stopped), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn one_that_is_not_there_is_unreachable_and_keeps_its_password_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let nothing = DbSettings::Sqlite(folder.path().join("none.db"));
    let error = Db::join(&nothing).await.expect_err("there is no file");
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    // A port that was just free: nobody listens on it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let url = format!("postgres://anna:hunter2@{address}/x");
    let joined = Db::join(&DbSettings::Postgres(url)).await;
    let error = joined.expect_err("nobody answers");
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

// The server of the tests keeps its passwords in a form that costs less than SCRAM does.
#[tokio::test]
async fn a_password_is_proved_by_scram_where_postgres_asks_for_it() {
    on_both(|database| async move {
        let Some(url) = database.postgres_url() else {
            return;
        };
        let db = database.open().await;
        let role = format!("longshore_test_{}", uuid::Uuid::now_v7().simple());
        let create = format!(
            "DO $do$ BEGIN
               PERFORM set_config('password_encryption', 'scram-sha-256', true);
               CREATE ROLE {role} LOGIN PASSWORD 'hunter2';
               GRANT SELECT ON _sqlx_migrations TO {role};
             END $do$"
        );
        db.execute(create, values![]).await.expect("made");
        let sql =
            "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = $1";
        let row = db.one(sql, values![role.as_str()]).await.expect("read");
        assert!(row.expect("a role").get::<bool>("scram").expect("a truth"));
        let with = |password: &str| {
            let (_, rest) = url.split_once('@').expect("an address with a password");
            DbSettings::Postgres(format!("postgres://{role}:{password}@{rest}"))
        };
        let joined = Db::join(&with("hunter2"))
            .await
            .expect("the password is right");
        joined.ping().await.expect("it answers");
        joined.close().await;
        Db::join(&with("hunter3")).await.expect_err("it is wrong");
        let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
        for statement in drop.split("; ") {
            db.execute(statement.to_owned(), values![])
                .await
                .expect("dropped");
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    on_both(|database| async move {
        let db = database.open().await;
        let newer = newest_version() + 1;
        db.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, 'of tomorrow', TRUE, $2, 0)",
            values![newer, vec![1_u8]],
        )
        .await
        .expect("noted");
        db.close().await;
        for refused in [
            Db::open(&database.settings()).await,
            Db::join(&database.settings()).await,
        ] {
            let error = refused.expect_err("it is newer");
            assert!(
                matches!(error, Error::NewerSchema { found, .. } if found == newer),
                "{error:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn two_that_open_an_empty_database_at_once_both_find_it_ready() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            // A SQLite file has one process.
            return;
        }
        database.emptied().await;
        let (one, two) = tokio::join!(database.open(), database.open());
        for db in [one, two] {
            let row = db
                .one("SELECT COUNT(*) AS count FROM _sqlx_migrations", values![])
                .await
                .expect("read");
            let count: i64 = row.expect("a row").get("count").expect("a number");
            assert_eq!(count, newest_version());
        }
    })
    .await;
}

#[tokio::test]
async fn commits_are_on_the_disk_whatever_the_server_does_for_others() {
    on_both(|database| async move {
        let db = database.open().await;
        if database.postgres_url().is_none() {
            let rows = db.returning("PRAGMA synchronous", values![]).await;
            let full: i64 = rows.expect("asked")[0]
                .get("synchronous")
                .expect("a number");
            assert_eq!(full, 2);
            return;
        }
        let name = "SELECT current_database()::text AS name";
        let row = db.one(name, values![]).await.expect("asked");
        let name: String = row.expect("a row").get("name").expect("a name");
        db.close().await;
        for (of_server, ours) in [("off", "on"), ("on", "on"), ("local", "local")] {
            let db = database.open().await;
            let set = format!("ALTER DATABASE \"{name}\" SET synchronous_commit = '{of_server}'");
            db.execute(set, values![]).await.expect("set");
            db.close().await;
            let db = database.open().await;
            let row = db.one("SHOW synchronous_commit", values![]).await;
            let row = row.expect("asked").expect("a row");
            let found: String = row.get("synchronous_commit").expect("a word");
            assert_eq!(found, ours, "where the server has {of_server}");
            db.close().await;
        }
    })
    .await;
}
