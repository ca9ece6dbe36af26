//! Lists: complete, in order, a page at a time, whatever the paths are.

use crate::world::{World, path};
use files::{Browse, Entry, Metadata, NewFile, Place, Sort};
use std::time::Duration;
use testing::on_both;

const PATHS: [&str; 14] = [
    "/lead",
    "a",
    "a/",
    "a/1",
    "a/2",
    "a//x",
    "a/b/c",
    "a/b/d/e",
    "a0",
    "b/1",
    "b c",
    "z+",
    "ä/ö",
    "\u{10ffff}/x",
];

async fn filled(world: &World) {
    for (number, at) in PATHS.iter().enumerate() {
        world.put(at, &"x".repeat((number * 7) % 5)).await;
        world
            .clock
            .advance(Duration::from_secs((number as u64 * 5) % 3));
    }
}

/// Every page of a question, joined; each of at most `limit`.
async fn all(world: &World, ask: &Browse, limit: usize) -> (Vec<String>, Vec<String>) {
    let (mut folders, mut names) = (Vec::new(), Vec::new());
    let mut after: Option<Place> = None;
    loop {
        let found = world
            .files
            .browse(&world.bucket, ask, after, limit)
            .await
            .unwrap();
        assert!(found.folders.len() + found.files.len() <= limit);
        folders.extend(found.folders);
        names.extend(found.files.iter().map(|file| file.path.to_string()));
        match found.next {
            // As it comes back from a client.
            Some(next) => {
                let text = serde_json::to_string(&next).unwrap();
                after = Some(serde_json::from_str(&text).unwrap());
            }
            None => return (folders, names),
        }
    }
}

#[tokio::test]
async fn a_folder_shows_what_lies_in_it_in_every_order() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        filled(&world).await;
        for prefix in ["", "a/", "a/b/", "/", "none/", "ä/"] {
            let within = PATHS.iter().filter_map(|path| path.strip_prefix(prefix));
            let mut folders: Vec<String> = within
                .clone()
                .filter_map(|rest| Some(format!("{prefix}{}/", rest.split_once('/')?.0)))
                .collect();
            folders.sort();
            folders.dedup();
            let mut names: Vec<String> = within
                .filter(|rest| !rest.contains('/') && !rest.is_empty())
                .map(|rest| format!("{prefix}{rest}"))
                .collect();
            names.sort();
            for sort in [Sort::Name, Sort::Size, Sort::Date] {
                for descending in [false, true] {
                    let ask = Browse {
                        prefix: prefix.to_owned(),
                        one_folder: true,
                        sort,
                        descending,
                    };
                    let whole = all(&world, &ask, 100).await;
                    let mut expected = folders.clone();
                    if descending && sort == Sort::Name {
                        expected.reverse();
                    }
                    assert_eq!(whole.0, expected, "{ask:?}");
                    let mut sorted = whole.1.clone();
                    sorted.sort();
                    assert_eq!(sorted, names, "{ask:?}");
                    for limit in [1, 2, 3] {
                        assert_eq!(all(&world, &ask, limit).await, whole, "{ask:?} {limit}");
                    }
                }
            }
        }
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn all_files_come_in_the_order_that_was_asked_for() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        filled(&world).await;
        for (sort, prefix) in [
            (Sort::Name, ""),
            (Sort::Size, ""),
            (Sort::Date, ""),
            (Sort::Size, "a/"),
        ] {
            let ask = |descending| Browse {
                prefix: prefix.to_owned(),
                one_folder: false,
                sort,
                descending,
            };
            let (folders, up) = all(&world, &ask(false), 4).await;
            assert!(folders.is_empty());
            let within = PATHS.iter().filter(|path| path.starts_with(prefix));
            assert_eq!(up.len(), within.count());
            let mut keys = Vec::new();
            for name in &up {
                let file = world.files.file(&world.bucket, &path(name)).await.unwrap();
                keys.push(match sort {
                    Sort::Name => (0, name.clone()),
                    Sort::Size => (file.size.cast_signed(), name.clone()),
                    Sort::Date => (file.modified_at.micros(), name.clone()),
                });
            }
            assert!(keys.is_sorted(), "{keys:?}");
            let (_, mut down) = all(&world, &ask(true), 3).await;
            down.reverse();
            assert_eq!(down, up);
        }
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn pages_below_a_prefix_fit_together_whether_it_holds_few_many_or_nearly_all() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        // More of them than are sorted without another thought, in an order of their own.
        let mut rows: Vec<(String, i64)> = (0..2600_i64)
            .map(|number| (format!("m/{number:04}"), (number * 7919) % 701))
            .collect();
        rows.extend((0..40).map(|number| (format!("f/{number}"), number % 7)));
        world.put("seed", "x").await;
        insert(&world, &rows).await;
        for (prefix, sort) in [
            ("m/", Sort::Size),
            ("m", Sort::Date),
            ("m/1", Sort::Size),
            ("f/", Sort::Size),
            ("f/", Sort::Date),
        ] {
            for descending in [false, true] {
                let ask = Browse {
                    prefix: prefix.to_owned(),
                    one_folder: false,
                    sort,
                    descending,
                };
                let mut expected: Vec<&(String, i64)> = rows
                    .iter()
                    .filter(|(at, _)| at.starts_with(prefix))
                    .collect();
                expected.sort_by_key(|(at, size)| (*size, at.clone()));
                if descending {
                    expected.reverse();
                }
                let expected: Vec<&String> = expected.into_iter().map(|(at, _)| at).collect();
                let (_, names) = all(&world, &ask, 997).await;
                assert!(names.iter().eq(expected), "{ask:?}");
            }
        }
        world.close().await;
    })
    .await;
}

