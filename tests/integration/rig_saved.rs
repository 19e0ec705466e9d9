//! Plans that are kept and applied later: what has moved since is refused, what needs it is left out,
//! the rest is made, and nothing else.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::project::{Project, Ran};
use crate::rig::{Fault, Machine, Rig};

const RESOURCES: &str = "\
- directory: {path: /srv/data}
- file: {path: /srv/data/moved, content: new, id: x}
- file: {path: /srv/data/still, content: new}
- link: {path: /srv/needs-moved, target: /srv/data/moved}
  after: [file /srv/data/moved]
- file: {path: /srv/data/token, secret: marker}
- file: {path: /srv/data/other-token, secret: marker}
- file: {path: /srv/data/by-hand, content: new, mode: '0644'}
- file: {path: /srv/in-order, content: same}
- block: {path: /etc/hosts, id: lab, content: \"192.0.2.1 alpha\\n\"}";

/// What is said of each step of the one machine: its target, its outcome's word and reason.
fn outcomes(ran: &Ran) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
    let steps = report["machines"][0]["steps"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    steps
        .iter()
        .map(|step| {
            (text(&step["target"]), text(&step["outcome"]["result"]), text(&step["outcome"]["reason"]))
        })
        .collect()
}

#[test]
fn what_was_edited_since_is_refused_what_needs_it_is_left_out_and_the_rest_is_made() {
    let rig = Rig::start(&[Machine::plain("box")]);
    let machine = rig.machine("box");
    let resources = RESOURCES.replace(", id: x", "");
    let project = Project::new(&rig).machine(machine, "root", "", &resources);
    project.secret("marker", b"the-marker-secret");
    machine.check(
        "mkdir /srv/data && cd /srv/data && for f in moved still token other-token; do echo old >$f; done
         printf same >/srv/in-order; chmod 644 /srv/in-order",
    );
    let file = project.path("plan.json");
    let path = file.to_str().unwrap();
    project
        .plan(&["--out", path])
        .expect(2)
        .says("7 changes on 1 machine kept in")
        .hides("the-marker-secret");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let kept = std::fs::read_to_string(&file).unwrap();
    let digest = fleetprov::model::Digest::of(b"the-marker-secret").to_string();
    assert!(
        !kept.contains("the-marker-secret") && !kept.contains(&digest) && !kept.contains("old"),
        "{kept}"
    );

    // Somebody edits one file, a secret one, the file another owns a part of; makes one as it is to be;
    // and takes one away that was in order.
    machine.check(
        "echo theirs >/srv/data/moved; echo theirs >/srv/data/token; echo '# theirs' >>/etc/hosts
         printf new >/srv/data/by-hand; chmod 644 /srv/data/by-hand; rm /srv/in-order",
    );
    let ran = project.apply(&["--plan", path, "--json"]);
    let outcomes = outcomes(ran.expect(5).hides("the-marker-secret"));
    let moved = "the machine has moved since the plan was saved: ";
    for (target, result, reason) in [
        ("/srv/data/moved", "refused", moved),
        ("/srv/data/token", "refused", moved),
        ("/etc/hosts#lab", "refused", ""),
        ("/srv/needs-moved", "skipped", ""),
        ("/srv/data/still", "changed", ""),
        ("/srv/data/other-token", "changed", ""),
    ] {
        let found = outcomes.iter().find(|outcome| outcome.0 == target);
        let found = found.unwrap_or_else(|| panic!("{target} is not told of: {outcomes:?}"));
        assert!(found.1 == result && found.2.starts_with(reason), "{found:?}");
    }
    let told = |target: &str| outcomes.iter().any(|outcome| outcome.0 == target);
    assert!(!told("/srv/data/by-hand") && !told("/srv/in-order"), "{outcomes:?}");
    ran.says("already as desired, though the plan file has it: file /srv/data/by-hand");
    ran.says("pending, and not made since it is not in the plan file: file /srv/in-order");
    assert_eq!(machine.read("/srv/data/moved"), b"theirs\n");
    assert_eq!(machine.read("/srv/data/token"), b"theirs\n");
    assert_eq!(machine.read("/srv/data/still"), b"new");
    assert_eq!(machine.read("/srv/data/other-token"), b"the-marker-secret");
    assert!(!machine.exists("/srv/needs-moved") && !machine.exists("/srv/in-order"));

    // Of what is left nothing holds any more; that is seen before anything is asked or begun.
    let ran = project.apply(&["--plan", path]);
    ran.expect(5).says("refused file /srv/data/moved (role box)").says("its content was sha256");
    let ran = project.plan(&["--json"]);
    assert!(ran.stdout.contains("/srv/in-order"));
    project.converge();
    project.apply(&["--plan", path]).expect(0).says("nothing to do");
}

#[test]
fn a_plan_is_for_its_inventory_and_its_machines() {
    let rig = Rig::start(&[Machine::plain("box"), Machine::plain("idle"), Machine::plain("more")]);
    let one = |text: &str| format!("- file: {{path: /srv/x, content: {text}}}");
    let project = Project::new(&rig)
        .machine(rig.machine("box"), "root", "", &one("a"))
        .machine(rig.machine("idle"), "root", "", &one("a"))
        .machine(rig.machine("more"), "root", "", &one("a"));
    project.converge();
    project.declare("box", &one("b"));
    project.declare("more", &one("b"));
    let file = project.path("plan.json");
    let path = file.to_str().unwrap();
    project.plan(&["--out", path]).expect(2).says("2 changes on 2 machines kept");

    // A machine that had nothing to do is not contacted, nor one that was not chosen.
    rig.machine("idle").fault(Fault::Stop);
    rig.machine("more").fault(Fault::Stop);
    project.apply(&["--plan", path, "-m", "box"]).expect(0).hides("idle").hides("more");
    assert_eq!(rig.machine("box").read("/srv/x"), b"b");
    project
        .apply(&["--plan", path, "-m", "idle"])
        .expect(6)
        .says("has no changes for a machine called `idle`");
    project.apply(&["--plan", path]).expect(4);
    rig.machine("more").fault(Fault::Start);
    rig.machine("idle").fault(Fault::Start);

    // A role that has changed since makes another step.
    project.declare("more", &one("c"));
    project.apply(&["--plan", path]).expect(5).says("refused file /srv/x (role more)");
    assert_eq!(rig.machine("more").read("/srv/x"), b"a");

    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &kept[..kept.len() / 2]).unwrap();
    project.apply(&["--plan", path]).expect(6).says("it is damaged");
    std::fs::write(&file, kept.replace("\"fleetprov-plan\": 1", "\"fleetprov-plan\": 2")).unwrap();
    project.apply(&["--plan", path]).expect(6).says("it has format 2, and this fleetprov knows format 1");
    std::fs::write(&file, kept.replace("\"fleetprov\": \"", "\"fleetprov\": \"9")).unwrap();
    project.apply(&["--plan", path]).expect(5).says("and this is fleetprov");
    std::fs::write(&file, &kept).unwrap();
    let inventory = project.path("inventory.yaml");
    let text = std::fs::read_to_string(&inventory).unwrap();
    std::fs::write(&inventory, format!("{text}# more\n")).unwrap();
    let digest = |text: &str| fleetprov::model::Digest::of(format!("{text}\0").as_bytes());
    project
        .apply(&["--plan", path])
        .expect(5)
        .says(&format!("with sha256 {}, and", digest(&text)))
        .says(&format!("has sha256 {}; plan again", digest(&format!("{text}# more\n"))));
    assert_eq!(rig.machine("more").read("/srv/x"), b"a");
}
