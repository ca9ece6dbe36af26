//! HCL as blocks and attributes. Values stay tokens: nothing is computed.

use super::tokens::{self, Kind, Token, Unreadable};

/// What stands in a file, or between the braces of a block.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: Vec<Token>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
    pub(super) line: usize,
    pub(super) body: Body,
}

impl Body {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let tokens = tokens::read(text)?;
        let mut parser = Parser {
            tokens: &tokens,
            at: 0,
        };
        let body = parser.body()?;
        match parser.peek() {
            None => Ok(body),
            Some(token) => Err((token.line, "a bracket closes nothing".to_owned())),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// Everything that is named in it, in all its blocks: `var.name` as two words.
    pub(super) fn names(&self) -> Vec<Vec<&str>> {
        let mut names: Vec<Vec<&str>> = self
            .attributes
            .iter()
            .flat_map(|attribute| dotted(&attribute.value))
            .collect();
        names.extend(self.blocks.iter().flat_map(|block| block.body.names()));
        names
    }
}

impl Attribute {
    /// The text that it is, if it is one without anything to compute.
    pub(super) fn text(&self) -> Option<&str> {
        match self.value.as_slice() {
            [token] => match &token.kind {
                Kind::Text(text, inside) if inside.is_empty() => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The keys of the object that it is.
    pub(super) fn keys(&self) -> Vec<&str> {
        let mut depth = 0;
        let mut keys = Vec::new();
        for (index, token) in self.value.iter().enumerate() {
            let next_is_equals = self.value.get(index + 1).is_some_and(|next| next.is("="));
            if depth == 1 && next_is_equals {
                keys.extend(token.word());
            }
            depth += token.depth();
        }
        keys
    }
}

/// Words with dots between them; `a[0].b` and `a[*].b` count as `a.b`.
fn dotted(tokens: &[Token]) -> Vec<Vec<&str>> {
    let mut names: Vec<Vec<&str>> = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if let Kind::Text(_, inside) = &tokens[index].kind {
            names.extend(dotted(inside));
        }
        let Some(word) = tokens[index].word() else {
            index += 1;
            continue;
        };
        let mut name = vec![word];
        let mut next = index + 1;
        loop {
            match (tokens.get(next), tokens.get(next + 1)) {
                (Some(dot), Some(part)) if dot.is(".") => match part.word() {
                    Some(word) => {
                        name.push(word);
                        next += 2;
                    }
                    None => break,
                },
                (Some(open), Some(_)) if open.is("[") => {
                    let close = tokens[next..].iter().position(|token| token.is("]"));
                    let Some(close) = close else { break };
                    names.extend(dotted(&tokens[next + 1..next + close]));
                    next += close + 1;
                }
                _ => break,
            }
        }
        index = next;
        names.push(name);
    }
    names
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn body(&mut self) -> Result<Body, Unreadable> {
        let mut body = Body::default();
        while let Some(token) = self.peek().cloned() {
            match token.kind {
                Kind::LineEnd | Kind::Comment => self.at += 1,
                Kind::Word(name) => {
                    self.at += 1;
                    if self.peek().is_some_and(|next| next.is("=")) {
                        self.at += 1;
                        let value = self.value();
                        body.attributes.push(Attribute { name, value });
                    } else {
                        body.blocks.push(self.block(name, token.line)?);
                    }
                }
                _ => break,
            }
        }
        Ok(body)
    }

    /// Tokens to the end of the line in which no bracket is open.
    fn value(&mut self) -> Vec<Token> {
        let mut value = Vec::new();
        let mut depth = 0;
        while let Some(token) = self.peek().cloned() {
            depth += token.depth();
            if depth < 0 || (depth == 0 && token.kind == Kind::LineEnd) {
                break;
            }
            self.at += 1;
            if !matches!(token.kind, Kind::LineEnd | Kind::Comment) {
                value.push(token);
            }
        }
        value
    }

    fn block(&mut self, kind: String, line: usize) -> Result<Block, Unreadable> {
        let mut labels = Vec::new();
        loop {
            match self.next().map(|token| token.kind) {
                Some(Kind::Text(label, _) | Kind::Word(label)) => labels.push(label),
                Some(Kind::Sign("{")) => break,
                _ => {
                    return Err((
                        line,
                        format!("`{kind}` is neither an attribute nor a block"),
                    ));
                }
            }
        }
        let body = self.body()?;
        match self.next() {
            Some(token) if token.is("}") => Ok(Block {
                kind,
                labels,
                line,
                body,
            }),
            _ => Err((line, format!("`{kind}` is not closed"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
# said
resource "aws_lb" "b" {
  name = "${var.name}-x" # said
  tags = merge(local.tags, { Name = each.value.name })
  list = aws_x.y[count.index].id
  all  = aws_x.z[*].id

  inner {
    on = true
  }
}
locals {
  map = {
    A = 1
    # said
    B = { C = 2 }
  }
}
"#;

    #[test]
    fn blocks_labels_and_attributes_are_read() {
        let body = Body::parse(SAMPLE).expect("it can be read");
        let block = &body.blocks[0];
        assert_eq!((block.kind.as_str(), block.line), ("resource", 3));
        assert_eq!(block.labels, ["aws_lb", "b"]);
        assert_eq!(block.body.blocks[0].kind, "inner");
        assert!(
            block
                .body
                .attribute("name")
                .is_some_and(|name| name.text().is_none())
        );
        let map = body.blocks[1].body.attribute("map").expect("it is there");
        assert_eq!(map.keys(), ["A", "B"]);
    }

    #[test]
    fn every_name_is_found_wherever_it_stands() {
        let body = Body::parse(SAMPLE).expect("it can be read");
        let names: Vec<String> = body.names().iter().map(|name| name.join(".")).collect();
        for name in [
            "var.name",
            "local.tags",
            "each.value.name",
            "aws_x.y.id",
            "count.index",
            "aws_x.z.id",
        ] {
            assert!(names.contains(&name.to_owned()), "{name} of {names:?}");
        }
    }

    #[test]
    fn what_is_no_hcl_is_refused_with_its_line() {
        for (text, line) in [("a {\n", 1), ("\n}\n", 2), ("\na b\n", 2)] {
            let (found, _) = Body::parse(text).expect_err(text);
            assert_eq!(found, line, "of {text:?}");
        }
    }
}
