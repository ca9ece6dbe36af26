//! The schema in a SQLite file, made once for all tests of a folder of temporary files,
//! and copied for each: see [`super::template`], which does the same on Postgres.

use super::{admin, template};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use storage::{Db, DbSettings};

/// What it is called in a data directory.
pub(crate) const NAME: &str = "longshore.db";

/// Puts a database with the schema of today, and nothing in it, into a data directory,
/// which is made (0700) where it is not there. One that is there is left alone.
///
/// # Panics
/// When the disk refuses it.
pub(crate) async fn place(folder: &Path) {
    put(folder, Content::Nothing).await;
}

/// The same, with the user `admin` in it: see [`admin`].
///
/// # Panics
/// When the disk refuses it.
pub(crate) async fn place_with_admin(folder: &Path) {
    put(folder, Content::Admin).await;
}

/// What is in a template beside the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Admin,
}

async fn put(folder: &Path, content: Content) {
    let file = folder.join(NAME);
    if file.exists() {
        return;
    }
    let kind = match content {
        Content::Nothing => "",
        Content::Admin => "_admin",
    };
    let template = std::env::temp_dir().join(format!("{}{kind}.db", template::name()));
    if !template.exists() {
        make(&template, content).await;
    }
    let placed = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| fs::copy(&template, &file));
    placed.unwrap_or_else(|error| panic!("a copy of {}: {error}", template.display()));
}

/// Several tests may make it at once: what they make is the same, and comes to its place
/// whole.
async fn make(template: &Path, content: Content) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made: PathBuf = folder.path().join(NAME);
    // Closing it brings everything out of the log into the file.
    Db::open(&DbSettings::Sqlite(made.clone()))
        .await
        .unwrap_or_else(|error| panic!("the template of the tests' databases: {error}"))
        .close()
        .await;
    if content == Content::Admin {
        admin::into_file(&made).await;
    }
    fs::rename(&made, template).unwrap_or_else(|error| panic!("{}: {error}", template.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_copy_has_the_schema_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = folder.path().join("data");
        place(&data).await;
        let db = Db::open(&DbSettings::Sqlite(data.join(NAME))).await;
        let db = db.expect("a copy opens");
        db.execute("CREATE TABLE mark (n BIGINT)", vec![])
            .await
            .expect("it is a copy of its own");
        db.close().await;
        place(&data).await;
        let db = Db::open(&DbSettings::Sqlite(data.join(NAME))).await;
        let db = db.expect("what is there opens");
        db.execute("DROP TABLE mark", vec![])
            .await
            .expect("what is there was left alone");
        db.close().await;
    }
}
