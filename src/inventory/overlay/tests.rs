use crate::inventory::{Fleet, Membership, PrivilegeKind, ServiceKind, parse};
use crate::model::{Platform, Source};

const BASE: &str = "\
fleet: f
vars: {site: base, owner: me}
tiers: {pcs: {pattern: mesh}}
machines:
  a:
    tier: pcs
    platform: synology
    connect: {ssh: root@10.0.0.1, key: keys/a, jump: [b]}
    privilege: {sudo: {password: {secret: a-password}}}
    vars: {folder: /base, kept: yes}
  b: {tier: pcs, platform: debian, connect: {ssh: root@10.0.0.2}}
services:
  store: {kind: rclone, type: b2, account: {secret: b2-account}}
  code: {kind: git, remote: \"git@host:code.git\", branch: live}
known-hosts: known_hosts
";

const OVER: &str = "\
machines:
  a:
    platform: debian
    connect: {ssh: \"root@127.0.0.1:2201\", jump: ~}
    privilege: ~
    vars: {folder: /over}
services:
  store: {kind: rclone, type: local, root: /srv/store}
  code: {remote: /srv/code.git}
  new: {kind: cloud}
vars: {site: over}
known-hosts: over/known_hosts
";

fn laid_over() -> Fleet {
    let (base, over) = (Source::new("base.yaml", BASE), Source::new("over.yaml", OVER));
    parse(&base, Some(&over)).unwrap()
}

#[test]
fn another_address_has_no_former_one_of_the_old() {
    let base = BASE.replace(
        "ssh: root@10.0.0.2",
        "ssh: root@10.0.0.2, was: root@10.0.0.9, was-key: keys/old, key: keys/b",
    );
    let of = |over: &str| {
        let (base, over) = (Source::new("base.yaml", base.clone()), Source::new("over.yaml", over));
        let fleet = parse(&base, Some(&over)).unwrap();
        let Membership::Managed(managed) = &fleet.machine("b").unwrap().membership else { panic!() };
        managed.connect.former.as_ref().map(|former| former.host.value.clone())
    };
    assert_eq!(of("machines: {b: {connect: {key: keys/other}}}").as_deref(), Some("10.0.0.9"));
    assert_eq!(of("machines: {b: {connect: {ssh: root@127.0.0.1}}}"), None);
    let own = "machines: {b: {connect: {ssh: root@127.0.0.1, was: \"root@127.0.0.1:2201\"}}}";
    assert_eq!(of(own).as_deref(), Some("127.0.0.1"));
}

#[test]
fn maps_merge_and_other_values_replace() {
    let fleet = laid_over();
    let machine = fleet.machine("a").unwrap();
    let Membership::Managed(managed) = &machine.membership else { panic!("{machine:?}") };
    assert_eq!(managed.platform, Platform::Debian);
    assert_eq!(managed.privilege, PrivilegeKind::Login, "a null takes away");
    let connect = &managed.connect;
    assert_eq!((connect.user.as_deref(), connect.port), (Some("root"), 2201));
    assert_eq!(connect.key.as_ref().unwrap().value, "keys/a", "what the overlay does not name stays");
    assert_eq!(connect.jumps, [], "a null takes away");
    let var = |key| machine.vars.as_ref().unwrap().get(key).unwrap().as_text().unwrap();
    assert_eq!((var("folder"), var("kept")), ("/over", "yes"));
    let var = |key| fleet.vars.as_ref().unwrap().get(key).unwrap().as_text().unwrap();
    assert_eq!((var("site"), var("owner")), ("over", "me"));
    assert!(fleet.service("new").is_some());
}

#[test]
fn a_service_of_another_kind_leaves_no_options_behind() {
    let fleet = laid_over();
    match &fleet.service("store").unwrap().kind {
        ServiceKind::Rclone { backend, options, root } => {
            assert_eq!((backend.value.as_str(), options.len(), root.as_str()), ("local", 0, "/srv/store"));
        }
        other => panic!("{other:?}"),
    }
    match &fleet.service("code").unwrap().kind {
        ServiceKind::Git { remote, branch } => {
            assert_eq!((remote.value.as_str(), branch.as_str()), ("/srv/code.git", "live"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn places_point_into_the_file_they_came_from() {
    let fleet = laid_over();
    let Membership::Managed(managed) = &fleet.machine("a").unwrap().membership else { panic!() };
    let file = |span: &crate::model::Span| span.source().name().to_owned();
    assert_eq!(file(&managed.connect.host.as_ref().unwrap().span), "over.yaml");
    assert_eq!(file(&managed.connect.key.as_ref().unwrap().span), "base.yaml");
    assert_eq!(file(&fleet.machine("a").unwrap().span), "base.yaml");
    assert_eq!(file(&fleet.known_hosts.as_ref().unwrap().span), "over.yaml");
    assert_eq!(file(&fleet.service("new").unwrap().span), "over.yaml");
    assert_eq!(fleet.source.name(), "base.yaml");
}

#[test]
fn an_empty_overlay_changes_nothing() {
    let base = Source::new("base.yaml", BASE);
    let plain = parse(&base, None).unwrap();
    let over = parse(&base, Some(&Source::new("over.yaml", "# nothing\n"))).unwrap();
    assert_eq!(format!("{plain:?}"), format!("{over:?}"));
}
