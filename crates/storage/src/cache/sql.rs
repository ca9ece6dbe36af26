//! What the database says of the shared cache. Each opening and each closing has the next
//! number; each opening has a word of its own, too, which is never said again, even if the
//! database was restored from a copy.

use super::trust::{Opening, State};
use crate::Result;
use crate::db::Db;

/// How it is.
pub(super) async fn state(db: &Db) -> Result<State> {
    const SQL: &str = "SELECT number, word, server FROM shared_cache WHERE one = 1";
    let row = db.one(SQL, Vec::new()).await?;
    let row = row.ok_or(crate::Error::Stored("the shared cache"))?;
    let (word, server): (String, String) = (row.get("word")?, row.get("server")?);
    Ok(State {
        number: row.get("number")?,
        open: (!server.is_empty()).then(|| Opening {
            word: word.into(),
            server: server.into(),
        }),
    })
}

/// Closes it, if it is open under this number; whether it was.
pub(super) async fn close(db: &Db, number: i64) -> Result<bool> {
    const SQL: &str = "UPDATE shared_cache SET number = number + 1, word = '', server = ''
        WHERE one = 1 AND number = $1 AND server <> ''";
    Ok(db.execute(SQL, crate::values![number]).await? == 1)
}

/// Opens it on this server, if it is closed under this number; whether it was.
pub(super) async fn open(db: &Db, number: i64, opening: &Opening) -> Result<bool> {
    const SQL: &str = "UPDATE shared_cache SET number = number + 1, word = $2, server = $3
        WHERE one = 1 AND number = $1 AND server = ''";
    let values = crate::values![number, &*opening.word, &*opening.server];
    Ok(db.execute(SQL, values).await? == 1)
}
