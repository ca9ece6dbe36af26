//! What is missing of somebody's table before a pass can go well: columns, rights, types,
//! and room for what is written.

use super::{RowSource, within_as};
use crate::sql::rows::Table;
use crate::target::{Checked, Receipt, Trouble};
use crate::trouble;
use std::collections::BTreeSet;

impl RowSource {
    /// What is missing of the columns, in sentences.
    pub(super) fn lacking(&self, table: &Table) -> Vec<String> {
        let columns = &self.rule.columns;
        let read = [
            &columns.id,
            &columns.name,
            &columns.media_type,
            &columns.path,
            &columns.copied,
        ];
        let written = [
            &columns.copied,
            &columns.remote_id,
            &columns.status,
            &columns.thumbnail,
        ];
        let mut lacking = Vec::new();
        // By whom a row was marked is read, too.
        let more = [&columns.creator, &columns.remote_id];
        let more = more.into_iter().filter(|name| !name.is_empty());
        for name in read.into_iter().chain(more).chain(&columns.metadata) {
            match table.column(name) {
                None => lacking.push(format!("there is no column \"{name}\"")),
                Some(column) if !column.reads => {
                    lacking.push(format!("SELECT is not granted on \"{name}\""));
                }
                Some(_) => {}
            }
        }
        for name in written.into_iter().filter(|name| !name.is_empty()) {
            match table.column(name) {
                None => lacking.push(format!("there is no column \"{name}\"")),
                Some(column) if !column.writes => {
                    lacking.push(format!("UPDATE is not granted on \"{name}\""));
                }
                Some(_) => {}
            }
        }
        if let Some(copied) = table.column(&columns.copied)
            && !copied.is_truth
        {
            lacking.push(format!(
                "the column \"{}\" is of the type {}; make it boolean",
                columns.copied, copied.kind
            ));
        }
        // A column may be read and written.
        let mut said = BTreeSet::new();
        lacking.retain(|sentence| said.insert(sentence.clone()));
        lacking
    }

    /// Whether the columns that are written can hold both words of the status, and the
    /// longest of these ids and addresses. A table that cannot be looked at is told of
    /// elsewhere.
    pub(super) async fn check_holding(&self, receipts: &[Receipt]) -> Vec<Checked> {
        let Ok(table) = self.table().await else {
            return Vec::new();
        };
        let (columns, statuses) = (&self.rule.columns, &self.rule.statuses);
        let ids = receipts.iter().map(|receipt| receipt.id.as_str());
        let pictures = receipts
            .iter()
            .filter_map(|receipt| receipt.thumbnail.as_deref());
        let texts = [
            (&columns.status, Some(statuses.ready.as_str())),
            (&columns.status, Some(statuses.pending.as_str())),
            (&columns.remote_id, longest(ids)),
            (&columns.thumbnail, longest(pictures)),
        ];
        let mut lacking = Vec::new();
        for (column, text) in texts {
            if let Some(text) = text.filter(|_| table.column(column).is_some()) {
                lacking.extend(self.cannot_hold(table, column, text).await);
            }
        }
        vec![Checked {
            what: format!("What is written to \"{}\"", self.rule.table),
            missing: (!lacking.is_empty()).then(|| lacking.join("; ")),
        }]
    }

    /// Why a column cannot hold a text as it is, if it cannot.
    async fn cannot_hold(&self, table: &Table, column: &str, text: &str) -> Option<String> {
        match within_as(refused, table.held(&self.db, column, text)).await {
            Ok(held) if held == text => None,
            Ok(held) => Some(format!(
                "the column \"{column}\" would hold `{held}` in the place of `{text}`; make it a longer text"
            )),
            Err(why) => Some(format!(
                "the column \"{column}\" cannot hold `{text}`: {why}"
            )),
        }
    }
}

/// In the database's own words.
fn refused(error: &storage::Error) -> Trouble {
    Trouble::Refused {
        reason: trouble::words(error),
    }
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    texts.max_by_key(|text| text.chars().count())
}
