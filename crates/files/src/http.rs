//! The routes of buckets and files.

mod answer;
mod buckets;
mod contents;
mod domain;
mod elsewhere;
mod folder;
mod form;
mod grants;
mod hooks;
mod page;
mod past;
mod problem;
mod redirect;
mod request;
mod shared;
mod shares;
mod signed;
mod transfer;
mod tus;
mod webhooks;

pub use domain::domain_routes;
pub use tus::tus_routes;

use crate::Files;
use access::{Role, Scope};
use std::sync::Arc;
use web::routes;
use web::{AnswerTime, BodyLimit, Elsewhere, Requirement, RouteLimits, Routes};

/// The routes of the API.
pub fn routes(files: Files) -> Routes {
    let sees = Requirement::Role(Role::Viewer, Scope::FilesRead);
    let changes = Requirement::Role(Role::Viewer, Scope::FilesWrite);
    let makes = Requirement::Role(Role::Operator, Scope::FilesWrite);
    let rules = Requirement::Role(Role::Admin, Scope::FilesWrite);
    let reads = Requirement::SelfChecked {
        why: "anybody may read a public bucket",
    };
    let told = RouteLimits::default().body(BodyLimit::Bytes(hooks::MOST_BYTES));
    let signed = Requirement::SelfChecked {
        why: "the signature in the address says who let it be opened, for what and how long",
    };
    // A large file takes its time; the handler bounds the silence within it.
    let flows = RouteLimits::default()
        .body(BodyLimit::Streamed)
        .time(AnswerTime::OwnLimit);
    let usual = RouteLimits::default();
    // So does what a store copies, which goes on whoever waits for it. What it waits for has
    // limits of its own.
    let lasts = RouteLimits::default().time(AnswerTime::OwnLimit);
    let elsewhere: Arc<dyn Elsewhere> = Arc::new(files.clone());
    // Of these, somebody else may decide: their handlers ask for all that they do.
    let contents = Routes::new()
        .add(sees, routes!(folder::list_files))
        .add_within(flows, changes, routes!(form::put_form))
        .add_deep(usual, sees, routes!(contents::file_details))
        .add_deep(flows, reads, routes!(contents::get_file))
        .add_deep(flows, changes, routes!(contents::put_file))
        .add_deep(lasts, changes, routes!(contents::delete_file))
        .add_deep(usual, changes, routes!(contents::describe_file))
        .add_within(lasts, changes, routes!(transfer::copy_file))
        .add_within(lasts, changes, routes!(transfer::move_file))
        .add(sees, routes!(signed::presign))
        .or_elsewhere(&elsewhere);
    Routes::new()
        .merge(contents)
        .add(sees, routes!(buckets::list_buckets))
        .add(makes, routes!(buckets::create_bucket))
        .add(sees, routes!(buckets::get_bucket))
        .add(rules, routes!(buckets::change_bucket))
        .add(makes, routes!(buckets::delete_bucket))
        .add_deep(flows, signed, routes!(signed::get_signed))
        .add_deep(flows, signed, routes!(signed::put_signed))
        .add(rules, routes!(grants::list_grants, grants::create_grant))
        .add(rules, routes!(grants::delete_grant))
        .add(changes, routes!(shares::create_share, shares::list_shares))
        .add(changes, routes!(shares::delete_share))
        .add(
            Requirement::Public,
            routes!(shared::share_page, shared::unlock_share),
        )
        .add_within(flows, Requirement::Public, routes!(shared::download_share))
        .add(sees, routes!(folder::sum_files))
        .add(sees, routes!(past::list_trash))
        .add(sees, routes!(past::list_versions))
        .add_within(lasts, changes, routes!(past::restore_file))
        .add_within(lasts, changes, routes!(past::purge_file))
        .add_within(flows, sees, routes!(past::get_past))
        .add(rules, routes!(webhooks::list_webhooks))
        .add(rules, routes!(webhooks::create_webhook))
        .add(
            rules,
            routes!(webhooks::change_webhook, webhooks::delete_webhook),
        )
        .add(
            rules,
            routes!(hooks::get_hook, hooks::renew_hook, hooks::end_hook),
        )
        .add(makes, routes!(hooks::reconcile))
        // The secret is no credential of anybody, and not asked for as one.
        .add_within(
            told,
            Requirement::Public,
            routes!(hooks::hear, hooks::knock),
        )
        .with_state(files)
}
