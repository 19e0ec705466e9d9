use super::parse;
use crate::inventory::{
    AllowedProgram, BackupMode, Endpoint, Fleet, Member, Membership, Pattern, PrivilegeKind, ServiceKind,
    Setting,
};
use crate::model::{Init, MachineName, Platform, ServiceName, Source};

const TEXT: &str = "\
fleet: whole
tiers:
  pcs: {pattern: primary-and-secondaries, primary: a, roles: [base, {web-host: {folder: /srv}}]}
  boxes: {pattern: hub-and-spoke, hub: n}
  cloud: {pattern: cloud-as-hub, hub: account}
machines:
  a: {tier: pcs, platform: debian, connect: {local: true, id: 0123456789abcdef0123456789abcdef, ssh: me@a}, privilege: sudo, home: /home/me/}
  n: {tier: boxes, platform: alpine, init: systemd, connect: {ssh: \"admin@[fe80::1]:2222\", key: keys/n, jump: [a]}, privilege: doas}
  m: {tier: boxes, platform: qnap, connect: {ssh: admin@m}, privilege: {sudo: {password: {secret: m-password}}}}
  phone: {tier: cloud, unmanaged: phone}
services:
  account: {kind: cloud}
  code: {kind: git, remote: \"git@host:code.git\"}
  store: {kind: rclone, type: b2, account: x, hard-delete: \"true\", key: {secret: b2-key}}
  bell: {kind: notify, url: \"https://ntfy.example\", topic: {secret: topic}}
surfaces:
  settings: {tier: pcs, via: code, paths: [CLAUDE.md, skills/], for: settings}
  queue: {tier: boxes, home: n, path: /srv//queue/, used-by: [pcs]}
links:
  deploy: {from: [a, n], to: m, via: ssh, for: deploys, allow: {sftp: /srv/, rsync: /x}}
backups:
  push: {run-on: a, from: ~/work, to: \"store:bucket/work\", at: \"0 3 * * *\"}
  pull:
    run-on: n
    from: m:/srv/sites
    to: n:/backup/
    at: '@daily'
    zone: Europe/Berlin
    spread: 10m
    catch-up: true
    mode: sync
    backup-dir: /old
    filters: [\"+ *.jpg\", \"- *\", \"!\"]
    bandwidth: 8M
    max-delete: 20
    sentinel: .here
known-hosts: known
secrets: sealed/
";

fn fleet() -> Fleet {
    parse(&Source::new("f.yaml", TEXT), None).unwrap()
}

#[test]
fn tiers_and_machines_are_read() {
    let fleet = fleet();
    assert_eq!(fleet.name.as_str(), "whole");
    let patterns: Vec<Pattern> = fleet.tiers.iter().map(|tier| tier.pattern).collect();
    assert_eq!(patterns, [Pattern::PrimaryAndSecondaries, Pattern::HubAndSpoke, Pattern::CloudAsHub]);
    assert_eq!(fleet.tiers[0].primary.as_ref().unwrap().value.as_str(), "a");
    assert_eq!(fleet.tiers[1].hub.as_ref().unwrap().value, Member::Machine(MachineName::new("n").unwrap()));
    let role = &fleet.tiers[0].roles[1];
    assert_eq!(role.role.value.as_str(), "web-host");
    assert_eq!(role.with.as_ref().unwrap().get("folder").unwrap().as_text(), Some("/srv"));

    let managed: Vec<_> = fleet.managed().map(|(_, managed)| managed).collect();
    let (a, n, m) = (managed[0], managed[1], managed[2]);
    assert!(a.connect.local && a.connect.id.is_some());
    assert_eq!((a.connect.user.as_deref(), a.connect.port), (Some("me"), 22));
    assert_eq!((a.init, a.home.as_deref()), (Init::Systemd, Some("/home/me")));
    assert_eq!(a.privilege, PrivilegeKind::Sudo(None));
    assert_eq!((n.platform, n.init, &n.privilege), (Platform::Alpine, Init::Systemd, &PrivilegeKind::Doas));
    assert_eq!((n.connect.host.as_ref().unwrap().value.as_str(), n.connect.port), ("fe80::1", 2222));
    assert_eq!(n.connect.jumps[0].value.as_str(), "a");
    assert_eq!(m.init, Init::Sysv, "only debian has systemd unless it is said");
    assert!(
        matches!(&m.privilege, PrivilegeKind::Sudo(Some(secret)) if secret.from.as_text() == "m-password")
    );
    let phone = fleet.machine("phone").unwrap();
    assert!(matches!(&phone.membership, Membership::Unmanaged(word) if word.value == "phone"));
}

#[test]
fn services_surfaces_and_links_are_read() {
    let fleet = fleet();
    match &fleet.service("code").unwrap().kind {
        ServiceKind::Git { remote, branch } => {
            assert_eq!((remote.value.as_str(), branch.as_str()), ("git@host:code.git", "main"));
        }
        other => panic!("{other:?}"),
    }
    match &fleet.service("store").unwrap().kind {
        ServiceKind::Rclone { backend, options, root } => {
            assert_eq!((backend.value.as_str(), root.as_str()), ("b2", ""));
            let names: Vec<&str> = options.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["account", "hard_delete", "key"], "in rclone's spelling");
            assert!(matches!(&options[2].1, Setting::Secret(secret) if secret.from.as_text() == "b2-key"));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        &fleet.service("bell").unwrap().kind,
        ServiceKind::Notify { topic: Some(Setting::Secret(_)), .. }
    ));
    assert_eq!(fleet.surfaces[0].paths[1].value, "skills/");
    assert_eq!(fleet.surfaces[0].purpose.as_ref().unwrap().value, "settings");
    assert_eq!(fleet.surfaces[1].path.as_ref().unwrap().value, "/srv/queue");
    assert_eq!(fleet.surfaces[1].used_by[0].value.as_str(), "pcs");
    let link = &fleet.links[0];
    assert_eq!((link.from.len(), link.to.len(), link.via.as_deref()), (2, 1, Some("ssh")));
    let allowed: Vec<_> = link.allow.iter().map(|allow| (allow.program, allow.path.value.as_str())).collect();
    assert_eq!(allowed, [(AllowedProgram::Rsync, "/x"), (AllowedProgram::Sftp, "/srv")]);
    assert_eq!(fleet.known_hosts.as_ref().unwrap().value, "known");
    assert_eq!(fleet.secrets.as_ref().unwrap().value, "sealed/");
}

#[test]
fn legs_are_read_and_a_path_on_the_runner_is_a_path_here() {
    let fleet = fleet();
    let (push, pull) = (&fleet.backups[0], &fleet.backups[1]);
    assert_eq!(push.from.value, Endpoint::Here("~/work".to_owned()));
    let store = ServiceName::new("store").unwrap();
    assert_eq!(push.to.value, Endpoint::Service(store, "bucket/work".to_owned()));
    assert_eq!(push.mode, BackupMode::Copy);
    assert!(push.when.catch_up.is_none() && push.when.spread.is_none());
    let m = MachineName::new("m").unwrap();
    assert_eq!(pull.from.value, Endpoint::Machine(m, "/srv/sites".to_owned()));
    assert_eq!(pull.to.value, Endpoint::Here("/backup".to_owned()));
    assert_eq!(pull.when.at.value, "@daily");
    assert_eq!(pull.when.zone.as_ref().unwrap().value, "Europe/Berlin");
    assert_eq!(pull.when.spread.as_ref().map(|spread| spread.value), Some(600));
    assert_eq!(pull.when.catch_up.as_ref().map(|flag| flag.value), Some(true));
    assert_eq!((pull.mode, pull.max_delete), (BackupMode::Sync, Some(20)));
    assert_eq!(pull.backup_dir.as_ref().unwrap().value, "/old");
    assert_eq!(pull.filters.len(), 3);
    assert_eq!(pull.bandwidth.as_ref().unwrap().value, "8M");
    assert_eq!(pull.sentinel.as_ref().unwrap().value, ".here");
}

#[test]
fn a_long_chain_of_jumps_is_no_circle() {
    let mut text = "fleet: f\ntiers: {t: {pattern: mesh}}\nmachines:\n".to_owned();
    for number in 0..5_000 {
        let jump = if number == 0 { String::new() } else { format!(", jump: [m{}]", number - 1) };
        text.push_str(&format!(
            "  m{number}: {{tier: t, platform: debian, connect: {{ssh: r@h{number}{jump}}}}}\n"
        ));
    }
    assert!(parse(&Source::new("f.yaml", text.clone()), None).is_ok());
    let circle = text.replacen("ssh: r@h0", "ssh: r@h0, jump: [m4999]", 1);
    let problems = parse(&Source::new("f.yaml", circle), None).unwrap_err();
    assert_eq!(problems.len(), 1);
    let message = &problems.sorted()[0].message;
    assert!(
        message.starts_with("the jumps lead in a circle: m") && message.contains(" -> ... -> "),
        "{message}"
    );
}
