//! Which bodies are worth deflating. Compressed media stays as it is: deflating it
//! costs 16 CPU seconds a gigabyte and gains nothing.

use crate::name::EntryName;

/// What happens to a body that is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Store,
    /// Deflated where that makes it shorter.
    Deflate,
}

impl Packing {
    /// The packing for a file of this name and `Content-Type`.
    #[must_use]
    pub fn suited(name: &EntryName, content_type: Option<&str>) -> Self {
        if is_compressible(name, content_type) {
            Self::Deflate
        } else {
            Self::Store
        }
    }
}

/// Extensions of what deflate shortens well.
const EXTENSIONS: &str = " ai asc bat bmp c cc cfg conf cpp cs css csv dcm dng doc dxf eml eps exe \
dll fbx geojson glb gltf go gpx h hpp htm html ico ics ifc ini iso java js json jsonl kml less log \
lua m map md mjs mobi obj otf pl plist pot po ppm ppt ps psd py r rb rs rst rtf scss sh sql \
srt stl sub svg tar tcl tex tif tiff toml topojson tsv ttf txt vcf vtt wasm wav xhtml xls xml \
xsd xsl yaml yml ";

/// Extensions that say nothing, or two things (`ts`), so that the type decides.
const NEUTRAL: &str = " bin dat data php asp aspx jsp cgi ts ";

/// Whether deflate is likely to shorten a file. The name decides where it has a
/// known extension, because servers often send a general type.
#[must_use]
pub fn is_compressible(name: &EntryName, content_type: Option<&str>) -> bool {
    let extension = name.extension().to_ascii_lowercase();
    let listed = |list: &str| list.contains(&format!(" {extension} "));
    if extension.is_empty() || listed(NEUTRAL) {
        return content_type.is_some_and(is_compressible_type);
    }
    listed(EXTENSIONS)
}

fn is_compressible_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/x-ndjson"
                | "application/yaml"
                | "application/x-tar"
                | "application/rtf"
                | "application/wasm"
                | "application/sql"
                | "application/postscript"
                | "image/bmp"
                | "image/tiff"
                | "image/x-icon"
                | "image/vnd.adobe.photoshop"
                | "audio/wav"
                | "audio/x-wav"
                | "font/ttf"
                | "font/otf"
                | "model/gltf-binary"
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn check(name: &str, content_type: Option<&str>, expected: bool) {
        let name = EntryName::from_path(name).unwrap();
        assert_eq!(
            is_compressible(&name, content_type),
            expected,
            "{name} {content_type:?}"
        );
    }

    #[test]
    fn compressed_media_is_stored() {
        for name in [
            "a.jpg", "a.PNG", "a.webp", "a.mp4", "a.zip", "a.tar.gz", "a.woff2", "a.docx",
        ] {
            check(name, Some("text/plain"), false);
        }
    }

    #[test]
    fn text_and_raw_pixels_are_deflated() {
        for name in [
            "a.svg",
            "a.txt",
            "a.json",
            "a.HTML",
            "a.bmp",
            "a.wav",
            "d.jpg/a.csv",
        ] {
            check(name, None, true);
        }
    }

    #[test]
    fn the_type_decides_where_the_name_says_nothing() {
        check("README", Some("text/plain; charset=utf-8"), true);
        check("feed", Some("application/rss+xml"), true);
        check("image.php", Some("image/jpeg"), false);
        check("movie.ts", Some("video/mp2t"), false);
        check("main.ts", Some("text/typescript"), true);
        check("blob", Some("application/octet-stream"), false);
        check("blob", None, false);
    }
}
