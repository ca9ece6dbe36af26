//! What names a sync to its targets, beside what it has put there.
//!
//! By it a target's own record is recognised as ours after a crash. A sync that people made
//! is named by its id. That of the environment has to be recognised also where Longshore's
//! own database was lost and it has another id: it is named by what it reads from.

use crate::Result;
use crate::keys::Keys;
use crate::rule::{SourceRule, StoreRule, TableRule};
use crate::sync::{Origin, Sync};
use data_encoding::HEXLOWER;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use url::Url;

/// The usual port of Postgres, and the schema of a table where nothing names one.
const PORT: u16 = 5432;
const SCHEMA: &str = "public";

/// The name of a sync that its targets know it by.
pub(crate) async fn of(sync: &Sync, keys: &Keys) -> Result<String> {
    let SourceRule::Rows {
        database,
        table,
        store,
        key_prefix,
    } = &sync.rule.source
    else {
        return Ok(sync.id.to_string());
    };
    if sync.origin != Origin::Environment {
        return Ok(sync.id.to_string());
    }
    let address = keys.value(database).await?;
    let owner = of_rows(address.expose_secret(), table, (store, key_prefix));
    Ok(owner.unwrap_or_else(|| sync.id.to_string()))
}

/// A digest of the database, the table and the folder of the store. Who it is that asks, and
/// with which password, is left out: both change.
fn of_rows(address: &str, table: &TableRule, store: (&StoreRule, &str)) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let said = url.query_pairs().find(|(name, _)| name == "schema");
    let said = said.map(|(_, schema)| schema.into_owned());
    let schema = table.schema.clone().or(said);
    let (store, prefix) = store;
    let mut digest = Sha256::new();
    for part in [
        url.host_str().unwrap_or_default(),
        &url.port().unwrap_or(PORT).to_string(),
        url.path(),
        schema.as_deref().unwrap_or(SCHEMA),
        &table.table,
        store.endpoint.trim_end_matches('/'),
        &store.bucket,
        prefix,
    ] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    Some(HEXLOWER.encode(&digest.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> StoreRule {
        serde_json::from_value(serde_json::json!({
            "endpoint": "https://fra1.example.org", "bucket": "media",
            "access_key": "DO00", "secret": "SPACES_SECRET",
        }))
        .expect("a rule")
    }

    #[test]
    fn who_asks_changes_nothing_and_what_is_read_from_does() {
        let (table, store) = (TableRule::default(), store());
        let of = |address: &str| of_rows(address, &table, (&store, "files/"));
        let known = of("postgres://anna:hunter2@db.example.org/app");
        assert!(known.is_some());
        for same in [
            "postgres://ben@db.example.org:5432/app?sslmode=require",
            "postgresql://anna:another@db.example.org/app?schema=public",
        ] {
            assert_eq!(of(same), known, "{same}");
        }
        for other in [
            "postgres://anna:hunter2@staging.example.org/app",
            "postgres://anna:hunter2@db.example.org/app2",
            "postgres://anna:hunter2@db.example.org/app?schema=shop",
        ] {
            assert_ne!(of(other), known, "{other}");
        }
        let address = "postgres://anna:hunter2@db.example.org/app";
        let elsewhere = of_rows(address, &table, (&store, "other/"));
        assert_ne!(elsewhere, known);
        let mut table = table.clone();
        table.table = "media".to_owned();
        assert_ne!(of_rows(address, &table, (&store, "files/")), known);
    }
}
