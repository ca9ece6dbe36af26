//! Signatures that may be used once.

use base::Timestamp;
use storage::{Db, Result, Tx, values};
use uuid::Uuid;

/// Whether it was used before now.
pub(crate) async fn is_used(db: &Db, id: Uuid) -> Result<bool> {
    const SQL: &str = "SELECT id FROM file_signature WHERE id = $1";
    Ok(db.one(SQL, values![id]).await?.is_some())
}

/// Notes its use; whether it is the first.
pub(crate) async fn use_up(tx: &mut Tx, id: Uuid, expires: Timestamp) -> Result<bool> {
    const SQL: &str = "INSERT INTO file_signature (id, expires_at) VALUES ($1, $2)
        ON CONFLICT (id) DO NOTHING";
    Ok(tx.execute(SQL, values![id, expires]).await? == 1)
}

/// Forgets those that expired before this.
pub(crate) async fn sweep(db: &Db, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM file_signature WHERE expires_at < $1";
    db.execute(SQL, values![before]).await
}
