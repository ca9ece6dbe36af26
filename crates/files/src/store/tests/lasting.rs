//! What a store copies takes its time: it goes on though nobody waits for it any more, and who
//! asks again does not have it done once more beside.

use super::*;
use crate::store::held::PASSAGES;
use futures::FutureExt;
use tokio::task::yield_now;
use web::AnswerTime;

/// Asks for something and leaves when `then` has come.
async fn left<T>(work: impl Future<Output = T>, then: impl Future<Output = ()>) {
    tokio::select! {
        _ = work => panic!("it is held"),
        () = then => {}
    }
}

impl Quay {
    /// Waits until the catalogue and the store have these and nothing else.
    async fn comes_to(&self, listed: &[&str], keys: &[&str]) {
        within("it to be done by itself", async {
            while self.listed().await != listed || self.peer.keys() != keys {
                yield_now().await;
            }
        })
        .await;
    }

    /// Waits until so many have paths of the store or wait for them.
    async fn has_standing(&self, many: usize) {
        within("others to stand in line", async {
            while self.files.stores().turns.standing() != many {
                yield_now().await;
            }
        })
        .await;
    }

    /// Copies `a` to `b`, for as long as that takes.
    fn copying(&self, expect: Expect) -> impl Future<Output = Result<File>> + Send + use<> {
        let (files, bucket, by) = (
            self.files.clone(),
            Arc::clone(&self.bucket),
            self.by.clone(),
        );
        async move {
            let (a, b) = (path("a"), path("b"));
            let (from, to) = ((&*bucket, &a), (&*bucket, &b));
            let described = Description::default();
            files.copy(from, to, &expect, described, &by).await
        }
    }
}

