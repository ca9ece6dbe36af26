//! Which of the forms that there are a client prefers (RFC 9110 §12.5.3).

/// A form that the console's build writes beside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// As it stands in `Content-Encoding`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// As the file beside is called.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }

    /// What the client takes, the shortest form first. Weights only say no: of two
    /// that it takes, the shorter serves everybody better.
    pub(super) fn preferred<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let members: Vec<(String, bool)> = headers
            .flat_map(|text| text.split(','))
            .map(member)
            .collect();
        let takes = |name: &str| {
            let named = members.iter().find(|(coding, _)| coding == name);
            let any = members.iter().find(|(coding, _)| coding == "*");
            named.or(any).is_some_and(|(_, wanted)| *wanted)
        };
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .filter(|encoding| takes(encoding.name()))
            .collect()
    }
}

/// A coding and whether its weight is above zero.
fn member(text: &str) -> (String, bool) {
    let mut parts = text.split(';').map(str::trim);
    let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let wanted = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0));
    (coding, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_form_that_is_taken_comes_first() {
        use Encoding::{Brotli, Gzip};
        for (header, expected) in [
            ("gzip, deflate, br, zstd", vec![Brotli, Gzip]),
            ("gzip", vec![Gzip]),
            ("GZIP;q=0.5", vec![Gzip]),
            ("br;q=0, gzip", vec![Gzip]),
            ("br;q=0.001, gzip", vec![Brotli, Gzip]),
            ("*", vec![Brotli, Gzip]),
            ("*;q=0", vec![]),
            ("br, *;q=0", vec![Brotli]),
            ("gzip;q=0, *", vec![Brotli]),
            ("identity", vec![]),
            ("br;q=x", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                Encoding::preferred(std::iter::once(header)),
                expected,
                "{header}"
            );
        }
    }
}
