//! The few documents of S3 that are read here. They are small, flat and a store's own;
//! what cannot be read is as good as absent.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Calls `each` with every element that holds text: its name, its text, and the name of
/// the element around it.
fn walk(text: &str, mut each: impl FnMut(&str, &str, &str)) {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                let name = String::from_utf8_lossy(name.as_ref()).into_owned();
                open.push((name, String::new()));
            }
            Ok(Event::Text(text)) => {
                if let (Some((_, held)), Ok(text)) = (open.last_mut(), text.decode()) {
                    held.push_str(&text);
                }
            }
            Ok(Event::CData(text)) => {
                if let (Some((_, held)), Ok(text)) = (open.last_mut(), text.decode()) {
                    held.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    _ => predefined(&reference),
                };
                if let (Some((_, held)), Some(character)) = (open.last_mut(), character) {
                    held.push(character);
                }
            }
            Ok(Event::End(_)) => {
                if let Some((name, held)) = open.pop() {
                    let around = open.last().map_or("", |(name, _)| name.as_str());
                    each(&name, &held, around);
                }
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn predefined(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    }
}

/// The text of the first element of this name.
pub(super) fn text_of(text: &str, wanted: &str) -> Option<String> {
    let mut found = None;
    walk(text, |name, held, _| {
        if name == wanted && found.is_none() {
            found = Some(held.to_owned());
        }
    });
    found
}

/// Code and message, where the document is that of an error.
pub(super) fn error_in(text: &str) -> Option<(String, String)> {
    let (mut code, mut message, mut is_error) = (None, None, false);
    walk(text, |name, held, around| match (around, name) {
        ("Error", "Code") => code = Some(held.to_owned()),
        ("Error", "Message") => message = Some(held.to_owned()),
        ("", "Error") => is_error = true,
        _ => {}
    });
    is_error.then(|| (code.unwrap_or_default(), message.unwrap_or_default()))
}

/// An object of a list, as it stands there.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: String,
    pub(super) etag: String,
    pub(super) last_modified: String,
}

/// The objects of a list; whether their keys are encoded, and whether there are more.
pub(super) fn objects_in(text: &str) -> (Vec<Listed>, bool, bool) {
    let (mut objects, mut encoded, mut more) = (Vec::new(), false, false);
    let mut next = Listed::default();
    walk(text, |name, held, around| match (around, name) {
        ("Contents", "Key") => held.clone_into(&mut next.key),
        ("Contents", "Size") => held.trim().clone_into(&mut next.size),
        ("Contents", "ETag") => held.trim().clone_into(&mut next.etag),
        ("Contents", "LastModified") => held.trim().clone_into(&mut next.last_modified),
        (_, "Contents") => objects.push(std::mem::take(&mut next)),
        (_, "EncodingType") => encoded = held.trim() == "url",
        (_, "IsTruncated") => more = held.trim() == "true",
        _ => {}
    });
    (objects, encoded, more)
}

/// The keys and ids of uploads in parts of a list; whether the keys are encoded.
pub(super) fn uploads_in(text: &str) -> (Vec<(String, String)>, bool) {
    let (mut uploads, mut encoded) = (Vec::new(), false);
    let (mut key, mut id) = (String::new(), String::new());
    walk(text, |name, held, around| match (around, name) {
        ("Upload", "Key") => held.clone_into(&mut key),
        ("Upload", "UploadId") => held.trim().clone_into(&mut id),
        (_, "Upload") => uploads.push((std::mem::take(&mut key), std::mem::take(&mut id))),
        (_, "EncodingType") => encoded = held.trim() == "url",
        _ => {}
    });
    (uploads, encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_everything_else() {
        let text = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>a &amp; b&#33;</Message></Error>";
        let error = error_in(text);
        assert_eq!(error, Some(("NoSuchKey".to_owned(), "a & b!".to_owned())));
        for other in ["", "<Error", "<a><Error><Code>x</Code></Error></a>", "text"] {
            assert_eq!(error_in(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_begun_in_parts_is_read_by_key_and_id() {
        let text = "<ListMultipartUploadsResult><Bucket>b</Bucket><KeyMarker/>\
            <NextKeyMarker>b</NextKeyMarker><IsTruncated>false</IsTruncated>\
            <Upload><Key>a+b%2Bc</Key><UploadId>u1</UploadId><Initiator><ID>i</ID></Initiator>\
            <Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>\
            <Upload><Key>b</Key><UploadId>u2</UploadId></Upload>\
            <EncodingType>url</EncodingType></ListMultipartUploadsResult>";
        let pair = |key: &str, id: &str| (key.to_owned(), id.to_owned());
        assert_eq!(
            uploads_in(text),
            (vec![pair("a+b%2Bc", "u1"), pair("b", "u2")], true)
        );
    }

    #[test]
    fn a_list_is_read_as_it_stands() {
        let text = "<ListBucketResult><Prefix>p</Prefix><EncodingType>url</EncodingType>\
            <IsTruncated>true</IsTruncated><Contents><Key>a+b%2Bc</Key>\
            <LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;x&quot;</ETag>\
            <Size>7</Size><Owner><ID>o</ID></Owner></Contents><Contents><Key>z</Key></Contents>\
            </ListBucketResult>";
        let (objects, encoded, more) = objects_in(text);
        assert!(encoded && more);
        assert_eq!(objects.len(), 2);
        assert_eq!((&*objects[0].key, &*objects[0].etag), ("a+b%2Bc", "\"x\""));
        assert_eq!((&*objects[1].key, &*objects[1].size), ("z", ""));
    }
}
