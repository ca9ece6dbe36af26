//! Values by chance, the same in every run: such as a schema describes them, and now and
//! then such as it does not.

use super::Described;
use serde_json::{Map, Value, json};

/// How deep values go.
const DEEPEST: usize = 6;

/// Texts that somebody has stumbled over.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "a",
    "a name",
    "\0",
    "a\0b",
    "a\r\nb: c",
    "\u{1b}[31m",
    "../../etc/passwd",
    "C:\\x",
    "CON",
    "é",
    "e\u{301}",
    "\u{202e}gpj.exe",
    "😀",
    "\u{feff}",
    "\u{fffd}",
    "'; DROP TABLE operation; --",
    "%00%ff",
    "%",
    "null",
    "01900000-0000-7000-8000-000000000000",
];

/// Addresses that are no addresses, and some that are refused. None of them is asked for.
const ADDRESSES: [&str; 14] = [
    "http://10.0.0.1/a.jpg",
    "https://[::ffff:169.254.169.254]/latest",
    "http://0x7f.1:1/",
    "http://",
    "http:///a",
    "http://a b/c",
    "http://[::1",
    "http://10.0.0.1:99999/",
    "http://user:password@10.0.0.1/%00",
    "//10.0.0.1/a",
    "ftp://10.0.0.1/a",
    "file:///etc/passwd",
    "data:,a",
    "javascript:alert(1)",
];

/// Chance that begins with a seed.
pub(super) struct Dice {
    state: u64,
    address: Option<String>,
}

