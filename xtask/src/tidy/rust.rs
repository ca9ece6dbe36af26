//! Rust source taken apart just far enough for the rules: its code without comments
//! and strings, its strings, and where its tests begin. No parser, and never more
//! than these three.

/// A string literal.
pub(crate) struct Literal {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Source, taken apart.
pub(crate) struct RustSource {
    /// The code, line by line, with comments and the insides of strings left out.
    pub(crate) code: Vec<String>,
    pub(crate) literals: Vec<Literal>,
    /// The line of the attribute before `mod tests {`, from 1.
    pub(crate) tests_begin: Option<usize>,
}

impl RustSource {
    pub(crate) fn new(text: &str) -> Self {
        let (code, literals) = Scanner::new(text).run();
        let code: Vec<String> = code.lines().map(str::to_owned).collect();
        let tests_begin = code
            .windows(2)
            .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod "))
            .map(|index| index + 1);
        Self {
            code,
            literals,
            tests_begin,
        }
    }

    /// Whether a line belongs to the tests at the end of the file.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests_begin.is_some_and(|begin| line >= begin)
    }
}

/// Walks over source once.
struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    code: String,
    literals: Vec<Literal>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
            code: String::with_capacity(text.len()),
            literals: Vec::new(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        if letter == '\n' {
            self.line += 1;
        }
        Some(letter)
    }

    fn skip(&mut self, letters: usize) {
        for _ in 0..letters {
            self.next();
        }
    }

    fn run(mut self) -> (String, Vec<Literal>) {
        while let Some(letter) = self.next() {
            match (letter, self.rest.peek().copied()) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(0, false),
                ('r', Some('"' | '#')) if !self.within_word() => self.raw_string(),
                ('\'', _) => self.quote(),
                _ => self.code.push(letter),
            }
        }
        (self.code, self.literals)
    }

    /// Whether what was just read continues a word, as the `r` of `for`; the `b` of
    /// `br"…"` does not count.
    fn within_word(&self) -> bool {
        let mut before = self.code.chars().rev();
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        match before.next() {
            Some('b' | 'c') => before.next().is_some_and(word),
            Some(letter) => word(letter),
            None => false,
        }
    }

    fn line_comment(&mut self) {
        while let Some(letter) = self.next() {
            if letter == '\n' {
                self.code.push('\n');
                return;
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        let mut last = '/';
        while let Some(letter) = self.next() {
            match (last, letter) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    if letter == '\n' {
                        self.code.push('\n');
                    }
                    last = letter;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
            last = ' ';
        }
    }

    /// `r"…"`, `r#"…"#`; or `r#word`, which is code.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.rest.peek() == Some(&'#') {
            self.next();
            hashes += 1;
        }
        if self.rest.peek() == Some(&'"') {
            self.next();
            self.string(hashes, true);
        } else {
            self.code.push('r');
        }
    }

    /// The inside of a string, after its opening quote.
    fn string(&mut self, hashes: usize, raw: bool) {
        let line = self.line;
        let mut text = String::new();
        self.code.push('"');
        while let Some(letter) = self.next() {
            if letter == '\n' {
                self.code.push('\n');
            }
            if letter == '\\' && !raw {
                if self.next() == Some('\n') {
                    self.code.push('\n');
                }
                text.push(' ');
            } else if letter == '"' && self.closes(hashes) {
                break;
            } else {
                text.push(letter);
            }
        }
        self.code.push('"');
        self.literals.push(Literal { line, text });
    }

    /// After a quote: whether the right number of `#` follows; takes them if so.
    fn closes(&mut self, hashes: usize) -> bool {
        let follow = self
            .rest
            .clone()
            .take(hashes)
            .filter(|letter| *letter == '#')
            .count();
        if follow == hashes {
            self.skip(hashes);
        }
        follow == hashes
    }

    /// A lifetime, or a character such as `'"'` whose quote opens no string.
    fn quote(&mut self) {
        let ahead: Vec<char> = self.rest.clone().take(2).collect();
        let length = match ahead.as_slice() {
            ['\\', _] => self
                .rest
                .clone()
                .skip(2)
                .position(|letter| letter == '\'')
                .map(|at| at + 3),
            [_, '\''] => Some(2),
            _ => None,
        };
        self.code.push('\'');
        self.skip(length.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source, the code that is left of it, and its strings.
    fn check(text: &str, code: &str, literals: &[&str]) {
        let source = RustSource::new(text);
        assert_eq!(source.code.join("\n"), code, "code of {text:?}");
        let found: Vec<&str> = source
            .literals
            .iter()
            .map(|literal| literal.text.as_str())
            .collect();
        assert_eq!(found, literals, "strings of {text:?}");
    }

    #[test]
    fn comments_and_strings_are_told_from_code() {
        check("a // b \"c\"\nd", "a \nd", &[]);
        check("a /* b /* c */ d */ e", "a  e", &[]);
        check("a(\"b // c\")", "a(\"\")", &["b // c"]);
        check(r#"a("b\"c")"#, "a(\"\")", &["b c"]);
        check("a(r#\"b\"c\"#)", "a(\"\")", &["b\"c"]);
        check("br\"x\"; for\"y\"", "b\"\"; for\"\"", &["x", "y"]);
        check("r#type", "rtype", &[]);
        check(
            "['\"', '\\'', '\\\\', '\\u{1b}'] \"x\"",
            "[', ', ', '] \"\"",
            &["x"],
        );
        check("fn a<'b>(c: &'b str) {}", "fn a<'b>(c: &'b str) {}", &[]);
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let source = RustSource::new("/*\n*/ \"a\nb\"\n\"c\"");
        let lines: Vec<usize> = source.literals.iter().map(|literal| literal.line).collect();
        assert_eq!(lines, [2, 4]);
        assert_eq!(source.code.len(), 4);
    }

    #[test]
    fn the_beginning_of_the_tests_is_found() {
        let source = RustSource::new("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(source.tests_begin, Some(3));
        assert!(!source.is_test(2) && source.is_test(4));
    }
}
