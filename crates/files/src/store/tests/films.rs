//! What films say of themselves is taken from their bytes as they pass.

use super::*;

/// A box: its length, its kind, what is in it.
fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("it is small");
    [&length.to_be_bytes()[..], kind, content].concat()
}

/// What a film says that was taken at 2024-05-06T07:08:09Z.
fn says() -> Vec<u8> {
    // From 1904, which these files count from.
    let when = (2_082_844_800_u32 + 1_714_979_289).to_be_bytes();
    let head = [&[0; 4], &when, &when, &1000_u32.to_be_bytes()[..], &[0; 84]].concat();
    boxed(b"moov", &boxed(b"mvhd", &head))
}

#[tokio::test]
async fn a_film_is_not_read_again_from_the_store_while_others_wait_for_its_path() {
    on_both(|database| async move {
        let Some((quay, gate)) = Quay::gated(&database, BucketChange::default()).await else {
            return;
        };
        let kind = boxed(b"ftyp", b"mp42\0\0\0\0mp42isom");
        // In one request, and in several parts.
        for length in [1 << 20, 9 << 20] {
            let pictures = boxed(b"mdat", &vec![7; length]);
            let film = [kind.clone(), pictures, says()].concat();
            let file = quay.put("film.mp4", &film).await;
            assert_eq!(file.sniffed_type, "video/mp4");
            let taken = file.taken_at.map(|taken| taken.micros());
            assert_eq!(taken, Some(1_714_979_289_000_000), "{length}");
            let known = quay.files.file(&quay.bucket, &path("film.mp4")).await;
            assert_eq!(known.expect("there").taken_at, file.taken_at);
        }
        let heads = gate.heads();
        let read = heads
            .iter()
            .find(|head| head.starts_with("get /harbour/team/film"));
        assert_eq!(read, None, "it was put, and not read");
    })
    .await;
}
