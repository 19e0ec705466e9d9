//! The pages for people, held to what the program does: every example is tried, every table of
//! fields, inputs and schedules is compared with the code.
//!
//! A block of YAML says in its first line what it is: `# inventory` (what it leaves out is taken from
//! [`HOME`]), `# overlay`, `# role`, or `# resources`, which have to work with systemd and with cron
//! unless it says `on systemd` or `on cron`. A template begins with a comment that holds its path.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use fleetprov::desired::{Library, resolve_all};
use fleetprov::format::calendar::{Trigger, on_calendar};
use fleetprov::format::cron::CronExpression;
use fleetprov::intent::INTENTS;
use fleetprov::inventory::{parse, read_yaml};
use fleetprov::model::{Diagnostic, Diagnostics, Node, Source, Value};
use fleetprov::resource::KINDS;

const ROLES: &str = include_str!("../../docs/roles.md");
const README: &str = include_str!("../../README.md");
const SAFETY: &str = include_str!("../../docs/safety.md");

/// What an inventory on the page leaves out.
const HOME: &str = "\
fleet: home
vars: {country: de}
tiers:
  servers: {pattern: hub-and-spoke, hub: nas}
machines:
  web: {tier: servers, platform: debian, connect: {ssh: \"root@203.0.113.7\", key: keys/web}}
  nas: {tier: servers, platform: debian, connect: {ssh: \"admin@192.168.1.30\", key: keys/nas}, privilege: sudo}
services:
  store: {kind: rclone, type: b2}
";

struct Block<'a> {
    /// Its first line on the page, from 1.
    line: usize,
    language: &'a str,
    text: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block { line: number + 2, language, text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "a block is not closed");
    blocks
}

fn marked<'a>(blocks: &'a [Block<'_>], mark: &str) -> Vec<&'a Block<'a>> {
    blocks.iter().filter(|block| block.text.lines().next() == Some(mark)).collect()
}

/// The top-level parts of a YAML text, by their keys.
fn parts(text: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut key = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if !line.starts_with(' ') {
            key = line.split(':').next().unwrap().to_owned();
        }
        let part = parts.entry(key.clone()).or_default();
        part.push_str(line);
        part.push('\n');
    }
    parts
}

fn whole(inventory: &str) -> String {
    let mut whole = parts(HOME);
    whole.extend(parts(inventory));
    whole.into_values().collect()
}

/// The roles and templates of a page, by their paths in a project.
fn files(blocks: &[Block<'_>]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for block in marked(blocks, "# role") {
        let name = block.text.lines().find_map(|line| line.strip_prefix("role: ")).unwrap();
        files.insert(format!("roles/{name}.yaml"), block.text.clone());
    }
    for block in blocks.iter().filter(|block| block.language == "handlebars") {
        let path = block.text.lines().next().unwrap();
        let path = path.strip_prefix("{{!-- ").unwrap().strip_suffix(" --}}").unwrap();
        files.insert(path.to_owned(), block.text.clone());
    }
    files
}

/// `fleetprov validate` on a project; what it complains about.
fn complaint(files: &BTreeMap<String, String>, inventory: &str, overlay: Option<&str>) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (path, text) in files {
        write(path, text);
    }
    write("files/logo.png", "an image");
    write("fleet.yaml", inventory);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetprov"));
    command.args(["validate", "fleet.yaml"]).current_dir(folder.path()).stdin(Stdio::null());
    command.env_remove("FLEETPROV_IDENTITY").env("LC_ALL", "C");
    if let Some(overlay) = overlay {
        write("overlay.yaml", overlay);
        command.args(["--overlay", "overlay.yaml"]);
    }
    let output = command.output().unwrap();
    (output.status.code() != Some(0)).then(|| String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_example_of_the_page_on_roles_is_valid() {
    let blocks = blocks(ROLES);
    let files = files(&blocks);
    let yaml = blocks.iter().filter(|block| block.language == "yaml").count();
    let mut tried = files.keys().filter(|path| path.starts_with("roles/")).count();
    let mut wrong = Vec::new();
    let mut check = |line: usize, complaint: Option<String>| {
        wrong.extend(complaint.map(|said| format!("line {line} of docs/roles.md:\n{said}")));
    };
    for block in marked(&blocks, "# inventory") {
        check(block.line, complaint(&files, &whole(&block.text), None));
        tried += 1;
    }
    for block in marked(&blocks, "# overlay") {
        check(block.line, complaint(&files, &whole(""), Some(&block.text)));
        tried += 1;
    }
    for (mark, inits) in [
        ("# resources", &["systemd", "sysv"][..]),
        ("# resources on systemd", &["systemd"]),
        ("# resources on cron", &["sysv"]),
    ] {
        for block in marked(&blocks, mark) {
            let indented: String = block.text.lines().map(|line| format!("  {line}\n")).collect();
            let mut files = files.clone();
            files.insert("roles/example.yaml".to_owned(), format!("role: example\nresources:\n{indented}"));
            for init in inits {
                let machine = "platform: debian, connect: {ssh: \"root@203.0.113.7\"}, roles: [example]";
                let machines = format!("machines:\n  nas: {{tier: servers, init: {init}, {machine}}}\n");
                check(block.line, complaint(&files, &whole(&machines), None));
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tried, yaml, "a block of YAML has no mark in its first line");
    let all: String = blocks.iter().map(|block| block.text.as_str()).collect();
    for path in files.keys() {
        let used = match path.strip_prefix("roles/") {
            Some(role) => format!("- {}: {{", role.trim_end_matches(".yaml")),
            None => format!("template: {}", path.trim_start_matches("templates/")),
        };
        assert!(all.contains(&used), "no example tries {path}: {used}");
    }
}

#[test]
fn the_inventory_of_the_readme_is_valid() {
    let blocks = blocks(README);
    let inventories: Vec<_> = blocks.iter().filter(|block| block.language == "yaml").collect();
    assert!(!inventories.is_empty());
    for block in inventories {
        assert_eq!(complaint(&BTreeMap::new(), &block.text, None), None, "line {} of README.md", block.line);
    }
}

/// A chapter (`## Kinds`) or a section in it (`### Tiers`): the text up to the next heading of its rank.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let rest = &text[start + heading.len() + 2..];
    let rank = heading.split(' ').next().unwrap();
    let end = (2..=rank.len()).filter_map(|rank| rest.find(&format!("\n{} ", "#".repeat(rank)))).min();
    &rest[..end.unwrap_or(rest.len())]
}

/// The tables of a text: their rows, without heads, as cells.
fn tables(text: &str) -> Vec<Vec<Vec<&str>>> {
    let mut tables: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let is_row = line.starts_with('|');
        if is_row && !inside {
            tables.push(Vec::new());
        }
        if is_row {
            let cells = line.trim_matches('|').split('|').map(str::trim).collect();
            tables.last_mut().unwrap().push(cells);
        }
        inside = is_row;
    }
    tables.into_iter().map(|rows| rows[2..].to_vec()).collect()
}

/// What stands between backquotes.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn first_column(rows: &[Vec<&str>]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(|row| words(row[0])).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

fn bold(rows: &[Vec<&str>]) -> Vec<String> {
    let mut names: Vec<String> = rows
        .iter()
        .flat_map(|row| row[0].split("**").skip(1).step_by(2))
        .map(|name| name.trim_matches('`').to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// The names a message says are valid.
fn listed(problem: &Diagnostic) -> Vec<String> {
    let expected = problem.expected.as_deref().unwrap();
    let list = expected.rsplit_once("one of ").map_or(expected, |(_, list)| list);
    let mut names: Vec<String> = list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
    names.sort_unstable();
    names
}

fn problems_of_role(role: &str) -> Vec<Diagnostic> {
    let mut library = Library::built_in();
    library.roles.insert("example".to_owned(), Source::new("roles/example.yaml", role));
    let machines =
        "machines:\n  nas: {tier: servers, platform: debian, connect: {ssh: root@nas}, roles: [example]}";
    let fleet = parse(&Source::new("fleet.yaml", whole(machines)), None).unwrap();
    let problems = resolve_all(&fleet, &library).unwrap_err();
    problems.sorted().into_iter().cloned().collect()
}

fn problems_of_kind(kind: &str, fields: &str) -> Vec<Diagnostic> {
    problems_of_role(&format!("role: example\nresources:\n  - {kind}: {{{fields}}}\n"))
}

fn unknown(problems: &[Diagnostic]) -> Vec<String> {
    listed(problems.iter().find(|problem| problem.message.contains("`no-such")).unwrap())
}

#[test]
fn every_field_of_every_kind_is_on_the_page() {
    let chapter = section(ROLES, "## Kinds");
    for kind in INTENTS.iter().map(|(word, _)| word).chain(KINDS.iter().map(|kind| &kind.word)) {
        let tables = tables(section(chapter, &format!("### `{kind}`")));
        let mut known = match *kind {
            "mount" => ["sshfs", "rclone", "nfs", "smb"]
                .iter()
                .flat_map(|by| {
                    let fields = format!("kind: {by}, from: \"a:/b\", path: /mnt, no-such-field: x");
                    unknown(&problems_of_kind("mount", &fields))
                })
                .collect(),
            kind => unknown(&problems_of_kind(kind, "no-such-field: x")),
        };
        known.sort_unstable();
        known.dedup();
        assert_eq!(first_column(&tables[0]), known, "the table of {kind}");
        let start = format!("{kind} has no `");
        let mut required: Vec<String> = problems_of_kind(kind, "")
            .iter()
            .filter_map(|problem| problem.message.strip_prefix(&start))
            .map(|name| name.trim_end_matches('`').to_owned())
            .collect();
        required.sort_unstable();
        assert_eq!(bold(&tables[0]), required, "what is bold in the table of {kind}");
    }
}

#[test]
fn the_page_says_of_every_kind_how_it_goes() {
    let rows = &tables(section(ROLES, "## What leaves the inventory"))[0];
    let mut told: Vec<&str> = rows.iter().flat_map(|row| words(row[0])).collect();
    let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    told.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(told, kinds);
}

#[test]
fn every_key_of_an_inventory_is_on_the_page() {
    let chapter = section(ROLES, "## The inventory");
    let tier = "tier: servers, platform: debian, connect: {ssh: root@nas}";
    for (heading, text) in [
        ("## The inventory", "no-such-key: x".to_owned()),
        ("### Tiers", "tiers:\n  servers: {pattern: hub-and-spoke, hub: nas, no-such-key: x}".to_owned()),
        ("### Machines", format!("machines:\n  nas: {{{tier}, no-such-key: x}}")),
        ("### Surfaces", "surfaces:\n  s: {tier: servers, no-such-key: x}".to_owned()),
        ("### Links", "links:\n  l: {from: web, to: nas, for: x, no-such-key: x}".to_owned()),
        ("### Backups", "backups:\n  b: {no-such-key: x}".to_owned()),
    ] {
        let text = Source::new("fleet.yaml", whole(&text));
        let problems = parse(&text, None).unwrap_err();
        let problems: Vec<Diagnostic> = problems.sorted().into_iter().cloned().collect();
        let rows = match heading {
            "## The inventory" => &tables(chapter)[0],
            heading => &tables(section(chapter, heading))[0],
        };
        assert_eq!(first_column(rows), unknown(&problems), "{heading}");
    }
    let connect =
        "machines:\n  nas: {tier: servers, platform: debian, connect: {ssh: root@nas, no-such-key: x}}";
    let problems = parse(&Source::new("fleet.yaml", whole(connect)), None).unwrap_err();
    let problems: Vec<Diagnostic> = problems.sorted().into_iter().cloned().collect();
    assert_eq!(first_column(&tables(section(chapter, "### Machines"))[1]), unknown(&problems));
}

#[test]
fn every_word_of_roles_and_templates_is_on_the_page() {
    let chapter = section(ROLES, "## Roles");
    let inputs = tables(section(chapter, "### Inputs"));
    let declared = |input: &str| problems_of_role(&format!("role: example\ninputs:\n  a: {{{input}}}\n"));
    assert_eq!(first_column(&inputs[0]), unknown(&declared("type: text, no-such-key: x")));
    assert_eq!(first_column(&inputs[1]), unknown(&declared("type: no-such-type")));
    let modifiers = problems_of_role("role: example\nresources:\n  - package: git\n    no-such-key: x\n");
    assert_eq!(first_column(&tables(section(chapter, "### Resources"))[0]), unknown(&modifiers));

    let templates = tables(section(ROLES, "## Templates"));
    let helpers = |text: &str| unknown(&problems_of_kind("file", &format!("path: /x, content: \"{text}\"")));
    let mut all = helpers("{{no-such 1}}");
    all.extend(helpers("{{#no-such 1}}{{/no-such}}"));
    let mut shown: Vec<String> = templates[1]
        .iter()
        .flat_map(|row| words(row[0]))
        .map(|words| words.split(' ').next().unwrap().to_owned())
        .collect();
    shown.sort_unstable();
    all.sort_unstable();
    assert_eq!(shown, all, "the helpers");
    let problems = problems_of_kind("file", "path: /x, content: \"{{machine.nope}}\"");
    let expected = problems[0].expected.clone().unwrap();
    let names = expected.rsplit_once(": ").unwrap().1;
    let machine = templates[0].iter().find(|row| row[0] == "`machine`").unwrap()[1];
    for name in names.split(", ") {
        assert!(words(machine).contains(&name), "machine.{name} is not on the page");
    }
}

#[test]
fn the_schedules_of_the_page_compile_as_it_says() {
    let rows = &tables(section(ROLES, "## Schedules"))[0];
    assert!(rows.len() >= 8);
    for row in rows {
        let expression = CronExpression::parse(words(row[0])[0]).unwrap();
        let Trigger::Calendar(lines) = on_calendar(&expression, None).unwrap() else { panic!("{row:?}") };
        assert_eq!(lines, words(row[1]), "{}", row[0]);
    }
}

fn texts(node: &Node) -> Option<Vec<&str>> {
    match &node.value {
        Value::List(items) => items.iter().map(Node::as_text).collect(),
        _ => node.as_text().map(|text| vec![text]),
    }
}

#[test]
fn every_built_in_role_is_on_the_page_with_its_inputs() {
    let chapter = section(ROLES, "## Built-in roles");
    let library = Library::built_in();
    for (name, source) in &library.roles {
        let mut problems = Diagnostics::new();
        let role = read_yaml(source, &mut problems).unwrap();
        let Some(Value::Map(inputs)) = role.get("inputs").map(|node| &node.value) else { panic!("{name}") };
        let tables = tables(section(chapter, &format!("### `{name}`")));
        let rows = &tables[0];
        assert_eq!(rows.len(), inputs.len(), "the inputs of {name}");
        for (row, input) in rows.iter().zip(inputs) {
            let required = input.value.get("required").and_then(Node::as_text) == Some("true");
            let key = format!("`{}`", input.key.text);
            assert_eq!(row[0], if required { format!("**{key}**") } else { key }, "{name}");
            assert_eq!(Some(row[1]), input.value.get("type").unwrap().as_text(), "{name}: {}", row[0]);
            let default = input.value.get("default").and_then(texts).unwrap_or_default();
            if !default.is_empty() && default.iter().all(|text| !text.contains("{{")) {
                assert_eq!(words(row[2]), default, "{name}: the default of {}", row[0]);
            }
        }
    }
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let anchors: Vec<String> = ROLES
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().replace('`', "").replace(' ', "-").to_lowercase())
        .collect();
    let mut found = 0;
    for link in ROLES.split("](#").skip(1) {
        let target = link.split(')').next().unwrap();
        assert!(anchors.iter().any(|anchor| anchor == target), "no heading for #{target}");
        found += 1;
    }
    assert!(found > 20, "only {found} links");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/roles.md").exists());
}

#[test]
fn every_promise_is_held_by_tests_that_exist() {
    let sections: Vec<&str> = SAFETY.split("\n## ").skip(1).collect();
    let (last, promises) = sections.split_last().unwrap();
    assert!(last.starts_with("What is not promised\n") && promises.len() >= 10);
    for promise in promises {
        let heading = promise.lines().next().unwrap();
        let (_, held) =
            promise.split_once("\n\nHeld by: ").unwrap_or_else(|| panic!("{heading}: by no test"));
        let tests = words(held);
        assert!(!tests.is_empty(), "{heading}");
        for test in tests {
            let (module, name) =
                test.split_once("::").unwrap_or_else(|| panic!("{test} is not MODULE::TEST"));
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/integration/{module}.rs"));
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{test}: {error}"));
            let found = text.contains(&format!("#[test]\nfn {name}() {{"));
            assert!(found, "{heading}: there is no test {test}");
        }
    }
}
