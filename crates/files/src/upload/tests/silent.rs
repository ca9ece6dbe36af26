//! Who says nothing holds nobody up.

use super::*;

#[tokio::test]
async fn who_says_nothing_to_an_upload_that_is_done_holds_nobody_up() {
    at_dock(|dock, _| async move {
        let id = dock.begin("a", 5).await;
        dock.send(id, 0, b"cargo").await.expect("a file");
        let silent = || {
            let dock = Arc::clone(&dock);
            let appending = Appending {
                offset: 5,
                ..Appending::default()
            };
            let body = futures::stream::pending::<Result<Bytes, &str>>();
            async move { dock.files.append(&dock.by, id, appending, body).await }
        };
        let older = tokio::spawn(silent());
        within("the older to stand in line", async {
            while !dock.files.turns().are_wanted(id) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let newer = dock.send(id, 5, b"").await.expect("it is done");
        assert!(newer.done);
        let older = older.await.expect("no panic");
        assert!(matches!(older, Err(Error::UploadBusy)), "{older:?}");
        let settings = FileSettings {
            silence: Duration::from_millis(1),
            ..dock.files.settings()
        };
        dock.files.reconfigure(dock.files.client(), settings);
        let alone = within("silence to be enough", silent()).await;
        assert!(matches!(alone, Err(Error::Silent)), "{alone:?}");
    })
    .await;
}
