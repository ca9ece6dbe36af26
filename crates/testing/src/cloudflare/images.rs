//! Images: pictures by ids that are taken once.

use super::Shared;
use super::pieces::Form;
use super::store::{Added, Store, StoredImage, id};
use super::wire::{Connection, Head, Reply};
use serde_json::{Value, json};
use std::io;

/// The largest picture, in bytes, and what stands around it.
const MOST: usize = 10 * 1000 * 1000;
const AROUND: usize = 64 * 1024;
const MOST_META: usize = 1024;
const PIECE: usize = 64 * 1024;

pub(super) async fn create(
    head: &Head,
    connection: &mut Connection,
    shared: &Shared,
) -> io::Result<Reply> {
    let half = connection.left().unwrap_or(0) / 2;
    let (mut body, mut passed, mut fits) = (Vec::new(), false, true);
    while let Some(piece) = connection.piece(PIECE).await? {
        fits &= body.len() + piece.len() <= MOST + AROUND;
        if fits {
            body.extend(piece);
        }
        if !passed && body.len() as u64 >= half {
            passed = true;
            shared.faults.moment().await?;
        }
    }
    if !fits {
        return Ok(Reply::text(413, "ERROR 5413: Request entity too large"));
    }
    let form = Form::read(head.header("content-type").unwrap_or_default(), &body);
    Ok(match form {
        Some(form) => made(form, &shared.store),
        None => Reply::error(400, 5400, "Bad request: The form could not be decoded"),
    })
}

fn made(form: Form, store: &Store) -> Reply {
    let bad = |message: &str| Reply::error(400, 5400, &format!("Bad request: {message}"));
    let Some(file) = form.file else {
        return bad("No image was provided");
    };
    if file.content.len() > MOST {
        return Reply::error(413, 5413, "The image is too large");
    }
    if !file.media_type.starts_with("image/") {
        return Reply::text(
            415,
            "ERROR 5455: Uploaded image must have image/jpeg, image/png, image/webp, image/gif, image/svg+xml or image/heic content-type",
        );
    }
    let custom = form.fields.get("id");
    let signed = form
        .fields
        .get("requireSignedURLs")
        .is_some_and(|value| value == "true");
    if let Some(custom) = custom {
        if signed {
            return bad("Images with a custom id cannot require signed URLs");
        }
        if custom.is_empty() || custom.chars().count() > 1024 {
            return bad("The id must have 1 to 1024 characters");
        }
        if custom.starts_with('/') || custom.ends_with('/') {
            return bad("The id must not start or end with a slash");
        }
        if uuid::Uuid::try_parse(custom).is_ok() {
            return bad("The id must not be a UUID");
        }
    }
    let beside = form.fields.get("metadata").map_or("{}", String::as_str);
    let Some(meta) = serde_json::from_str::<Value>(beside)
        .ok()
        .filter(Value::is_object)
    else {
        return bad("The metadata is no JSON object");
    };
    if beside.len() > MOST_META {
        return bad("The metadata has more than 1024 bytes");
    }
    let image = StoredImage {
        id: custom.cloned().unwrap_or_else(id),
        filename: file.name,
        size: file.content.len() as u64,
        sha256: String::new(),
        meta,
        signed,
        creator: form.fields.get("creator").cloned(),
    };
    match store.add_image(image.clone(), &file.content) {
        Added::New => Reply::result(shown(&image)),
        Added::Exists => Reply::error(409, 5409, "Resource already exists."),
    }
}

fn shown(image: &StoredImage) -> Value {
    let path = &image.id;
    json!({
        "id": image.id,
        "filename": image.filename,
        "creator": image.creator,
        "meta": image.meta,
        "uploaded": "2026-01-01T00:00:00.000Z",
        "requireSignedURLs": image.signed,
        "variants": [format!("https://imagedelivery.net/hash/{path}/public")],
    })
}

fn missing() -> Reply {
    Reply::error(404, 5404, "Image not found")
}

pub(super) fn get(id: &str, store: &Store) -> Reply {
    store
        .image(id)
        .map_or_else(missing, |image| Reply::result(shown(&image)))
}

pub(super) fn blob(id: &str, store: &Store) -> Reply {
    let Some(content) = store.blob(id) else {
        return missing();
    };
    Reply {
        body: content,
        ..Reply::empty(200)
    }
    .header("Content-Type", "image/png")
}

pub(super) fn delete(id: &str, store: &Store) -> Reply {
    if store.remove_image(id) {
        Reply::result(json!({}))
    } else {
        missing()
    }
}

pub(super) fn list(head: &Head, store: &Store) -> Reply {
    let per_page = head.parameter("per_page");
    let per_page = per_page.map_or(Ok(1000), |text| text.parse::<usize>());
    let Some(per_page) = per_page.ok().filter(|count| (10..=10_000).contains(count)) else {
        return Reply::error(
            400,
            5400,
            "Bad request: per_page must be between 10 and 10000",
        );
    };
    let filters: Vec<(String, String)> = head
        .parameters()
        .into_iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("meta.")?.strip_suffix("[eq]")?;
            Some((key.to_owned(), value))
        })
        .collect();
    let wanted = |image: &StoredImage| {
        let is = |(key, value): &(String, String)| match &image.meta[key.as_str()] {
            Value::String(text) => text == value,
            other => value.parse().is_ok_and(|value: Value| value == *other),
        };
        filters.iter().all(is)
    };
    let from = head.parameter("continuation_token");
    let from: usize = from.and_then(|text| text.parse().ok()).unwrap_or(0);
    let images: Vec<_> = store.images_by_age().into_iter().filter(wanted).collect();
    let page: Vec<_> = images.iter().skip(from).take(per_page).map(shown).collect();
    let next = (from + page.len() < images.len()).then(|| (from + page.len()).to_string());
    Reply::result(json!({ "images": page, "continuation_token": next }))
}
