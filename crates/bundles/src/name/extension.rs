//! Extensions: where a name ends and its extension begins, and which extension
//! a media type usually has.

/// Longer endings are part of the name, not an extension.
const MAX_EXTENSION: usize = 16;

/// What is packed once more keeps both endings: `.tar.gz`.
const PACKINGS: [&str; 9] = ["gz", "bz2", "xz", "zst", "lz", "lz4", "lzma", "br", "z"];

/// The name without its extension, and the extension with its dot (or empty).
/// `a.tar.gz` is `a` and `.tar.gz`; `.profile` has no extension.
pub(super) fn split(name: &str) -> (&str, &str) {
    let Some(dot) = extension_dot(name) else {
        return (name, "");
    };
    let (stem, extension) = name.split_at(dot);
    let packed = PACKINGS
        .iter()
        .any(|p| extension[1..].eq_ignore_ascii_case(p));
    match extension_dot(stem) {
        Some(inner) if packed && stem[inner + 1..].eq_ignore_ascii_case("tar") => {
            name.split_at(inner)
        }
        _ => (stem, extension),
    }
}

/// The last extension without its dot.
pub(super) fn last(name: &str) -> Option<&str> {
    extension_dot(name).map(|dot| &name[dot + 1..])
}

fn extension_dot(name: &str) -> Option<usize> {
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let extension = &name[dot + 1..];
    let sound = !extension.is_empty()
        && extension.len() <= MAX_EXTENSION
        && !extension.contains(char::is_whitespace);
    sound.then_some(dot)
}

/// The usual extension of a `Content-Type` (parameters are ignored), without a
/// dot. Nothing for `application/octet-stream` and for types not listed here.
pub(super) fn of_content_type(content_type: &str) -> Option<&'static str> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let usual = match essence.as_str() {
        "application/epub+zip" => "epub",
        "application/gzip" | "application/x-gzip" => "gz",
        "application/java-archive" => "jar",
        "application/javascript" | "text/javascript" => "js",
        "application/json" => "json",
        "application/msword" => "doc",
        "application/pdf" => "pdf",
        "application/postscript" => "ps",
        "application/rtf" | "text/rtf" => "rtf",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.oasis.opendocument.spreadsheet" => "ods",
        "application/vnd.oasis.opendocument.text" => "odt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.rar" | "application/x-rar-compressed" => "rar",
        "application/wasm" => "wasm",
        "application/x-7z-compressed" => "7z",
        "application/x-bzip2" => "bz2",
        "application/x-tar" => "tar",
        "application/x-xz" => "xz",
        "application/xhtml+xml" => "xhtml",
        "application/xml" | "text/xml" => "xml",
        "application/yaml" | "text/yaml" => "yaml",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/zstd" => "zst",
        "audio/aac" => "aac",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/midi" => "mid",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "audio/opus" => "opus",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/webm" => "weba",
        "font/otf" => "otf",
        "font/ttf" => "ttf",
        "font/woff" => "woff",
        "font/woff2" => "woff2",
        "image/apng" => "apng",
        "image/avif" => "avif",
        "image/bmp" => "bmp",
        "image/gif" => "gif",
        "image/heic" => "heic",
        "image/heif" => "heif",
        "image/jp2" => "jp2",
        "image/jpeg" | "image/jpg" | "image/pjpeg" => "jpg",
        "image/jxl" => "jxl",
        "image/png" => "png",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "image/vnd.adobe.photoshop" => "psd",
        "image/vnd.microsoft.icon" | "image/x-icon" => "ico",
        "image/webp" => "webp",
        "model/gltf-binary" => "glb",
        "text/calendar" => "ics",
        "text/css" => "css",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        "text/plain" => "txt",
        "text/vtt" => "vtt",
        "video/3gpp" => "3gp",
        "video/mp2t" => "ts",
        "video/mp4" => "mp4",
        "video/mpeg" => "mpg",
        "video/ogg" => "ogv",
        "video/quicktime" => "mov",
        "video/webm" => "webm",
        "video/x-matroska" => "mkv",
        "video/x-ms-wmv" => "wmv",
        "video/x-msvideo" => "avi",
        _ => return None,
    };
    Some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_extensions_stay_together_only_for_packed_archives() {
        assert_eq!(split("a.tar.gz"), ("a", ".tar.gz"));
        assert_eq!(split("A.TAR.XZ"), ("A", ".TAR.XZ"));
        assert_eq!(split("a.b.gz"), ("a.b", ".gz"));
        assert_eq!(split("a.tar.jpg"), ("a.tar", ".jpg"));
        assert_eq!(split(".tar.gz"), (".tar", ".gz"));
    }

    #[test]
    fn hidden_files_and_sentences_have_no_extension() {
        assert_eq!(split(".profile"), (".profile", ""));
        assert_eq!(split("Mr. Smith goes"), ("Mr. Smith goes", ""));
        assert_eq!(split("a.abcdefghijklmnopq"), ("a.abcdefghijklmnopq", ""));
    }

    #[test]
    fn a_type_gives_its_most_usual_extension() {
        assert_eq!(of_content_type("image/jpeg"), Some("jpg"));
        assert_eq!(of_content_type("IMAGE/JPEG; q=1"), Some("jpg"));
        assert_eq!(of_content_type("application/octet-stream"), None);
        assert_eq!(of_content_type("application/epub+zip"), Some("epub"));
        assert_eq!(of_content_type("x/y"), None);
    }
}
