//! A secret shows nowhere on its way: not in a process list, an environment, a log, or what is printed.

use crate::project::Project;
use crate::rig::{Machine, Rig};

#[test]
fn nothing_of_a_secret_shows_on_the_machine() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    let resources = "\
- file: {path: /etc/token, secret: marker}
- file: {path: /home/alice/token, owner: alice, secret: marker}
- ini-keys: {path: /etc/app.ini, sections: {main: {password: {secret: marker}}}}
- ini-keys: {path: /home/alice/app.ini, owner: alice, sections: {main: {password: {secret: marker}}}}";
    // Looks at what every process is called with, all the time; as a user where users may look.
    droplet.write(
        "/root/watch",
        b"echo $$ >/root/watcher; while :; do for p in /proc/[0-9]*; do { tr '\\0' ' ' <$p/cmdline; echo; tr '\\0' '\\n' <$p/environ; } 2>/dev/null; done; done >/root/seen\n",
    );
    droplet.check("setsid sh /root/watch >/dev/null 2>&1 </dev/null &");
    for (user, privilege) in [
        ("root", ""),
        ("operator", "privilege: sudo"),
        ("sudoer", "privilege: {sudo: {password: {secret: sudo-password}}}"),
    ] {
        let project = Project::new(&rig).machine(droplet, user, privilege, resources);
        let in_place = project.sealed(b"the-marker-secret");
        project.declare(
            "droplet",
            &format!("{resources}\n- file: {{path: /etc/in-place, sealed: \"{in_place}\"}}"),
        );
        project.secret("marker", b"the-marker-secret");
        project.secret("sudo-password", rig.password().as_bytes());
        project.plan(&["-vv"]).expect(2).hides("the-marker-secret").hides(&rig.password());
        project.apply(&["-vv", "--json"]).expect(0).hides("the-marker-secret").hides(&rig.password());
        for path in ["/etc/token", "/home/alice/token"] {
            droplet.write(path, b"husk");
        }
        project.plan(&[]).expect(2).hides("husk").hides("the-marker-secret");
        project.converge();
        assert_eq!(droplet.read("/home/alice/token"), b"the-marker-secret");
        assert_eq!(droplet.read("/etc/in-place"), b"the-marker-secret");
        droplet.check("rm /etc/token /etc/in-place /home/alice/token /etc/app.ini /home/alice/app.ini");
        // The next login is another fleet's, as far as the machine knows.
        droplet.check("rm -rf /var/lib/fleetprov");
    }
    droplet.check("kill $(cat /root/watcher)");
    let seen = droplet.check("cat /root/seen");
    assert!(seen.matches("fp_orders").count() > 3, "it looked while sessions ran");
    for hidden in ["the-marker-secret", "husk", &rig.password()] {
        assert!(!seen.contains(hidden), "{hidden} was seen");
    }
    // Nor a digest, from which it could be guessed: there are sixty-four hexadecimal digits in none.
    let digest =
        seen.split(|character: char| !character.is_ascii_hexdigit()).find(|digits| digits.len() == 64);
    assert_eq!(digest, None);
    let journal = droplet.check("journalctl --no-pager");
    assert!(!journal.contains("the-marker-secret") && !journal.contains(&rig.password()));
}
