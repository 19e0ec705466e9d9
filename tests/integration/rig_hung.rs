//! A mount that has hung: what is behind it is blocked, with the reason; everything else is not.

use std::time::{Duration, Instant};

use crate::project::Project;
use crate::rig::{Fault, Machine, Rig};

#[test]
fn a_mount_that_hangs_costs_only_what_is_behind_it() {
    let rig = Rig::start(&[Machine::systemd("droplet"), Machine::plain("hub"), Machine::plain("spare")]);
    let droplet = rig.machine("droplet");
    let key = std::fs::read(rig.client_key()).unwrap();
    droplet.write("/root/.ssh/id", &key);
    droplet.check("chmod 600 /root/.ssh/id; mkdir -p /mnt/hub /mnt/spare; ln -s /mnt/hub/share /srv/through");
    for (name, at) in [("hub", "/mnt/hub"), ("spare", "/mnt/spare")] {
        let machine = rig.machine(name);
        machine.check("mkdir -p /srv/x/share");
        droplet.check(&format!(
            "sshfs -o IdentityFile=/root/.ssh/id,StrictHostKeyChecking=no root@{}:/srv/x {at}",
            machine.address()
        ));
    }
    let resources = "\
- file: {path: /mnt/hub/share/file, content: one}
- file: {path: /srv/through/other, content: two}
- directory: {path: /mnt/hub/folder}
- file: {path: /mnt/spare/share/file, content: three}
- checkout: {path: /mnt/hub/share/tree, remote: 'file:///srv/none', branch: main}
- file: {path: /etc/motd, content: hello}
- link: {path: /srv/link, target: /mnt/hub/share}";
    let project = Project::new(&rig).machine(droplet, "root", "", resources);
    rig.machine("hub").fault(Fault::Freeze);

    let start = Instant::now();
    let ran = project.plan(&[]);
    let took = start.elapsed();
    eprintln!("a plan with a mount that hangs: {took:?}");
    ran.expect(1).says("/etc/motd").says("/mnt/spare/share/file");
    for path in ["/mnt/hub/share/file", "/srv/through/other", "/mnt/hub/folder", "/mnt/hub/share/tree"] {
        ran.says(&format!("{path} does not answer: the file system it is on hangs"));
    }
    assert!(took < Duration::from_secs(15), "{took:?}");

    project.apply(&[]).expect(3);
    assert_eq!(droplet.read("/etc/motd"), b"hello");
    assert_eq!(rig.machine("spare").read("/srv/x/share/file"), b"three");
    assert_eq!(droplet.check("readlink /srv/link"), "/mnt/hub/share");

    rig.machine("hub").fault(Fault::Thaw);
    let without = resources.lines().filter(|line| !line.contains("checkout")).collect::<Vec<_>>().join("\n");
    project.declare("droplet", &without);
    project.converge();
    assert_eq!(rig.machine("hub").read("/srv/x/share/other"), b"two");
}
