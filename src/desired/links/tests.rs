//! What stands before a link's key, and what is made for it.

use std::sync::Arc;

use super::LinkHalf;
use crate::desired::{Library, links, missing_halves, resolve_all};
use crate::inventory::{Fleet, parse};
use crate::model::{MachineName, Source};
use crate::resource::Declared;

const HALF: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6w5RvKVPXJlJH1kKmmqgbP7ZrZ0vVuP4ozf5w5n5kR told";

fn fleet(rest: &str, nas: &str, web: &str) -> Fleet {
    let text = format!(
        "fleet: f\ntiers: {{all: {{pattern: mesh}}}}\nmachines:\n\
         \x20 nas: {{tier: all, platform: debian, connect: {{ssh: \"{nas}\"}}}}\n\
         \x20 web: {{tier: all, platform: debian, connect: {{ssh: \"{web}\"}}}}\n{rest}"
    );
    parse(&Source::new("fleet.yaml", text), None).unwrap()
}

/// A library that knows the halves of these keys of `nas`, and the host key of `web`.
fn library(fleet: &Fleet, halves: &[&str]) -> Library {
    let mut library = Library::built_in();
    library.links = links(fleet, &library);
    library.halves = halves
        .iter()
        .map(|key| LinkHalf {
            machine: "nas".to_owned(),
            key: (*key).to_owned(),
            source: Source::new(format!("keys/links/nas/{key}.pub"), HALF),
        })
        .collect();
    for link in &library.links.clone() {
        let address = super::address(fleet, &link.opens.whom).unwrap();
        library.hosts.insert(address.clone(), vec![format!("{} ssh-ed25519 AAAA", address.0)]);
    }
    library
}

fn of<'a>(machines: &'a [(MachineName, Vec<Declared>)], name: &str) -> &'a [Declared] {
    &machines.iter().find(|(machine, _)| machine.as_str() == name).unwrap().1
}

/// The doors of `web`: the resource's name and its line without the key.
fn doors(fleet: &Fleet, halves: &[&str]) -> Vec<String> {
    let machines = resolve_all(fleet, &library(fleet, halves)).unwrap();
    let doors = of(&machines, "web").iter().filter(|one| one.resource.id().kind == "authorized-key");
    doors
        .map(|one| {
            let rendered = one.resource.rendered();
            let crate::resource::Content::Bytes(bytes) = &rendered[0].content else { panic!("no bytes") };
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let (options, rest) = text.split_once(" ssh-ed25519 ").unwrap();
            assert!(!rest.contains("told"), "the comment is the machine's: {rest}");
            format!("{} {options}", one.resource.id().target)
        })
        .collect()
}

const PULL: &str = "backups:\n  a: {run-on: nas, from: \"web:/srv\", to: /srv, at: \"10 3 * * *\"}\n";

#[test]
fn a_leg_reads_or_writes() {
    let both = format!("{PULL}  b: {{run-on: nas, from: /srv, to: \"web:/srv/b\", at: \"10 4 * * *\"}}\n");
    let moves = PULL.replace("to: /srv,", "to: /srv, mode: move,");
    for (rest, command) in [(PULL, "internal-sftp -R"), (&both, "internal-sftp"), (&moves, "internal-sftp")] {
        let fleet = fleet(rest, "root@10.0.0.1", "ops@10.0.0.2");
        assert_eq!(
            doors(&fleet, &["web"]),
            [format!("ops#link/nas from=\"10.0.0.1\",restrict,command=\"{command}\"")]
        );
    }
}

#[test]
fn an_address_is_held_to_only_where_it_is_seen() {
    for (nas, web, expected) in [
        ("root@10.0.0.1", "root@192.168.1.1", "from=\"10.0.0.1\","),
        ("root@203.0.113.1", "root@198.51.100.1", "from=\"203.0.113.1\","),
        ("root@[fd00::1]", "root@[fd00::2]", "from=\"fd00::1\","),
        ("root@127.0.0.1:2201", "root@127.0.0.1:2202", "from=\"127.0.0.1\","),
        // Behind a router, by way of a private network, and where a name can come to mean another address.
        ("root@10.0.0.1", "root@198.51.100.1", ""),
        ("root@203.0.113.1", "root@10.0.0.2", ""),
        ("root@nas.example", "root@10.0.0.2", ""),
        ("root@10.0.0.1", "root@web.example", ""),
    ] {
        let fleet = fleet(PULL, nas, web);
        let expected = format!("root#link/nas {expected}restrict,command=\"internal-sftp -R\"");
        assert_eq!(doors(&fleet, &["web"]), [expected], "{nas} {web}");
    }
}

