//! A module of Terraform: what it declares, what it names, and whether they agree.

use super::hcl::{Block, Body};
use std::collections::BTreeSet;

/// Providers whose resources are named without a word before them.
const PROVIDERS: [&str; 2] = ["aws_", "random_"];

/// The files of one folder.
pub(super) struct Module {
    folder: String,
    files: Vec<(String, Body)>,
}

impl Module {
    pub(super) fn new(folder: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            files: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, path: &str, body: Body) {
        self.files.push((path.to_owned(), body));
    }

    /// The keys of a map among the locals.
    pub(super) fn keys_of_local(&self, name: &str) -> Option<Vec<String>> {
        let map = self
            .blocks("locals")
            .find_map(|(_, block)| block.body.attribute(name))?;
        Some(map.keys().into_iter().map(str::to_owned).collect())
    }

    /// What does not agree.
    pub(super) fn findings(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.described(&mut found);
        self.pinned(&mut found);
        let declared = self.declared();
        let named = self.named();
        for (path, name) in &named {
            if !declared.contains(name) {
                found.push(format!(
                    "{path}: `{name}` is declared nowhere in {}",
                    self.folder
                ));
            }
        }
        let named: BTreeSet<&String> = named.iter().map(|(_, name)| name).collect();
        for name in &declared {
            let must_be_used = name.starts_with("var.") || name.starts_with("local.");
            if must_be_used && !named.contains(name) {
                found.push(format!("{}: `{name}` is used nowhere", self.folder));
            }
        }
        found
    }

    fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Block)> {
        self.files.iter().flat_map(move |(path, body)| {
            let blocks = body.blocks.iter().filter(move |block| block.kind == kind);
            blocks.map(|block| (path.as_str(), block))
        })
    }

    /// Variables and outputs say what they are.
    fn described(&self, found: &mut Vec<String>) {
        for (kind, wanted) in [("variable", "type"), ("output", "value")] {
            for (path, block) in self.blocks(kind) {
                let at = format!("{path}:{}: {kind} `{}`", block.line, block.labels.join("."));
                let description = block.body.attribute("description");
                let description = description.and_then(|attribute| attribute.text());
                if description.unwrap_or_default().is_empty() {
                    found.push(format!("{at} has no description"));
                }
                if block.body.attribute(wanted).is_none() {
                    found.push(format!("{at} has no {wanted}"));
                }
            }
        }
    }

    /// Terraform and each provider have a version.
    fn pinned(&self, found: &mut Vec<String>) {
        let mut providers = 0;
        for (path, block) in self.blocks("terraform") {
            if block.body.attribute("required_version").is_none() {
                found.push(format!(
                    "{path}:{}: no version of Terraform is required",
                    block.line
                ));
            }
            let required = block.body.blocks.iter();
            for required in required.filter(|inner| inner.kind == "required_providers") {
                for provider in &required.body.attributes {
                    providers += 1;
                    if !provider.keys().contains(&"version") {
                        found.push(format!(
                            "{path}: provider `{}` has no version",
                            provider.name
                        ));
                    }
                }
            }
        }
        if providers == 0 {
            found.push(format!(
                "{}: no provider is required with its version",
                self.folder
            ));
        }
    }

    /// Everything that can be named, as it is named.
    fn declared(&self) -> BTreeSet<String> {
        let blocks = self.files.iter().flat_map(|(_, body)| &body.blocks);
        blocks
            .flat_map(|block| {
                let labels = block.labels.join(".");
                match block.kind.as_str() {
                    "variable" => vec![format!("var.{labels}")],
                    "resource" => vec![labels],
                    "data" | "ephemeral" | "module" => vec![format!("{}.{labels}", block.kind)],
                    "locals" => {
                        let attributes = block.body.attributes.iter();
                        attributes
                            .map(|own| format!("local.{}", own.name))
                            .collect()
                    }
                    _ => Vec::new(),
                }
            })
            .collect()
    }

    /// Everything that is named, with the file; what a variable says of itself is no use.
    fn named(&self) -> BTreeSet<(String, String)> {
        let mut named = BTreeSet::new();
        for (path, body) in &self.files {
            let blocks = body.blocks.iter().filter(|block| block.kind != "variable");
            for name in blocks.flat_map(|block| block.body.names()) {
                let of_provider = PROVIDERS.iter().any(|begin| name[0].starts_with(begin));
                let length = match name[0] {
                    "var" | "local" | "module" => 2,
                    "data" | "ephemeral" => 3,
                    _ if of_provider => 2,
                    _ => continue,
                };
                if name.len() >= length && name.len() > 1 {
                    named.insert((path.clone(), name[..length].join(".")));
                }
            }
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: &str = "terraform {\n  required_version = \"1\"\n  required_providers {\n    aws = { source = \"a\", version = \"~> 6.0\" }\n  }\n}\n";

    /// One finding with these words in it, or none when empty.
    fn check(text: &str, expected: &str) {
        let mut module = Module::new("m");
        let body = |text: &str| Body::parse(text).expect("it can be read");
        module.add("m/versions.tf", body(VERSIONS));
        module.add("m/main.tf", body(text));
        let found = module.findings();
        if expected.is_empty() {
            assert!(found.is_empty(), "of {text:?}: {found:?}");
        } else {
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "of {text:?}: {found:?}"
            );
        }
    }

    #[test]
    fn a_variable_is_described_typed_and_used() {
        let use_it = "output \"o\" {\n  description = \"d\"\n  value = var.a\n}\n";
        let variable = |inside: &str| format!("variable \"a\" {{\n{inside}}}\n{use_it}");
        check(&variable("  description = \"d\"\n  type = string\n"), "");
        check(&variable("  type = string\n"), "no description");
        check(
            &variable("  description = \"\"\n  type = string\n"),
            "no description",
        );
        check(&variable("  description = \"d\"\n"), "no type");
        check(
            "variable \"a\" {\n  description = \"d\"\n  type = string\n  validation {\n    condition = var.a != \"\"\n  }\n}\n",
            "`var.a` is used nowhere",
        );
    }

    #[test]
    fn an_output_is_described() {
        check(
            "output \"o\" {\n  value = 1\n}\n",
            "output `o` has no description",
        );
    }

    #[test]
    fn what_is_named_is_declared() {
        check(
            "resource \"aws_lb\" \"a\" {\n  name = aws_lb.b.id\n}\n",
            "`aws_lb.b` is declared nowhere",
        );
        check(
            "resource \"aws_lb\" \"a\" {\n  name = data.aws_vpc.b.id\n}\n",
            "`data.aws_vpc.b`",
        );
        check(
            "resource \"aws_lb\" \"a\" {\n  name = \"${local.x}\"\n}\n",
            "`local.x`",
        );
        check(
            "resource \"aws_lb\" \"a\" {\n  name = [for x in [1] : x.y]\n}\n",
            "",
        );
    }

    #[test]
    fn providers_have_versions() {
        check(
            "terraform {\n  required_version = \"1\"\n  required_providers {\n    b = { source = \"b\" }\n  }\n}\n",
            "provider `b` has no version",
        );
    }
}
