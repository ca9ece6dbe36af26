//! HCL taken apart into tokens: words, texts, signs, comments, ends of lines.
//!
//! As much of the language as this project writes: quoted texts with `${…}` inside,
//! comments of all three kinds. Here-documents are refused, so that no rule need know
//! about them.

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, keyword or number.
    Word(String),
    /// A quoted text: what stands between the quotes, and the tokens of its `${…}`.
    Text(String, Vec<Token>),
    /// A bracket, a dot, an operator.
    Sign(&'static str),
    Comment,
    LineEnd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// From 1.
    pub(super) line: usize,
    /// Letters before it in its line.
    pub(super) column: usize,
}

impl Token {
    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self.kind, Kind::Sign(own) if own == sign)
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// How much deeper the brackets are after it.
    pub(super) fn depth(&self) -> isize {
        match self.kind {
            Kind::Sign("(" | "[" | "{") => 1,
            Kind::Sign(")" | "]" | "}") => -1,
            _ => 0,
        }
    }
}

/// Longest first, so that `==` is not two `=`.
const SIGNS: [&str; 30] = [
    "...", "==", "!=", ">=", "<=", "=>", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ".", ":",
    "?", "=", "+", "-", "*", "/", "%", "!", "<", ">", "&", "|", "@",
];

/// Where and why a text is no HCL.
pub(super) type Unreadable = (usize, String);

/// All tokens of a file.
pub(super) fn read(text: &str) -> Result<Vec<Token>, Unreadable> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        column: 0,
    };
    reader.tokens(false)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    /// Tokens to the end of the file, or to the `}` that closes a `${`.
    fn tokens(&mut self, inside_text: bool) -> Result<Vec<Token>, Unreadable> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut depth = 0;
        while let Some(letter) = self.rest.chars().next() {
            let (line, column) = (self.line, self.column);
            if inside_text && depth == 0 && letter == '}' {
                self.take(1);
                return Ok(tokens);
            }
            let Some(kind) = self.token(letter)? else {
                continue;
            };
            let token = Token { kind, line, column };
            depth += token.depth();
            tokens.push(token);
        }
        if inside_text {
            return Err((self.line, "a `${` is not closed".to_owned()));
        }
        Ok(tokens)
    }

    /// The next token, or nothing where there is only space.
    fn token(&mut self, letter: char) -> Result<Option<Kind>, Unreadable> {
        let kind = match letter {
            '\n' => {
                self.take(1);
                Kind::LineEnd
            }
            letter if letter.is_whitespace() => {
                self.take(1);
                return Ok(None);
            }
            '"' => self.text()?,
            '#' => self.comment("\n")?,
            '/' if self.rest.starts_with("//") => self.comment("\n")?,
            '/' if self.rest.starts_with("/*") => self.comment("*/")?,
            '<' if self.rest.starts_with("<<") => {
                return Err((
                    self.line,
                    "here-documents are not used here: jsonencode, or a data source".to_owned(),
                ));
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                // A hyphen belongs to a name, and to a number never.
                let hyphen = !letter.is_ascii_digit();
                let word = self.take_while(|letter| {
                    letter.is_alphanumeric() || letter == '_' || (hyphen && letter == '-')
                });
                Kind::Word(word.to_owned())
            }
            other => {
                let sign = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| (self.line, format!("`{other}` is no HCL")))?;
                self.take(sign.len());
                Kind::Sign(sign)
            }
        };
        Ok(Some(kind))
    }

    /// A comment; one of a line leaves the end of the line where it is.
    fn comment(&mut self, end: &str) -> Result<Kind, Unreadable> {
        let length = match (self.rest.find(end), end) {
            (Some(at), "\n") => at,
            (Some(at), _) => at + end.len(),
            (None, "\n") => self.rest.len(),
            (None, _) => return Err((self.line, "a comment is not closed".to_owned())),
        };
        self.take(length);
        Ok(Kind::Comment)
    }

    fn text(&mut self) -> Result<Kind, Unreadable> {
        let begun = self.line;
        let whole = self.rest;
        self.take(1);
        let mut inside = Vec::new();
        loop {
            let Some(letter) = self.rest.chars().next().filter(|letter| *letter != '\n') else {
                return Err((begun, "a text is not closed in its line".to_owned()));
            };
            if letter == '"' {
                let length = whole.len() - self.rest.len();
                self.take(1);
                return Ok(Kind::Text(whole[1..length].to_owned(), inside));
            }
            if self.rest.starts_with("$${") || self.rest.starts_with("%%{") {
                self.take(3);
            } else if self.rest.starts_with("${") || self.rest.starts_with("%{") {
                self.take(2);
                inside.extend(self.tokens(true)?);
            } else if letter == '\\' {
                self.take(1);
                let next = self.rest.chars().next().map_or(0, char::len_utf8);
                self.take(next);
            } else {
                self.take(letter.len_utf8());
            }
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|letter| !belongs(letter));
        self.take(length.unwrap_or(self.rest.len()))
    }

    /// Goes on by so many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        for letter in taken.chars() {
            if letter == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts in quotes, signs as they are, comments as `#`, ends of lines as `;`.
    fn check(text: &str, expected: &str) {
        let tokens = read(text).expect("it can be read");
        let shown: Vec<String> = tokens.iter().map(shown).collect();
        assert_eq!(shown.join(" "), expected, "of {text:?}");
    }

    fn shown(token: &Token) -> String {
        match &token.kind {
            Kind::Word(word) => word.clone(),
            Kind::Text(text, _) => format!("'{text}'"),
            Kind::Sign(sign) => (*sign).to_owned(),
            Kind::Comment => "#".to_owned(),
            Kind::LineEnd => ";".to_owned(),
        }
    }

    #[test]
    fn words_texts_signs_and_comments_are_told_apart() {
        check("a = 1 # no\n", "a = 1 # ;");
        check("a.b[*].c-d == 2", "a . b [ * ] . c-d == 2");
        check("x => y // z", "x => y #");
        check("/* a\n b */ c", "# c");
        check(r#"a = "b \" # c""#, r#"a = 'b \" # c'"#);
        check("n = 5-1", "n = 5 - 1");
    }

    #[test]
    fn a_text_may_hold_code_that_holds_a_text() {
        let tokens = read(r#""a ${f("}", var.b)} c" d"#).expect("it can be read");
        let Kind::Text(text, inside) = &tokens[0].kind else {
            panic!("no text: {tokens:?}");
        };
        assert_eq!(text, r#"a ${f("}", var.b)} c"#);
        assert!(inside.iter().any(|token| token.word() == Some("b")));
        assert_eq!(tokens[1].word(), Some("d"));
        check(r#""$${not.code}""#, "'$${not.code}'");
    }

    #[test]
    fn what_is_not_closed_is_refused_with_its_line() {
        for text in ["\n\"a", "\n\"${a", "\n/* a", "\na = <<E\nE\n", "\n;"] {
            let (line, _) = read(text).expect_err(text);
            assert_eq!(line, 2, "of {text:?}");
        }
    }
}
