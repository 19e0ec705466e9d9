//! The rig is what it promises: real machines, real faults, nothing left.

use crate::rig::{Fault, Machine, Rig};

#[test]
fn a_systemd_machine_is_running_without_a_failed_unit() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    assert_eq!(droplet.check("systemctl is-system-running"), "running");
    assert_eq!(droplet.check("systemctl --failed --no-legend"), "");
    assert_eq!(droplet.check("hostname"), "droplet");
    droplet.fault(Fault::Reboot);
    assert_eq!(droplet.check("systemctl is-system-running"), "running");
}
