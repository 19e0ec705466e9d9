//! Mounts that are really there: the hub's folder on a spoke, by sshfs and by rclone, on demand, and
//! put back when somebody takes them away.

use crate::project::Project;
use crate::rig::{Machine, Rig};

#[test]
fn the_hub_is_read_over_rclone_and_over_sshfs_and_a_mount_taken_away_comes_back() {
    let rig = Rig::start(&[Machine::systemd("nas"), Machine::systemd("desk")]);
    let (hub, spoke) = (rig.machine("nas"), rig.machine("desk"));
    hub.check("mkdir -p /srv/fleet/log && echo from the hub >/srv/fleet/log/known");
    let resources = "\
        - directory: {path: /mnt/by-sshfs}\n\
        - directory: {path: /mnt/by-rclone}\n\
        - role: {name: spoke, with: {hub: nas, folder: /srv/fleet, mount: /mnt/by-sshfs, by: sshfs}}\n\
        - role: {name: spoke, with: {hub: nas, folder: /srv/fleet, mount: /mnt/by-rclone, by: rclone}}";
    let project = Project::new(&rig)
        .machine(hub, "root", "", "  - directory: {path: /srv/fleet/log}")
        .machine(spoke, "root", "", resources);
    project.converge();
    for (path, kind) in [("/mnt/by-sshfs", "fuse.sshfs"), ("/mnt/by-rclone", "fuse.rclone")] {
        assert_eq!(spoke.check(&format!("cat {path}/log/known")).trim(), "from the hub", "{kind}");
        let mounts = spoke.check("cat /proc/self/mounts");
        assert!(mounts.lines().any(|line| line.contains(&format!(" {path} {kind} "))), "{mounts}");
    }
    spoke.check("echo from the spoke >/mnt/by-rclone/log/answer && sync -f /mnt/by-rclone/log || true");
    spoke.check("for i in $(seq 50); do [ -e /mnt/by-sshfs/log/answer ] && exit; sleep 0.2; done; exit 1");
    assert_eq!(hub.check("cat /srv/fleet/log/answer").trim(), "from the spoke");

    spoke.check("systemctl stop mnt-by\\\\x2dsshfs.mount");
    let shown = project.plan(&[]).expect(2).to_string();
    assert!(
        shown.contains("active inactive → active") || shown.contains("active inactive -> active"),
        "{shown}"
    );
    project.converge();
    assert_eq!(spoke.check("cat /mnt/by-sshfs/log/known").trim(), "from the hub");

    // Both leave: unmounted, forgotten, and their folders with them.
    project.declare("desk", "  []");
    project.apply(&["--allow-prune"]).expect(0);
    project.plan(&[]).expect(0);
    let mounts = spoke.check("cat /proc/self/mounts");
    assert!(!mounts.contains(" /mnt/"), "{mounts}");
    assert_eq!(spoke.check("ls -A /mnt"), "");
    assert_eq!(spoke.check("ls /etc/systemd/system | grep -e mnt -e fleetprov; true"), "");
    let units =
        "systemctl list-units --all --no-legend --plain '*mnt*' 'fleetprov*' | grep -v ' not-found '; true";
    assert_eq!(spoke.check(units), "");
    assert_eq!(hub.check("cat /srv/fleet/log/known").trim(), "from the hub");
}