/// Files that are in the catalogue alone: thousands are there soon.
async fn insert(world: &World, rows: &[(String, i64)]) {
    let sql = "INSERT INTO file (id, bucket, path, folder, standing, size, type, sniffed, etag,
        created_at, modified_at, uploader)
        SELECT $1, bucket, $2, $3, standing, $4, type, sniffed, etag, created_at, $4, uploader
        FROM file WHERE path = 'seed'";
    let mut tx = world.db.begin().await.unwrap();
    for (at, size) in rows {
        let folder = at.rfind('/').map_or("", |end| &at[..=end]);
        let values = storage::values![uuid::Uuid::now_v7(), at.as_str(), folder, *size];
        tx.execute(sql, values).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// As S3 defines it, slowly: over all paths.
fn expected(prefix: &str, delimiter: Option<&str>, after: Option<&str>) -> Vec<String> {
    let mut keys: Vec<String> = PATHS
        .iter()
        .filter_map(|path| {
            let rest = path.strip_prefix(prefix)?;
            let key = match delimiter.and_then(|delimiter| Some((rest.find(delimiter)?, delimiter)))
            {
                Some((at, delimiter)) => &path[..prefix.len() + at + delimiter.len()],
                None => path,
            };
            Some(key.to_owned())
        })
        .filter(|key| after.is_none_or(|after| key.as_str() > after))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

#[tokio::test]
async fn keys_are_listed_as_s3_lists_them() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        filled(&world).await;
        for prefix in ["", "a", "a/", "a/b", "b", "/", "none", "\u{10ffff}"] {
            for delimiter in [None, Some("/"), Some("b/"), Some("1")] {
                let whole = expected(prefix, delimiter, None);
                for limit in [1, 2, 5, 1000] {
                    let (mut keys, mut after) = (Vec::new(), None::<String>);
                    loop {
                        let page: Vec<Entry> = world
                            .files
                            .keys(&world.bucket, prefix, delimiter, after.as_deref(), limit)
                            .await
                            .unwrap();
                        if page.is_empty() {
                            break;
                        }
                        assert!(page.len() <= limit);
                        after = page.last().map(|entry| entry.key().to_owned());
                        keys.extend(page.iter().map(|entry| entry.key().to_owned()));
                    }
                    assert_eq!(keys, whole, "{prefix:?} {delimiter:?} {limit}");
                }
            }
        }
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn files_are_found_by_how_their_words_begin_as_they_are_now() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        for at in [
            "covers/Blue Train.jpg",
            "covers/blueprint.png",
            "covers/blue/blue.jpg",
            "docs/train times.txt",
        ] {
            world.put(at, "x").await;
        }
        let mut song = NewFile::at(path("songs/1"));
        song.metadata = Metadata::from_iter([("title".to_owned(), "Blue Monday".into())]);
        world.try_put(song, "x").await.unwrap();
        let search = |text: &'static str, prefix: &'static str, limit| {
            let world = &world;
            async move {
                let (mut names, mut after) = (Vec::new(), None);
                loop {
                    let found = world
                        .files
                        .search(&world.bucket, prefix, text, after, limit)
                        .await
                        .unwrap();
                    names.extend(found.files.iter().map(|file| file.path.to_string()));
                    after = found.next;
                    if after.is_none() {
                        names.sort();
                        return names;
                    }
                }
            }
        };
        for limit in [1, 2, 100] {
            assert_eq!(
                search("blu", "", limit).await,
                [
                    "covers/Blue Train.jpg",
                    "covers/blue/blue.jpg",
                    "covers/blueprint.png",
                    "songs/1"
                ]
            );
            assert_eq!(
                search("TRAI blue", "", limit).await,
                ["covers/Blue Train.jpg"]
            );
            assert_eq!(
                search("blue jpg", "covers/blue/", limit).await,
                ["covers/blue/blue.jpg"]
            );
            assert_eq!(search("monday", "", limit).await, ["songs/1"]);
            assert!(search("nothing blue", "", limit).await.is_empty());
            assert!(search("/", "", limit).await.is_empty());
        }
        let put = world.delete("covers/blueprint.png").await.unwrap();
        assert!(search("blueprint", "", 10).await.is_empty());
        let by = base::Actor::user("anna");
        world
            .files
            .restore(&world.bucket, put.id, false, &by)
            .await
            .unwrap();
        assert_eq!(search("blueprint", "", 10).await, ["covers/blueprint.png"]);
        world
            .files
            .rename(
                (&world.bucket, &path("covers/blueprint.png")),
                (&world.bucket, &path("plans/house.png")),
                &files::Expect::default(),
                &crate::world::writer("anna"),
            )
            .await
            .unwrap();
        assert!(search("blueprint", "", 10).await.is_empty());
        assert_eq!(search("plan house", "", 10).await, ["plans/house.png"]);
        let described = files::Description {
            metadata: Some(Metadata::from_iter([("by".to_owned(), "Otto".into())])),
            ..files::Description::default()
        };
        world
            .files
            .describe(
                &world.bucket,
                &path("songs/1"),
                &files::Expect::default(),
                described,
                &base::Actor::user("otto"),
            )
            .await
            .unwrap();
        assert!(search("monday", "", 10).await.is_empty());
        assert_eq!(search("otto", "", 10).await, ["songs/1"]);
        world.close().await;
    })
    .await;
}
