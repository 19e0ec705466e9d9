use std::collections::BTreeSet;

use super::*;
use crate::model::MachineName;
use crate::report::samples::{Sample, plan, step, text, value};
use crate::resource::Action;

/// One object a line.
fn broken(json: &str) -> String {
    json.replace("{\"", "\n{\"")
}

#[test]
fn a_fleet_before_and_after() {
    let sample = Sample::new();
    insta::assert_snapshot!("planned", broken(&json("wholetech", &sample.planned(), 4)));
    let applied = json("wholetech", &sample.applied(), 5);
    assert_eq!(applied, json("wholetech", &sample.applied(), 5));
    insta::assert_snapshot!("applied", broken(&applied));
}

#[test]
fn every_value_comes_back_and_nothing_steers_a_terminal() {
    let said = "\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}ü\"\\\n";
    let bytes = Detail::Text { name: "b".to_owned(), from: Some(vec![0xff, 0x00]), to: said.into() };
    let plan =
        plan(vec![step("file", said, "role x", Action::Update, vec![value("v", None, said), bytes])], 0);
    let name = MachineName::new("m").unwrap();
    let text = json("f", &[MachineReport { plan: Some(&plan), ..MachineReport::new(&name) }], 2);
    assert!(text.ends_with("}\n"));
    assert!(!text.trim_end().chars().any(safe::is_harmful), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let step = &value["machines"][0]["steps"][0];
    assert_eq!(step["target"], said);
    assert_eq!(step["details"][0]["to"], said);
    assert_eq!(step["details"][1]["from"], serde_json::json!({"encoding": "base64", "data": "/wA="}));
    assert_eq!(step["details"][1]["to"], serde_json::json!({"encoding": "utf-8", "data": said}));
}

#[test]
fn a_machine_of_which_nothing_is_known_says_so() {
    let name = MachineName::new("m").unwrap();
    assert_eq!(
        json("f", &[MachineReport::new(&name)], 130),
        "{\"version\":1,\"fleet\":\"f\",\"machines\":[{\"name\":\"m\",\"status\":\"interrupted\",\"notes\":[],\
         \"steps\":[],\"blocked\":[],\"in_order\":null}],\"exit_code\":130}\n"
    );
}

/// The names of all fields, and the words of those fields that have a fixed set of them.
fn words(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                found.insert(key.clone());
                if ["status", "action", "type", "encoding", "result"].contains(&key.as_str()) {
                    found.insert(value.as_str().unwrap_or_default().to_owned());
                }
                words(value, found);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| words(value, found)),
        _ => {}
    }
}

#[test]
fn the_page_describes_every_field() {
    let page = include_str!("../../../docs/json.md");
    let sample = Sample::new();
    let binary = Detail::Text { name: "b".to_owned(), from: None, to: vec![0xff] };
    let plan = plan(vec![step("file", "/b", "role x", Action::Create, vec![binary, text("t", None, "")])], 0);
    let name = MachineName::new("m").unwrap();
    let other = MachineReport { plan: Some(&plan), ..MachineReport::new(&name) };
    let mut found = BTreeSet::new();
    for reports in [sample.planned(), sample.applied(), vec![other]] {
        words(&serde_json::from_str(&json("f", &reports, 0)).unwrap(), &mut found);
    }
    assert!(found.len() > 50, "{found:?}");
    let missing: Vec<&String> = found.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "docs/json.md does not mention {missing:?}");
}
