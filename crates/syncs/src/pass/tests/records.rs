//! What is told of how passes stand.

use super::*;
use crate::PassState;

async fn told(process: &Process, sync: &Sync) -> Vec<(PassState, Option<String>)> {
    let passes = process.syncs.passes(sync, None, 10).await.expect("read");
    let told = passes.into_iter();
    told.map(|pass| (pass.state, pass.failure)).collect()
}

on_both!(a_pass_without_an_end_runs_or_was_cut_off_as_its_operation_says);
async fn a_pass_without_an_end_runs_or_was_cut_off_as_its_operation_says(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_sync(&db).await;
    let outside = Outside::with(&["a"]);
    let first = process.pass(&sync, &outside).await;
    let second = process.pass(&sync, &outside).await;
    let running = (PassState::Running, None);
    let both = told(&process, &sync).await;
    assert_eq!(both, [running.clone(), running.clone()]);
    let id = first.context.id();
    let asked = process.operations.cancel(id, &Actor::system()).await;
    asked.expect("it runs");
    let ended = within("its end", process.operations.wait(id)).await;
    ended.expect("there");
    let cut = (PassState::Cut, None);
    assert_eq!(told(&process, &sync).await, [running, cut.clone()]);
    // What it says itself counts, and is forgotten when it goes on.
    let (id, why) = (second.context.id(), "the token is none");
    let ended = sql::pass::end(&db, id, Some(why), process.syncs.now()).await;
    ended.expect("recorded");
    let failed = (PassState::Failed, Some(why.to_owned()));
    assert_eq!(told(&process, &sync).await, [failed, cut.clone()]);
    let begun = sql::pass::begin(&db, id, sync.id, process.syncs.now()).await;
    begun.expect("recorded");
    assert_eq!(
        told(&process, &sync).await,
        [(PassState::Running, None), cut]
    );
    process.end().await;
}