#[tokio::test]
async fn who_leaves_while_a_store_copies_has_it_done_all_the_same() {
    on_both(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket, by) = (&quay.files, &quay.bucket, &quay.by);
        let nothing = Expect::default();
        let (a, b, c) = (path("a"), path("b"), path("c"));
        let id = quay.put("a", b"one").await.id;
        let past = format!("team/{}", past_key(bucket.id, id));

        gate.hold("put /harbour/team/.longshore/");
        let deleting = files.delete(bucket, &a, &nothing, &by.actor);
        left(deleting, gate.has_held(1)).await;
        gate.open();
        quay.comes_to(&[], &[&past]).await;

        gate.hold("put /harbour/team/a");
        let restoring = files.restore(bucket, id, false, &by.actor);
        left(restoring, gate.has_held(2)).await;
        gate.open();
        quay.comes_to(&["a"], &["team/a"]).await;

        gate.hold("put /harbour/team/b");
        let described = Description::default();
        let copying = files.copy((bucket, &a), (bucket, &b), &nothing, described, by);
        left(copying, gate.has_held(3)).await;
        gate.open();
        quay.comes_to(&["a", "b"], &["team/a", "team/b"]).await;

        gate.hold("put /harbour/team/c");
        let moving = files.rename((bucket, &b), (bucket, &c), &nothing, by);
        left(moving, gate.has_held(4)).await;
        gate.open();
        quay.comes_to(&["a", "c"], &["team/a", "team/c"]).await;

        let disk = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
        gate.hold("get /harbour/team/c");
        let moving = files.rename((bucket, &c), (&disk, &c), &nothing, by);
        left(moving, gate.has_held(5)).await;
        gate.open();
        quay.comes_to(&["a"], &["team/a"]).await;
        let moved = files.file(&disk, &c).await.expect("it came");
        assert_eq!(moved.size, 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_for_again_is_not_done_beside_itself() {
    on_both(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket, by) = (
            quay.files.clone(),
            Arc::clone(&quay.bucket),
            quay.by.clone(),
        );
        let disk = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
        let (a, b) = (path("a"), path("b"));
        let any = Expect::default;
        quay.put("a", b"one").await;
        quay.has_standing(0).await;
        gate.hold("put /harbour/team/b");
        left(quay.copying(any()), gate.has_held(1)).await;
        let again = tokio::spawn(quay.copying(any()));
        within("the second to wait", async {
            while files.copies().waiting() == 0 {
                yield_now().await;
            }
        })
        .await;
        // Who wants nothing to be there has asked for something else.
        let first = tokio::spawn(quay.copying(Expect::nothing()));
        quay.has_standing(3).await;
        gate.open();
        let made = again.await.expect("no panic").expect("it is there");
        let there = files.file(&bucket, &b).await.expect("there");
        assert_eq!(made, there);
        let refused = first.await.expect("no panic");
        assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
        quay.has_standing(0).await;

        let delete = || {
            let (files, bucket, by) = (files.clone(), Arc::clone(&bucket), by.clone());
            let a = a.clone();
            async move {
                files
                    .delete(&bucket, &a, &Expect::default(), &by.actor)
                    .await
            }
        };
        gate.hold("put /harbour/team/.longshore/");
        left(delete(), gate.has_held(2)).await;
        let again = tokio::spawn(delete());
        quay.has_standing(2).await;
        gate.open();
        let gone = again.await.expect("no panic");
        assert!(matches!(gone, Err(Error::NoFile(_))), "{gone:?}");
        quay.has_standing(0).await;

        let rename = || {
            let (files, bucket, by) = (files.clone(), Arc::clone(&bucket), by.clone());
            let (disk, b) = (Arc::clone(&disk), b.clone());
            async move {
                let (from, to) = ((&*bucket, &b), (&*disk, &b));
                files.rename(from, to, &Expect::default(), &by).await
            }
        };
        gate.hold("get /harbour/team/b");
        left(rename(), gate.has_held(3)).await;
        let again = tokio::spawn(rename());
        quay.has_standing(2).await;
        gate.open();
        let gone = again.await.expect("no panic");
        assert!(matches!(gone, Err(Error::NoFile(_))), "{gone:?}");
        files.file(&disk, &b).await.expect("it is there");

        let heads = gate.heads();
        for once in [
            "put /harbour/team/b",
            "put /harbour/team/.longshore/",
            "get /harbour/team/b",
        ] {
            let asked = heads.iter().filter(|head| head.starts_with(once));
            assert_eq!(asked.count(), 1, "{once}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_copy_from_before_its_source_was_described_anew_is_not_one_from_after_that() {
    on_both(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket, by) = (
            quay.files.clone(),
            Arc::clone(&quay.bucket),
            quay.by.clone(),
        );
        let (a, b) = (path("a"), path("b"));
        quay.put("a", b"one").await;
        quay.has_standing(0).await;
        gate.hold("put /harbour/team/b");
        left(quay.copying(Expect::default()), gate.has_held(1)).await;
        let described = Description {
            media_type: Some("text/x-cargo".to_owned()),
            ..Description::default()
        };
        let (any, actor) = (Expect::default(), &by.actor);
        let described = files.describe(&bucket, &a, &any, described, actor).await;
        described.expect("described");
        let again = tokio::spawn(quay.copying(Expect::default()));
        quay.has_standing(3).await;
        gate.open();
        let made = again.await.expect("no panic").expect("copied");
        assert_eq!(made.media_type, "text/x-cargo");
        let there = files.file(&bucket, &b).await.expect("there");
        assert_eq!(there, made);
    })
    .await;
}

#[tokio::test]
async fn what_is_being_brought_back_is_not_removed_for_good() {
    on_both(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        let (files, bucket, by) = (&quay.files, &quay.bucket, &quay.by);
        let a = path("a");
        let id = quay.put("a", b"one").await.id;
        let nothing = Expect::default();
        let deleted = files.delete(bucket, &a, &nothing, &by.actor).await;
        deleted.expect("deleted");
        quay.put("a", b"two").await;
        quay.has_standing(0).await;
        gate.hold("put /harbour/team/a");
        let restoring = files.restore(bucket, id, true, &by.actor);
        left(restoring, gate.has_held(1)).await;
        let (purger, quayside) = (files.clone(), Arc::clone(bucket));
        let purging = tokio::spawn(async move { purger.purge(&quayside, id).await });
        quay.has_standing(2).await;
        gate.open();
        let purged = purging.await.expect("no panic");
        assert!(!purged.expect("asked"), "it has come back");
        assert_eq!(quay.content("a").await.as_deref(), Some(&b"one"[..]));
        quay.comes_to(&["a"], &["team/a"]).await;
    })
    .await;
}

#[tokio::test]
async fn no_more_passes_through_this_server_at_once_than_there_is_room_for() {
    testing::on_sqlite(|database| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let files = opened(&database, folder.path()).await;
        let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("there");
        let passage = async |number: usize| {
            let to = path(&number.to_string());
            files.hold_passage(&bucket, &to).await
        };
        let mut passages = Vec::new();
        for number in 0..PASSAGES {
            let passage = passage(number).now_or_never().expect("there is room");
            passages.push(passage.expect("free"));
        }
        assert!(passage(PASSAGES).now_or_never().is_none(), "it waits");
        passages.pop();
        let passage = passage(PASSAGES).now_or_never().expect("there is room");
        passage.expect("free");
    })
    .await;
}

#[tokio::test]
async fn no_answer_is_given_up_while_a_store_copies() {
    testing::on_sqlite(|database| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let files = opened(&database, folder.path()).await;
        let settings = Arc::new(web::Settings::default());
        let (_unchanged, settings) = tokio::sync::watch::channel(settings);
        let tables = [
            crate::routes(files.clone()).table(),
            crate::domain_routes(files.clone()).table(),
            crate::tus_routes(files, settings).table(),
        ];
        let entries = tables.iter().flat_map(|table| table.entries());
        let patient: Vec<String> = entries
            .filter(|entry| entry.limits.time == AnswerTime::OwnLimit)
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect();
        for lasts in [
            "DELETE /api/v1/buckets/{bucket}/files/{path}",
            "POST /api/v1/buckets/{bucket}/copy",
            "POST /api/v1/buckets/{bucket}/move",
            "POST /api/v1/buckets/{bucket}/restore",
            "DELETE /api/v1/buckets/{bucket}/past/{id}",
            "DELETE /{path}",
            "DELETE /tus/{id}",
        ] {
            assert!(patient.iter().any(|one| one == lasts), "{lasts}");
        }
    })
    .await;
}
