//! Whether HCL is laid out as `terraform fmt` would: two spaces a level, and the `=` of
//! neighbouring lines in one column. It is for machines without Terraform, so it asks
//! for less than that does, and never for anything else.

use super::tokens::{self, Kind, Token};

/// What is not in its place, by line.
pub(super) fn findings(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.contains('\t') || line.ends_with(' ') {
            found.push((index + 1, "a tab, or a space at the end".to_owned()));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push((
            text.lines().count(),
            "the last line does not end".to_owned(),
        ));
    }
    // What cannot be read is told by who reads it for its meaning.
    let Ok(tokens) = tokens::read(text) else {
        return found;
    };
    let lines: Vec<Line<'_>> = lines(&tokens);
    indentation(&lines, &mut found);
    alignment(text, &lines, &mut found);
    found.sort();
    found
}

/// A line that holds something.
struct Line<'a> {
    number: usize,
    tokens: &'a [Token],
}

impl Line<'_> {
    fn depth(&self) -> isize {
        self.tokens.iter().map(Token::depth).sum()
    }

    /// The first `=` that something stands before.
    fn equals(&self) -> Option<usize> {
        let at = self.tokens.iter().skip(1).position(|token| token.is("="))?;
        Some(at + 1)
    }

    /// The same, where what follows it ends in this line.
    fn assignment(&self) -> Option<usize> {
        let at = self.equals()?;
        let open: isize = self.tokens[at..].iter().map(Token::depth).sum();
        (open == 0).then_some(at)
    }
}

fn lines(tokens: &[Token]) -> Vec<Line<'_>> {
    tokens
        .split(|token| token.kind == Kind::LineEnd)
        .filter_map(|tokens| {
            let number = tokens.first()?.line;
            Some(Line { number, tokens })
        })
        .collect()
}

fn indentation(lines: &[Line<'_>], found: &mut Vec<(usize, String)>) {
    // How many brackets each level has opened: `([{` in one line is one level.
    let mut levels: Vec<isize> = Vec::new();
    for line in lines {
        let depth = line.depth();
        let mut closing = -depth;
        while closing > 0
            && let Some(open) = levels.pop()
        {
            if open > closing {
                levels.push(open - closing);
            }
            closing -= open;
        }
        let (is, should) = (line.tokens[0].column, 2 * levels.len());
        if is != should {
            found.push((line.number, format!("indented by {is}, not by {should}")));
        }
        if depth > 0 {
            levels.push(depth);
        }
    }
}

fn alignment(text: &str, lines: &[Line<'_>], found: &mut Vec<(usize, String)>) {
    let texts: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let letters = |line: &Line<'_>| texts.get(line.number - 1).map_or(&[][..], Vec::as_slice);
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let neighbours = rest
            .iter()
            .zip(first.number..)
            .take_while(|(line, number)| line.number == *number && line.assignment().is_some())
            .count();
        let group = &rest[..neighbours.max(1)];
        rest = &rest[group.len()..];
        let widest = group.iter().filter_map(|line| {
            let before = &letters(line)[..line.tokens[line.equals()?].column];
            Some(before.iter().rposition(|letter| *letter != ' ')? + 1)
        });
        let Some(column) = widest.max().map(|widest| widest + 1) else {
            continue;
        };
        for line in group {
            let Some(equals) = line.equals().map(|at| line.tokens[at].column) else {
                continue;
            };
            let after = &letters(line)[equals + 1..];
            if equals != column {
                found.push((
                    line.number,
                    format!("`=` in column {}, not {}", equals + 1, column + 1),
                ));
            } else if after.first() != Some(&' ') || after.get(1) == Some(&' ') {
                found.push((line.number, "one space stands after `=`".to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the lines that are not in their place.
    fn check(text: &str, expected: &[usize]) {
        let found = findings(text);
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, expected, "of\n{text}{found:?}");
    }

    #[test]
    fn two_spaces_stand_for_a_level() {
        check("a {\n  b = 1\n}\n", &[]);
        check("a {\n   b = 1\n}\n", &[2]);
        check("a {\n  b {\n  c = 1\n  }\n}\n", &[3]);
        check("a = f([{\n  b = 1\n}])\n", &[]);
        check("a = f([\n  {\n    b = 1\n  },\n])\n", &[]);
        check("a {\n# said\n}\n", &[2]);
    }

    #[test]
    fn neighbours_have_their_equals_in_one_column() {
        check("a   = 1\nbcd = 2\n", &[]);
        check("a = 1\nbcd = 2\n", &[1]);
        check("a    = 1\nbcd  = 2\n", &[1, 2]);
        check("a = 1\n\nbcd = 2\n", &[]);
        check("a = 1\n# said\nbcd = 2\n", &[]);
        check("é  = 1\nab = 2\n", &[]);
    }

    #[test]
    fn a_value_of_several_lines_stands_by_itself() {
        check("a = 1\nbcd = {\n  e = 1\n}\nfg = 2\n", &[]);
        check("a = 1\nbcd  = {\n}\n", &[2]);
        check("a   = { b = 1, c = 2 }\nbcd = 2\n", &[]);
    }

    #[test]
    fn spaces_after_equals_and_at_the_end_are_seen() {
        check("a =1\n", &[1]);
        check("a =  1\n", &[1]);
        check("a = 1 \n", &[1]);
        check("a = b == c ? d : e", &[1]);
    }
}
