//! A form with one file in it, of which only what stands around the file is made here.

use bytes::Bytes;
use uuid::Uuid;

/// What stands before and after the file.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) before: Bytes,
    pub(super) after: Bytes,
}

impl Form {
    /// A form with these fields and then the file `name`, of a media type.
    pub(super) fn new(fields: &[(&str, &str)], name: &str, media_type: &str) -> Self {
        // Of a time and 74 random bits: no file holds it by accident.
        let boundary = format!("longshore-{}", Uuid::now_v7().simple());
        let mut before = String::new();
        for (field, value) in fields {
            before.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            ));
        }
        let name = quoted(name);
        let is_one =
            !media_type.is_empty() && media_type.bytes().all(|byte| byte.is_ascii_graphic());
        let media_type = if is_one {
            media_type
        } else {
            "application/octet-stream"
        };
        before.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {media_type}\r\n\r\n"
        ));
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            before: before.into(),
            after: format!("\r\n--{boundary}--\r\n").into(),
        }
    }
}

/// A file name as browsers write it into a form.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '"' => quoted.push_str("%22"),
            '\r' => quoted.push_str("%0D"),
            '\n' => quoted.push_str("%0A"),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_form() {
        let form = Form::new(&[("id", "a")], "x\"\r\nA: b", "image/png");
        let before = String::from_utf8_lossy(&form.before).into_owned();
        assert!(
            before.contains("filename=\"x%22%0D%0AA: b\"\r\n"),
            "{before}"
        );
        let form = Form::new(&[], "x", "image/png\r\nA: b");
        let before = String::from_utf8_lossy(&form.before).into_owned();
        assert!(
            before.contains("Content-Type: application/octet-stream\r\n"),
            "{before}"
        );
    }
}
