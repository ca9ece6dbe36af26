//! Buckets: made, changed, found by name and host, removed.

use crate::world::World;
use access::Doer;
use files::{BucketChange, Error, NewBucket};
use testing::on_both;

fn new(name: &str, hosts: &[&str]) -> NewBucket {
    NewBucket {
        name: name.to_owned(),
        storage: None,
        settings: BucketChange {
            hosts: Some(hosts.iter().map(|host| (*host).to_owned()).collect()),
            ..BucketChange::default()
        },
    }
}

#[tokio::test]
async fn a_bucket_is_found_by_its_name_and_its_hosts() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let by = Doer::host();
        let made = world
            .files
            .create_bucket(&by, new("covers", &["Covers.Example.org", "c.localhost"]))
            .await
            .unwrap();
        assert_eq!(world.files.bucket("covers").unwrap().id, made.id);
        for host in [
            "covers.example.org",
            "COVERS.example.org:8011",
            "c.localhost",
        ] {
            let found = world.files.bucket_of_host(host).unwrap();
            assert_eq!(found.id, made.id, "{host}");
        }
        assert!(world.files.bucket_of_host("example.org").is_none());
        assert!(world.files.bucket_of_host("files.localhost:8011").is_some());
        let taken = world
            .files
            .create_bucket(&by, new("more", &["c.localhost"]))
            .await;
        assert!(matches!(taken, Err(Error::HostTaken(_))));
        assert!(world.files.bucket("more").is_err());
        let again = world.files.create_bucket(&by, new("covers", &[])).await;
        assert!(matches!(again, Err(Error::BucketExists(_))));
        let moved = BucketChange {
            hosts: Some(vec!["other.localhost".to_owned()]),
            ..BucketChange::default()
        };
        world.files.change_bucket(&by, &made, moved).await.unwrap();
        assert!(world.files.bucket_of_host("c.localhost").is_none());
        assert!(world.files.bucket_of_host("other.localhost").is_some());
        world.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_bucket_goes_when_nothing_is_in_it_and_stays_gone() {
    on_both(|database| async move {
        let world = World::open(&database).await;
        let by = Doer::host();
        let put = world.put("a", "hello").await;
        let full = world.files.delete_bucket(&by, &world.bucket).await;
        assert!(matches!(full, Err(Error::BucketNotEmpty)));
        world.delete("a").await.unwrap();
        let trash = world.files.delete_bucket(&by, &world.bucket).await;
        assert!(matches!(trash, Err(Error::BucketNotEmpty)));
        world.files.purge(&world.bucket, put.id).await.unwrap();
        world.files.delete_bucket(&by, &world.bucket).await.unwrap();
        assert!(world.files.all_buckets().is_empty());
        // Whoever still holds it cannot put anything into it.
        let refused = world
            .try_put(files::NewFile::at(crate::world::path("b")), "x")
            .await;
        assert!(matches!(refused, Err(Error::NoBucket(_))), "{refused:?}");
        assert_eq!(world.on_disk(), 0);
        world.close().await;
    })
    .await;
}