#[test]
fn each_program_has_a_key_and_a_door_of_its_own() {
    let rest = format!(
        "{PULL}links:\n  deploy: {{from: nas, to: web, for: deploys, allow: {{rsync: /srv/my sites, sftp: /srv}}}}\n"
    );
    let fleet = fleet(&rest, "root@a", "root@b");
    assert_eq!(
        doors(&fleet, &["web", "web.rsync"]),
        [
            "root#link/nas restrict,command=\"internal-sftp\"",
            "root#link/nas.rsync restrict,command=\"rrsync '/srv/my sites'\"",
        ]
    );
    let machines = resolve_all(&fleet, &library(&fleet, &[])).unwrap();
    let keys: Vec<_> = of(&machines, "nas")
        .iter()
        .map(|one| one.resource.id().to_string())
        .filter(|id| id.starts_with("link-key") || id.contains(".ssh"))
        .collect();
    assert_eq!(keys, ["link-key web", "link-key web.rsync", "file /root/.ssh/fleetprov-known_hosts"]);
    let timer = of(&machines, "nas").iter().find(|one| one.resource.id().kind == "unit").unwrap();
    let after: Vec<_> = timer.after.iter().map(ToString::to_string).collect();
    assert!(after.contains(&"link-key web".to_owned()), "{after:?}");
    let web = fleet.machine("web").unwrap();
    let missing = missing_halves(&fleet, web, &library(&fleet, &["web"]));
    assert_eq!(missing, [(MachineName::new("nas").unwrap(), "web.rsync".to_owned())]);
}

#[test]
fn git_is_held_to_its_repositories_and_to_reading() {
    let role = |resources: &str| {
        let text = format!("role: both\nresources:\n{resources}");
        Source::new("roles/both.yaml", text)
    };
    let said = |resources: &str| {
        let text = "fleet: f\ntiers: {all: {pattern: mesh}}\nmachines:\n\
             \x20 nas: {tier: all, platform: debian, connect: {ssh: root@a}, roles: [both]}\n\
             \x20 web: {tier: all, platform: debian, connect: {ssh: root@b}}\n";
        let fleet = parse(&Source::new("fleet.yaml", text), None).unwrap();
        let mut library = Library::built_in();
        library.roles.insert("both".to_owned(), role(resources));
        library.links = links(&fleet, &library);
        let half = LinkHalf {
            machine: "nas".to_owned(),
            key: "web.git".to_owned(),
            source: Source::new("half", HALF),
        };
        library.halves = vec![half];
        let machines = resolve_all(&fleet, &library)
            .map_err(|problems| problems.sorted().first().map(|one| one.message.clone()).unwrap())?;
        let door =
            of(&machines, "web").iter().find(|one| one.resource.id().target.contains("link/")).unwrap();
        let rendered = door.resource.rendered();
        let crate::resource::Content::Bytes(bytes) = &rendered[0].content else { panic!("no bytes") };
        Ok::<_, String>(String::from_utf8(bytes.to_vec()).unwrap())
    };
    let reads = "  - checkout: {path: /srv/a, remote: \"ssh://git@b/srv/a.git\", push-url: disabled}\n";
    let writes = "  - checkout: {path: /srv/c, remote: \"git@b:c.git\"}\n";
    assert!(
        said(reads).unwrap().starts_with(
            "restrict,command=\"case $SSH_ORIGINAL_COMMAND in \\\"git-upload-pack '/srv/a.git'\\\") exec git-shell -c \
             \\\"$SSH_ORIGINAL_COMMAND\\\" ;; esac; exit 1\" ssh-ed25519 "
        ),
        "{}",
        said(reads).unwrap()
    );
    let both = said(&format!("{reads}{writes}")).unwrap();
    assert!(
        both.contains(
            "in \\\"git-upload-pack '/srv/a.git'\\\"|\\\"git-upload-pack 'c.git'\\\"|\\\"git-receive-pack 'c.git'\\\")"
        ),
        "{both}"
    );
    let strange = "  - checkout: {path: /srv/a, remote: \"git@b:$(id).git\"}\n";
    assert_eq!(said(strange).unwrap_err(), "a key cannot be held to the repository `$(id).git`");
    // With another key nothing is made.
    let own = "  - checkout: {path: /srv/a, remote: \"git@b:a.git\", key: /root/k, known-hosts: /root/h}\n";
    let fleet = fleet("", "root@a", "root@b");
    let mut library = Library::built_in();
    library.roles.insert("both".to_owned(), role(own));
    assert!(links(&fleet, &library).is_empty());
}

#[test]
fn one_key_cannot_be_held_to_two_folders() {
    let rest = "links:\n  a: {from: nas, to: web, for: x, allow: {rsync: /srv/a}}\n  \
                b: {from: nas, to: web, for: x, allow: {rsync: /srv/b}}\n";
    let fleet = fleet(rest, "root@a", "root@b");
    let problems = resolve_all(&fleet, &library(&fleet, &["web.rsync"])).unwrap_err();
    assert_eq!(problems.sorted().first().unwrap().message, "one key for rsync would be held to two folders");
}

#[test]
fn a_host_that_is_not_pinned_blocks_the_key_and_says_how_to_pin_it() {
    let fleet = fleet(PULL, "root@a", "root@b:2222");
    let mut library = library(&fleet, &[]);
    library.hosts.clear();
    let machines = resolve_all(&fleet, &library).unwrap();
    let key = of(&machines, "nas").iter().find(|one| one.resource.id().kind == "link-key").unwrap();
    let shown = format!("{:?}", Arc::clone(&key.resource));
    assert!(
        shown.contains(
            "the host key of web ([b]:2222) is not pinned; compare what `ssh-keyscan -p 2222 b` says"
        ),
        "{shown}"
    );
}
