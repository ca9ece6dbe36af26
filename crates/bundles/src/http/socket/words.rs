//! The words of the protocol: what is said of the sources that ended.

use serde::Deserialize;

/// What is said of the sources that ended, in lines of a log as they are sent live.
pub(super) fn finished_files(encoded: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Ended {
        #[serde(rename = "source")]
        _source: u64,
    }
    type Sent = (u64, i64, u8, String, Option<Ended>);
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        WithData(Sent),
        Plain(serde::de::IgnoredAny),
    }
    let json = [b"[", encoded, b"]"].concat();
    let lines: Vec<Line> = serde_json::from_slice(&json).unwrap_or_default();
    lines
        .into_iter()
        .filter_map(|line| match line {
            Line::WithData((_, _, _, text, Some(_))) => Some(text),
            Line::WithData(_) | Line::Plain(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_source_that_ended() {
        let lines = br#"[1,0,2,"Fetching 2 sources.",{"attempt":1,"sources":2}],[2,0,2,"a.jpg (3 bytes)",{"source":0,"state":"done"}]"#;
        assert_eq!(finished_files(lines), ["a.jpg (3 bytes)"]);
    }
}