impl Dice {
    pub(super) const fn seeded(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            address: None,
        }
    }

    /// Where addresses lead that are asked for.
    pub(super) fn with_address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// A number below this one (xorshift64*).
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }

    pub(super) fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn text(&mut self) -> String {
        match self.below(24) {
            0 => "x".repeat(300),
            1 => "ä".repeat(5000),
            _ => self.one_of(&TEXTS).to_owned(),
        }
    }

    fn address(&mut self) -> String {
        match &self.address {
            Some(ours) if !self.state.is_multiple_of(3) => {
                let ours = ours.clone();
                format!("{ours}{}.jpg", self.below(1000))
            }
            _ => self.one_of(&ADDRESSES).to_owned(),
        }
    }

    /// A segment of a path, encoded so that a client sends it as it is.
    pub(super) fn segment(&mut self) -> String {
        let text = self.text();
        let encode = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        // An empty one would be another route.
        match text.as_str() {
            "" => "%20".to_owned(),
            text => text.bytes().take(200).map(encode).collect(),
        }
    }

    fn number(&mut self, schema: &Value) -> Value {
        let bound = |name: &str| schema[name].as_i64();
        match self.below(12) {
            0 => json!(-1),
            1 => json!(i64::MIN),
            2 => json!(u64::MAX),
            3 => json!(1e300),
            4 => json!(0.5),
            5 => json!(bound("maximum").unwrap_or(i64::MAX).saturating_add(1)),
            6 => json!(bound("maximum").unwrap_or(i64::MAX)),
            7 => json!(bound("minimum").unwrap_or(i64::MIN)),
            _ => json!(1 + self.below(3600)),
        }
    }

    /// Any value at all.
    fn any(&mut self) -> Value {
        match self.below(9) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => self.number(&Value::Null),
            3 | 4 => json!(self.text()),
            5 => json!([]),
            6 => json!({}),
            7 => json!([self.text(), self.below(9), [null_in_depth()]]),
            _ => json!({ (self.text()): self.text() }),
        }
    }

    /// A value as the schema describes it, as a rule.
    pub(super) fn value(&mut self, described: &Described, schema: &Value) -> Value {
        self.value_at(described, schema, 0)
    }

    fn value_at(&mut self, described: &Described, schema: &Value, depth: usize) -> Value {
        // The deeper, the more values there are, of which one is enough.
        if depth > DEEPEST || self.below(10 + 10 * depth) == 0 {
            return self.any();
        }
        let schema = described.resolved(schema);
        if let Some(values) = schema["enum"].as_array() {
            return values[self.below(values.len())].clone();
        }
        for word in ["oneOf", "anyOf"] {
            if let Some(ways) = schema[word].as_array() {
                let way = &ways[self.below(ways.len())];
                return self.value_at(described, way, depth + 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[self.below(kinds.len())].clone(),
            one => one.clone(),
        };
        match kind.as_str() {
            Some("object") => self.object(described, schema, depth),
            Some("array") => {
                let mut items = Vec::new();
                for _ in 0..self.below(5) {
                    items.push(self.value_at(described, &schema["items"], depth + 1));
                }
                json!(items)
            }
            Some("string") if self.below(2) == 0 => json!(self.address()),
            Some("string") => json!(self.text()),
            Some("integer" | "number") => self.number(schema),
            Some("boolean") => json!(self.below(2) == 0),
            Some("null") => Value::Null,
            _ => self.any(),
        }
    }

    fn object(&mut self, described: &Described, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let required = |name: &str| {
            let names = schema["required"].as_array();
            names.is_some_and(|names| names.iter().any(|one| one == name))
        };
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = if required(name) {
                self.below(24) != 0
            } else {
                self.below(3) == 0
            };
            if wanted {
                let value = self.value_at(described, inner, depth + 1);
                object.insert(name.clone(), value);
            }
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..self.below(3) {
                let inner = &schema["additionalProperties"];
                let value = self.value_at(described, inner, depth + 1);
                object.insert(self.text(), value);
            }
        } else if self.below(40) == 0 {
            object.insert("unheard_of".to_owned(), self.any());
        }
        Value::Object(object)
    }

    /// The value of a header of tus with which a request is likely to be a good one, where
    /// it needs that header: to begin (0), to go on (1), or to do so by another method (2).
    pub(super) fn tus_good(&mut self, name: &str, which: usize) -> Option<&'static str> {
        Some(match (name, which) {
            ("Tus-Resumable", _) => "1.0.0",
            ("Upload-Length", 0) => "30",
            ("Upload-Metadata", 0) => "path b2RkLnR4dA==",
            ("Upload-Offset", _) => "0",
            ("X-HTTP-Method-Override", _) => self.one_of(&["PATCH", "HEAD", "DELETE"]),
            _ => return None,
        })
    }

    /// A value of a header of tus, good or bad.
    pub(super) fn tus_header(&mut self, name: &str) -> Vec<u8> {
        const NUMBERS: [&str; 9] = [
            "0",
            "10",
            "20",
            "9223372036854775807",
            "18446744073709551616",
            "-1",
            "1e3",
            "",
            "0x10",
        ];
        if self.below(12) == 0 {
            return b"\xff\xfe odd".to_vec();
        }
        let value = match name {
            "Tus-Resumable" => self.one_of(&["1.0.0", "1.0.0", "1.0.0", "0.2.2", ""]),
            "Upload-Length" | "Upload-Offset" => self.one_of(&NUMBERS),
            "Upload-Defer-Length" => self.one_of(&["1", "1", "0", "yes"]),
            "Upload-Metadata" => self.one_of(&[
                "path b2RkLnR4dA==",
                "filename b2RkLnR4dA==,filetype dGV4dC9wbGFpbg==",
                "bucket ZmlsZXM=,path YS9iL2M=",
                "bucket bm93aGVyZQ==,path YQ==",
                "path Li4vLi4vYQ==",
                "path AA==",
                "path /w==",
                "path b2Rk,path b2Rk",
                "path ===",
                ",,",
                "path",
                "",
            ]),
            "Upload-Concat" => self.one_of(&[
                "partial",
                "final;",
                "final;/tus/a /tus/b",
                "final;http://10.0.0.1/tus/a",
                "whole",
            ]),
            "Upload-Checksum" => self.one_of(&[
                "sha1 AAAA",
                "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "crc32 AAAA",
                "md5",
                "",
            ]),
            "If-Match" | "If-None-Match" => self.one_of(&["*", "\"a\"", "W/\"a\"", "a", ""]),
            "X-HTTP-Method-Override" => {
                self.one_of(&["PATCH", "HEAD", "DELETE", "patch", "TRACE", "", "POST"])
            }
            _ => self.one_of(&["", "1", "odd"]),
        };
        value.as_bytes().to_vec()
    }
}

fn null_in_depth() -> Value {
    (0..20).fold(Value::Null, |inner, _| json!([inner]))
}
