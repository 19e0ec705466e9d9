//! The house: a module imports only what `docs/architecture.md` lists for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The table of `docs/architecture.md`: module to what it may import. `None` means everything.
fn table() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches(['`', ' ', '⇄']).to_owned();
        let imports = if cells[2] == "*" {
            None
        } else {
            Some(
                cells[2]
                    .split(',')
                    .map(|word| word.trim().to_owned())
                    .filter(|word| !word.is_empty())
                    .collect(),
            )
        };
        table.insert(name, imports);
    }
    table
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module a source file belongs to: the first folder below `src`, or the file's own stem.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The top-level modules a text names after `crate::`, singly or in a group.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| -> String {
            text.trim_start()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect()
        };
        match rest.strip_prefix('{') {
            None => {
                found.insert(word(rest));
            }
            Some(group) => {
                let (mut depth, mut start) = (0, true);
                for (index, letter) in group.char_indices() {
                    if start && !letter.is_whitespace() {
                        found.insert(word(&group[index..]));
                        start = false;
                    }
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        _ => {}
                    }
                }
            }
        }
    }
    found.remove("");
    found
}

/// The text of a source file without its tests, which may look at everything.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests.rs" || part == "tests")
        || path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_tests"))
}

#[test]
fn modules_import_only_what_the_table_lists() {
    let table = table();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in files.iter().filter(|path| !is_test(path)) {
        let module = module_of(path);
        if module == "lib" || module == "main" {
            continue;
        }
        seen.insert(module.clone());
        let Some(allowed) = table.get(&module) else {
            wrong.push(format!("{module} is not in docs/architecture.md ({})", path.display()));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        for import in imports(without_tests(&std::fs::read_to_string(path).unwrap())) {
            if import != module && !allowed.contains(&import) && table.contains_key(&import) {
                wrong.push(format!("{module} imports {import} ({})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "the house does not allow:\n{}", wrong.join("\n"));
    let empty: Vec<&String> = table.keys().filter(|module| !seen.contains(*module)).collect();
    assert!(empty.is_empty(), "docs/architecture.md lists modules that do not exist: {empty:?}");
}

#[test]
fn the_table_has_no_cycle() {
    let table = table();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let next: Vec<&str> = table
            .iter()
            .filter(|(module, _)| !done.contains(module.as_str()))
            .filter(|(_, imports)| match imports {
                Some(imports) => imports.iter().all(|import| done.contains(import.as_str())),
                None => true,
            })
            .map(|(module, _)| module.as_str())
            .collect();
        if next.is_empty() {
            break;
        }
        done.extend(next);
    }
    let stuck: Vec<&String> = table.keys().filter(|module| !done.contains(module.as_str())).collect();
    assert!(stuck.is_empty(), "these import each other: {stuck:?}");
}

#[test]
fn the_scan_sees_imports_in_every_form() {
    let text = "use crate::model::X;\nuse crate::{plan::{A, b::C}, event};\nfn f() { crate::shell::g() } // crate::cli";
    let found = imports(text);
    assert_eq!(found, ["event", "model", "plan", "shell"].map(str::to_owned).into());
}
