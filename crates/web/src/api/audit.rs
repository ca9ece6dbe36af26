//! The record of who did what.

use crate::routes;
use crate::{Answer, Json, Page, Paging, Query, Requirement, Routes};
use access::{Access, AuditFilter, Role, Scope};
use axum::extract::State;
use base::{Actor, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What somebody did.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEntry {
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `user:anna`, `token:anna/ci`, `host`, `anonymous` or `system`.
    #[schema(value_type = String)]
    actor: Actor,
    /// What, such as `user.created`.
    action: String,
    /// To whom or what, such as `user:anna`.
    subject: String,
    /// From where, or empty.
    address: String,
    /// What was before; never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<serde_json::Value>,
    /// What is after; never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<serde_json::Value>,
}

impl From<access::AuditRecord> for AuditEntry {
    fn from(record: access::AuditRecord) -> Self {
        Self {
            id: record.id,
            at: record.at,
            actor: record.actor,
            action: record.action,
            subject: record.subject,
            address: record.address,
            before: record.before,
            after: record.after,
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// By whom, as `actor` says it.
    actor: Option<String>,
    /// What.
    action: Option<String>,
    /// To whom or what.
    subject: Option<String>,
    /// At this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Read by [`Paging`].
    #[param(ignore)]
    #[serde(rename = "limit", default)]
    _limit: IgnoredAny,
    /// The same.
    #[param(ignore)]
    #[serde(rename = "cursor", default)]
    _cursor: IgnoredAny,
}

pub(super) fn routes(access: &Access) -> Routes {
    Routes::new()
        .add(
            Requirement::Role(Role::Admin, Scope::Admin),
            routes!(list_audit),
        )
        .with_state(access.clone())
}

/// Who did what, the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(Which, Paging),
    responses((status = 200, description = "A page of it.", body = Page<AuditEntry>))
)]
async fn list_audit(
    State(access): State<Access>,
    Query(which): Query<Which>,
    paging: Paging,
) -> Answer<Json<Page<AuditEntry>>> {
    let filter = AuditFilter {
        actor: which.actor,
        action: which.action,
        subject: which.subject,
        from: which.from,
        to: which.to,
    };
    let limit = u64::from(paging.limit());
    let page = access
        .audit_entries(&filter, paging.cursor(), limit)
        .await?;
    Ok(Json(Page {
        items: page.items.into_iter().map(AuditEntry::from).collect(),
        next: page.next,
    }))
}
