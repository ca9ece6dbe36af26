//! The routes of syncs: parse, authorise, call, answer.

mod deliveries;
mod passes;
mod problem;
mod steering;
mod syncs;
mod trying;

use crate::{Error, Result, Sync, Syncs};
use access::{Caller, Proof, Role, Scope};
use base::{OperationId, Trigger};
use std::time::Duration;
use web::routes;
use web::{Answer, AnswerTime, Problem, Requirement, RouteLimits, Routes};

/// How long checking and a dry run may take before their answer begins.
const LOOKING: Duration = Duration::from_secs(90);

/// The routes of the API.
pub fn routes(syncs: Syncs) -> Routes {
    let sees = Requirement::Role(Role::Viewer, Scope::SyncsRead);
    let acts = Requirement::Role(Role::Operator, Scope::SyncsWrite);
    // A rule names secrets and addresses: whoever writes one decides where files go.
    let rules = Requirement::Role(Role::Admin, Scope::SyncsWrite);
    let looks = RouteLimits::default().time(AnswerTime::OwnLimit);
    Routes::new()
        .add(sees, routes!(syncs::list_syncs))
        .add(rules, routes!(syncs::create_sync))
        .add(sees, routes!(syncs::get_sync))
        .add(rules, routes!(syncs::change_sync))
        .add(rules, routes!(syncs::delete_sync))
        .add(acts, routes!(steering::run_sync))
        .add(acts, routes!(steering::pause_sync))
        .add(acts, routes!(steering::resume_sync))
        .add(acts, routes!(steering::verify_sync))
        .add(acts, routes!(steering::retry_sync))
        .add_within(looks, acts, routes!(steering::check_sync))
        .add_within(looks, acts, routes!(steering::dry_run_sync))
        .add_within(looks, rules, routes!(trying::dry_run_rule))
        .add(sees, routes!(passes::list_passes))
        .add(sees, routes!(deliveries::list_deliveries))
        .add(sees, routes!(deliveries::get_delivery))
        .add(acts, routes!(deliveries::retry_delivery))
        .add(acts, routes!(deliveries::deliver_again))
        .with_state(syncs)
}

/// Has a pass made; nothing while the sync is paused.
async fn run_unless_paused(
    syncs: &Syncs,
    sync: &Sync,
    caller: &Caller,
) -> Answer<Option<OperationId>> {
    match syncs.run(sync, caller.actor(), trigger(caller)).await {
        Ok(operation) => Ok(Some(operation)),
        Err(Error::Paused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What was found by looking, if that did not take too long.
async fn looked_in_time<T>(looking: impl Future<Output = Result<T>>) -> Answer<T> {
    match tokio::time::timeout(LOOKING, looking).await {
        Ok(found) => Ok(found?),
        Err(_) => Err(Problem::request_timeout()),
    }
}

/// By what a person sets something off.
fn trigger(caller: &Caller) -> Trigger {
    match caller.proof() {
        Proof::Session(_) => Trigger::Person,
        _ => Trigger::Api,
    }
}
