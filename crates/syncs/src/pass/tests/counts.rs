//! What a pass counts and says: every file once, also where it is taken up, and a line for
//! each.

use super::*;
use ::operations::Progress;

/// A pass that has done everything, and its counts.
async fn done(pass: &Arc<Pass>) -> crate::Tally {
    within("the pass to end", pass.run()).await.expect("done");
    pass.board.tally()
}

/// How far an operation is, once so many files are done.
async fn progress(process: &Process, pass: &Pass, files: u64) -> Progress {
    within("the progress to be shown", async {
        loop {
            let operation = process.operations.get(pass.context.id()).await;
            let progress = operation.expect("there").progress.unwrap_or_default();
            if progress.done == files {
                return progress;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

on_both!(what_a_target_made_ready_meanwhile_is_counted_once);
async fn what_a_target_made_ready_meanwhile_is_counted_once(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let sync = a_sync(&db).await;
    let outside = Outside::with(&["a", "b", "c"]);
    outside.works.store(true, Ordering::SeqCst);
    let pass = process.pass(&sync, &outside).await;
    let tally = done(&pass).await;
    assert_eq!((tally.delivered, tally.working), (3, 0), "{tally:?}");
    let shown = progress(&process, &pass, 3).await;
    assert_eq!(shown.total, Some(3), "{shown:?}");
    process.end().await;
}

on_both!(a_pass_that_is_taken_up_counts_what_it_had_done);
async fn a_pass_that_is_taken_up_counts_what_it_had_done(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = a_sync(&db).await;
    sync.rule.targets[0].when.prefix = "a".to_owned();
    let outside = Outside::with(&["a1", "a2", "b1"]);
    let first = process.pass(&sync, &outside).await;
    let tally = done(&first).await;
    assert_eq!((tally.delivered, tally.skipped), (2, 1), "{tally:?}");
    // It died before it could say so, and only what is recorded is taken up.
    let again = process.pass_of(first.context.clone(), &sync, &outside, true);
    let tally = done(&again).await;
    assert_eq!((tally.delivered, tally.skipped), (2, 1), "{tally:?}");
    assert_eq!(outside.assets(), ["a1", "a2"]);
    process.end().await;
}

on_both!(a_whole_page_of_skipped_files_has_a_line_for_each);
async fn a_whole_page_of_skipped_files_has_a_line_for_each(database: TestDatabase) {
    const FILES: usize = 1000;
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = a_sync(&db).await;
    sync.rule.targets[0].when.prefix = "elsewhere/".to_owned();
    let outside = Arc::new(Outside {
        files: (0..FILES).map(|number| format!("{number:04}")).collect(),
        ..Outside::default()
    });
    let pass = process.pass(&sync, &outside).await;
    pass.board.say("a line that waits".to_owned());
    assert_eq!(done(&pass).await.skipped, FILES as u64);
    let log = within("the lines to be stored", async {
        loop {
            let page = process.operations.log(pass.context.id(), 1, 2 * FILES);
            let page = page.await.expect("read");
            if page.lines.len() > FILES {
                return page.lines;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let skipped = log
        .iter()
        .filter(|line| line.text.contains(" is skipped: "));
    assert_eq!(skipped.count(), FILES, "{:?}", log.last());
    process.end().await;
}

on_both!(a_source_that_has_nothing_any_more_is_not_believed);
async fn a_source_that_has_nothing_any_more_is_not_believed(database: TestDatabase) {
    const FILES: usize = 20;
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = a_sync(&db).await;
    sync.rule.remove = true;
    let outside = Arc::new(Outside {
        files: (0..FILES).map(|number| format!("{number:04}")).collect(),
        ..Outside::default()
    });
    let pass = process.pass(&sync, &outside).await;
    assert_eq!(done(&pass).await.delivered, FILES as u64);
    outside.gone.store(true, Ordering::SeqCst);
    let pass = process.pass(&sync, &outside).await;
    let failed = within("the pass to end", pass.run()).await;
    assert_eq!(failed.expect_err("it stops").code(), "source-empty");
    assert_eq!(outside.removed.load(Ordering::SeqCst), 0);
    let kept = process.state(&sync, "0000").await;
    assert_eq!(kept.state, DeliveryState::Marked);
    process.end().await;
}
