//! A form in a body (`multipart/form-data`), taken apart.

use super::wire::find;
use std::collections::HashMap;

/// The fields of a form, and its file.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) fields: HashMap<String, String>,
    pub(super) file: Option<File>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) content: Vec<u8>,
}

impl Form {
    /// Reads a body of this type; nothing where it is no form.
    pub(super) fn read(content_type: &str, body: &[u8]) -> Option<Self> {
        let (_, boundary) = content_type.split_once("boundary=")?;
        let boundary = boundary.split(';').next()?.trim().trim_matches('"');
        let (begin, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
        let mut rest = body.get(find(body, begin.as_bytes())? + begin.len()..)?;
        let mut form = Self::default();
        while let Some(part) = rest.strip_prefix(b"\r\n") {
            let end = find(part, between.as_bytes())?;
            form.add(&part[..end])?;
            rest = &part[end + between.len()..];
        }
        // Without its end it is only a part of a form.
        rest.starts_with(b"--").then_some(form)
    }

    fn add(&mut self, part: &[u8]) -> Option<()> {
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let content = &part[end + 4..];
        let line = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            let line = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
            line.map(|(_, value)| value.trim().to_owned())
        };
        let disposition = line("content-disposition")?;
        let value = |name: &str| {
            let (_, rest) = disposition.split_once(&format!("; {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let name = value("name")?;
        match value("filename") {
            Some(filename) => {
                self.file = Some(File {
                    name: filename,
                    media_type: line("content-type").unwrap_or_default(),
                    content: content.to_vec(),
                });
            }
            None => {
                let text = String::from_utf8_lossy(content).into_owned();
                self.fields.insert(name, text);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart_and_a_part_of_one_is_none() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\na\r\n--x\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"b.png\"\r\n\
            Content-Type: image/png\r\n\r\n\r\n--\r\n\r\n--x--\r\n";
        let form = Form::read("multipart/form-data; boundary=x", body.as_bytes());
        let form = form.expect("it is a form");
        assert_eq!(form.fields.get("id").map(String::as_str), Some("a"));
        let file = form.file.expect("it has a file");
        assert_eq!(
            (file.name.as_str(), file.media_type.as_str()),
            ("b.png", "image/png")
        );
        assert_eq!(file.content, b"\r\n--\r\n");
        let part = &body.as_bytes()[..body.len() - 6];
        assert!(Form::read("multipart/form-data; boundary=x", part).is_none());
    }
}
