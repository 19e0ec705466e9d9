//! Fifty machines at once, of which some are in trouble.

use std::time::{Duration, Instant};

use crate::project::{Project, make_key};
use crate::rig::{Fault, Machine, Rig};

#[test]
fn fifty_machines_at_once_and_five_of_them_in_trouble() {
    let names: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();
    let machines: Vec<Machine> = names.iter().map(|name| Machine::plain(name).size("16m")).collect();
    let rig = Rig::start(&machines);
    let resources = "- file: {path: /etc/motd, content: hello}\n- directory: {path: /srv/a/b, owner: alice}";
    let project = rig
        .machines()
        .iter()
        .fold(Project::new(&rig), |project, machine| project.machine(machine, "root", "", resources));

    rig.machine("m3").fault(Fault::FreezeSshd);
    rig.machine("m7").fault(Fault::Stop);
    rig.machine("m30").check("rm /root/.ssh/authorized_keys");
    // m11 shows another key than the one that is pinned, m19 one that nobody has pinned.
    let other = make_key(&project.path("other"));
    let other: Vec<&str> = other.split(' ').take(2).collect();
    let known: String = std::fs::read_to_string(rig.known_hosts())
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with(&format!("{} ", rig.machine("m19").address())))
        .map(|line| {
            let m11 = rig.machine("m11").address();
            if line.starts_with(&format!("{m11} ")) {
                format!("{m11} {}\n", other.join(" "))
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    project.file("known_hosts", known);

    let start = Instant::now();
    let ran = project.apply(&[]);
    let took = start.elapsed();
    eprintln!("50 machines, one of them silent for the 30 s of a login: {took:?}");
    // A host key that does not fit is worse than a machine that is away.
    ran.expect(5);
    ran.says("its host key has changed").says("its host key is not pinned").says("Connection refused");
    ran.says("log in as root").says("no answer within 30 s");
    assert!(took < Duration::from_secs(60), "{took:?}");
    let bad = ["m3", "m7", "m11", "m19", "m30"];
    rig.machine("m3").fault(Fault::ThawSshd);
    rig.machine("m7").fault(Fault::Start);
    for machine in rig.machines() {
        let done = machine.sh("[ -d /srv/a/b ] && cat /etc/motd").text() == "hello";
        assert_eq!(done, !bad.contains(&machine.name()), "{}", machine.name());
    }
    // Those that only were away are done now; the others were.
    project.apply(&["-m", "m3", "-m", "m7", "-m", "m0"]).expect(0);
    project.plan(&["-m", "m3", "-m", "m7", "-m", "m0"]).expect(0);
}
