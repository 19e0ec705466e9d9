use super::*;
use crate::inventory::{Fleet, parse};
use crate::model::{Diagnostics, Source};
use crate::resource::{Content, Declared};

const MACHINES: &str = "\
fleet: lab
vars: {root: /srv, names: [a, b], none: null}
tiers:
  servers: {pattern: hub-and-spoke, hub: alpha}
machines:
  alpha: {tier: servers, platform: debian, connect: {ssh: root@192.0.2.1}, roles: [ROLES]}
  beta: {tier: servers, platform: debian, connect: {ssh: ops@192.0.2.2}}
";

fn fleet(roles: &str) -> Fleet {
    parse(&Source::new("fleet.yaml", MACHINES.replace("ROLES", roles)), None).unwrap()
}

fn library(roles: &[(&str, &str)], templates: &[(&str, &str)]) -> Library {
    let mut library = Library::default();
    for (name, text) in roles {
        library.roles.insert((*name).to_owned(), Source::new(format!("roles/{name}.yaml"), *text));
    }
    for (name, text) in templates {
        library.templates.insert((*name).to_owned(), Source::new(format!("templates/{name}"), *text));
    }
    library
}

fn of_alpha(fleet: &Fleet, library: &Library) -> Result<Vec<Declared>, Diagnostics> {
    let machine = fleet.machine("alpha").unwrap();
    resolve(fleet, machine, library, &facts_of(machine).unwrap())
}

fn ids(declared: &[Declared]) -> Vec<String> {
    declared.iter().map(|declared| declared.resource.id().to_string()).collect()
}

/// The content of the file a machine gets at `path`.
fn content(declared: &[Declared], path: &str) -> String {
    let found =
        declared.iter().flat_map(|declared| declared.resource.rendered()).find(|file| file.path == path);
    match found.unwrap().content {
        Content::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_role_becomes_resources() {
    let role = "
role: web
inputs:
  sites: {type: list, default: [one, two]}
  root: {type: path, default: '{{ vars.root }}/sites'}
  group: {type: text}
  banner: {type: flag, default: true}
resources:
  - id: folders
    directory: {path: '{{ inputs.root }}/{{ site }}', mode: '0750', group: '{{ inputs.group }}'}
    each: inputs.sites
    as: site
  - file: {path: /etc/banner, content: 'on {{ machine.name }} at {{ machines.beta.address }}'}
    when: inputs.banner
    after: [folders]
  - file: {path: /etc/other, content: x}
    when: not inputs.banner
";
    let declared = of_alpha(&fleet("web"), &library(&[("web", role)], &[])).unwrap();
    assert_eq!(ids(&declared), ["directory /srv/sites/one", "directory /srv/sites/two", "file /etc/banner"]);
    assert_eq!(content(&declared, "/etc/banner"), "on alpha at 192.0.2.2");
    assert_eq!(declared[2].after.len(), 2);
}
