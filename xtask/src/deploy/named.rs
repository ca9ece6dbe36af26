//! Whether the documents and the module know the same files: each `.tf` that a document names
//! is there, and the module's own document names each that is there. So none goes, comes or
//! changes its name unnoticed.

use super::{MODULE, names, read};
use crate::process::Failure;
use std::path::Path;

/// The document of the module.
const ITS_DOCUMENT: &str = "deploy/terraform/README.md";
/// Where documents lie.
const DOCUMENTS: [&str; 2] = ["docs", "deploy"];

/// What is named and not there, and what is there and not named.
pub(super) fn findings(root: &Path) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for name in names(root)? {
        look(root, &name, &mut wrong)?;
    }
    for folder in DOCUMENTS {
        below(root, folder, &mut wrong)?;
    }
    let module = names(&root.join(MODULE))?;
    let document = read(&root.join(ITS_DOCUMENT))?;
    wrong.extend(unnamed(&module, &document));
    Ok(wrong)
}

fn below(root: &Path, folder: &str, wrong: &mut Vec<String>) -> Result<(), Failure> {
    for name in names(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        if !root.join(&path).is_dir() {
            look(root, &path, wrong)?;
        } else if !crate::tidy::is_made(&name) {
            below(root, &path, wrong)?;
        }
    }
    Ok(())
}

/// Looks at what one document names, or a comment of the module.
fn look(root: &Path, path: &str, wrong: &mut Vec<String>) -> Result<(), Failure> {
    if !is_terraform(path) && !path.ends_with(".md") {
        return Ok(());
    }
    let text = read(&root.join(path))?;
    let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for (index, line) in text.lines().enumerate() {
        for name in named(line) {
            let places = ["", own, MODULE].map(|folder| root.join(folder).join(name));
            if !places.iter().any(|place| place.is_file()) {
                let line = index + 1;
                wrong.push(format!("{path}:{line}: there is no `{name}`"));
            }
        }
    }
    Ok(())
}

/// Files of the module that its document does not name.
fn unnamed(module: &[String], document: &str) -> Vec<String> {
    let known: Vec<&str> = document.lines().flat_map(named).collect();
    module
        .iter()
        .filter(|name| is_terraform(name) && !known.contains(&name.as_str()))
        .map(|name| format!("{MODULE}/{name}: {ITS_DOCUMENT} does not say what it makes"))
        .collect()
}

/// The words of a line that are files of Terraform.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_-./".contains(letter))
        // At the end of a sentence.
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| is_terraform(word))
}

fn is_terraform(name: &str) -> bool {
    name.strip_suffix(".tf")
        .is_some_and(|before| before.ends_with(|last: char| last.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    #[test]
    fn the_documents_and_the_module_know_the_same_files() {
        let root = Place::find().expect("the checkout is there").root;
        assert_eq!(findings(&root).expect("it can be read"), [""; 0]);
    }

    #[test]
    fn files_are_found_in_any_text() {
        let line = "| `a.tf`, `b_c.tf` | see examples/all/d.tf. And *.tf, .tf, e.tfvars, f.tf_";
        let found: Vec<&str> = named(line).collect();
        assert_eq!(found, ["a.tf", "b_c.tf", "examples/all/d.tf"]);
    }

    #[test]
    fn what_is_gone_and_what_nobody_names_is_told() {
        let root = folder();
        let write = |path: &str, text: &str| {
            let path = root.0.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "docs/a.md",
            "in `here.tf` and deploy/terraform/here.tf\n\nand `gone.tf`\n",
        );
        write("deploy/terraform/README.md", "| `here.tf` | all |\n");
        write("deploy/terraform/here.tf", "# as gone_too.tf says\n");
        write("deploy/terraform/examples/one/main.tf", "# main.tf\n");
        assert_eq!(
            findings(&root.0).expect("it can be read"),
            [
                "docs/a.md:3: there is no `gone.tf`",
                "deploy/terraform/here.tf:1: there is no `gone_too.tf`",
            ]
        );
        write("deploy/terraform/new.tf", "");
        let wrong = findings(&root.0).expect("it can be read");
        let new = "deploy/terraform/new.tf: deploy/terraform/README.md does not say what it makes";
        assert_eq!(wrong.last().map(String::as_str), Some(new));
    }

    /// A folder that goes with the test.
    struct Folder(std::path::PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn folder() -> Folder {
        let name = format!("longshore-xtask-named-{}", std::process::id());
        Folder(std::env::temp_dir().join(name))
    }
}
