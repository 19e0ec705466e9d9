//! `render`: every file the inventory would write, without a connection.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::arguments::Render;
use super::exit::Exit;
use super::identities::Need;
use super::surface::{Surface, complain, print};
use crate::desired::{facts_of, resolve};
use crate::inventory::Machine;
use crate::model::nearest;
use crate::report::safe;
use crate::resource::{Content, Declared, Rendered};
use crate::store::write_rendered;

/// Renders one machine or all.
pub(super) fn render(arguments: &Render, surface: Surface) -> Exit {
    let project = match super::load::project(&arguments.inventory, None, Need::None, arguments.json, surface)
    {
        Ok(project) => project,
        Err(exit) => return exit,
    };
    let fleet = &project.fleet;
    let mut chosen: Vec<&Machine> = fleet.managed().map(|(machine, _)| machine).collect();
    if let Some(name) = &arguments.machine {
        if !chosen.iter().any(|machine| machine.name.as_str() == name) {
            let near = nearest(name, chosen.iter().map(|machine| machine.name.as_str()));
            complain(&unknown_machine(name, near));
            return Exit::BadInput;
        }
        chosen.retain(|machine| machine.name.as_str() == name);
    }
    let mut machines = Vec::new();
    for machine in chosen {
        let Some(facts) = facts_of(machine) else { continue };
        let declared = match resolve(fleet, machine, &project.library, &facts) {
            Ok(declared) => declared,
            Err(problems) => return super::load::invalid(&problems, arguments.json, surface),
        };
        let rendered = rendered(&declared);
        if arguments.json {
            let files: Vec<serde_json::Value> = rendered.iter().map(file_json).collect();
            machines.push(serde_json::json!({"name": machine.name.as_str(), "files": files}));
        }
        match &arguments.out {
            Some(folder) => match write_rendered(&folder.join(machine.name.as_str()), &rendered) {
                Ok(_) if arguments.json => {}
                Ok(written) => {
                    let list: Vec<String> =
                        written.iter().map(|path| format!("{}\n", path.display())).collect();
                    print(&list.concat());
                }
                Err(error) => {
                    complain(&format!("error: failed to {error}\n"));
                    return Exit::Error;
                }
            },
            None if arguments.json => {}
            None => print(&text(machine.name.as_str(), &rendered, surface)),
        }
    }
    if arguments.json {
        let value = serde_json::json!({
            "version": 1, "fleet": fleet.name.as_str(), "machines": machines, "exit_code": 0,
        });
        print(&format!("{value}\n"));
    }
    Exit::Done
}

/// What to say of a machine that is not one of the fleet's managed ones.
pub(super) fn unknown_machine(name: &str, near: Option<String>) -> String {
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("error: no managed machine is called `{name}`{near}\n")
}

fn rendered(declared: &[Declared]) -> Vec<Rendered> {
    declared.iter().flat_map(|one| one.resource.rendered()).collect()
}

/// One file: its text, or its bytes in base64, or its size when it is a file of the controller's; never a secret.
fn file_json(rendered: &Rendered) -> serde_json::Value {
    let path = &rendered.path;
    match &rendered.content {
        Content::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::json!({"path": path, "text": text}),
            Err(_) => serde_json::json!({"path": path, "base64": STANDARD.encode(bytes)}),
        },
        Content::Local { length, .. } => serde_json::json!({"path": path, "size": length}),
        Content::Secret(_) | Content::Sealed(_) => serde_json::json!({"path": path, "secret": true}),
    }
}

fn text(machine: &str, rendered: &[Rendered], surface: Surface) -> String {
    let mut text = String::new();
    for one in rendered {
        let shown = match &one.content {
            Content::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(content) => {
                    content.lines().map(|line| format!("{}\n", safe::line(line, surface.output))).collect()
                }
                Err(_) => format!("({} bytes, not text)\n", bytes.len()),
            },
            Content::Local { length, .. } => format!("({length} bytes of a file)\n"),
            Content::Secret(_) => "<secret>\n".to_owned(),
            Content::Sealed(name) => format!("<secret {name}>\n"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "==> {machine}:{} <==\n{shown}", one.path);
    }
    text
}
