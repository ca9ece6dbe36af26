//! Writing HTML of which every text is escaped: the only way to put a text in is
//! [`Html::text`], and names of elements and attributes are the program's own.

/// HTML being written.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// An element with attributes and what `inside` writes.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            self.0.push(' ');
            self.0.push_str(attribute);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        inside(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element that holds a text.
    pub(super) fn tagged(&mut self, name: &'static str, text: &str) {
        self.element(name, &[], |html| html.text(text));
    }

    /// A text, escaped for between elements and within quotes alike.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// A link to an element of this page.
    pub(super) fn link_here(&mut self, id: &str, text: &str) {
        self.element("a", &[("href", &format!("#{id}"))], |html| html.text(text));
    }

    /// A text of which what stands between backticks is code.
    pub(super) fn prose(&mut self, text: &str) {
        for (at, part) in text.split('`').enumerate() {
            if at % 2 == 1 {
                self.tagged("code", part);
            } else {
                self.text(part);
            }
        }
    }

    /// Markup of the program's own.
    pub(super) fn fixed(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// The name of an element: letters, digits and dashes of a text.
pub(super) fn anchor(kind: &str, text: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    format!("{kind}-{}", text.chars().map(safe).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let bad = "<script>alert(\"1\")</script> & 'x' `</code>`";
        let mut html = Html::default();
        html.element("a", &[("href", bad)], |html| html.text(bad));
        html.prose(bad);
        html.tagged("td", bad);
        let text = html.finish();
        for markup in ["<script", "</script", "\"1\"", "'x'"] {
            assert!(!text.contains(markup), "{markup}: {text}");
        }
        assert_eq!(text.matches("&lt;script&gt;").count(), 4);
        assert!(text.contains("<code>&lt;/code&gt;</code>"));
        assert_eq!(anchor("op", "a b\"c<é"), "op-a-b-c--");
    }
}
