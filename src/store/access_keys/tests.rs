//! Access keys on a real disk.

use super::*;

fn names() -> (FleetName, MachineName) {
    (FleetName::new("lab").unwrap(), MachineName::new("box").unwrap())
}

fn identities(seat: &Path) -> Identities {
    let mut identities = Identities::default();
    identities.add_file(&seat.join(IDENTITY)).unwrap();
    identities
}

#[test]
fn a_key_is_made_once_sealed_and_opened_by_its_seat_alone() {
    let (fleet, machine) = names();
    let [here, there] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let keys = AccessKeys::new(here.path(), &fleet);
    let recipient = keys.recipient().unwrap().to_string();
    assert_eq!(keys.recipient().unwrap().to_string(), recipient);
    let mine = identities(here.path());
    let public = keys.make(&machine, Which::Current, "fleetprov lab", &mine).unwrap();
    assert!(public.starts_with("ssh-ed25519 ") && public.ends_with(" fleetprov lab"), "{public}");
    assert_eq!(keys.make(&machine, Which::Current, "again", &mine).unwrap(), public);
    assert_eq!(keys.machines(), std::slice::from_ref(&machine));
    let sealed = std::fs::read(keys.path(&machine, Which::Current)).unwrap();
    assert!(!sealed.windows(7).any(|part| part == b"OPENSSH"));
    AccessKeys::new(there.path(), &fleet).recipient().unwrap();
    let theirs = identities(there.path());
    let error = keys.open(&machine, Which::Current, &theirs).unwrap_err().to_string();
    assert!(error.contains("box.age") && error.contains("this seat's identity is"), "{error}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let (fleet, machine) = names();
    let seat = tempfile::tempdir().unwrap();
    let keys = AccessKeys::new(&seat.path().join("config"), &fleet);
    keys.recipient().unwrap();
    let mine = identities(&seat.path().join("config"));
    keys.make(&machine, Which::Current, "", &mine).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&keys.path(&machine, Which::Current)), 0o600);
    assert_eq!(mode(&seat.path().join("config/identity")), 0o600);
    assert_eq!(mode(&seat.path().join("config/lab/keys")), 0o700);
}

#[test]
fn an_exchange_leaves_a_key_at_every_point() {
    let (fleet, machine) = names();
    let seat = tempfile::tempdir().unwrap();
    let keys = AccessKeys::new(seat.path(), &fleet);
    keys.recipient().unwrap();
    let mine = identities(seat.path());
    let old = keys.make(&machine, Which::Current, "", &mine).unwrap();
    let new = keys.make(&machine, Which::Next, "", &mine).unwrap();
    assert_ne!(old, new);
    keys.promote(&machine).unwrap();
    // Once more, as after a run that was cut off.
    keys.promote(&machine).unwrap();
    assert_eq!(keys.public(&machine, Which::Current, &mine).unwrap(), new);
    assert_eq!(keys.public(&machine, Which::Former, &mine).unwrap(), old);
    assert!(!keys.has(&machine, Which::Next));
    keys.forget(&machine, Which::Former).unwrap();
    keys.forget(&machine, Which::Former).unwrap();
    assert!(!keys.has(&machine, Which::Former) && keys.has(&machine, Which::Current));
}

#[test]
fn the_seats_name_is_kept() {
    let seat = tempfile::tempdir().unwrap();
    let keys = AccessKeys::new(seat.path(), &names().0);
    assert_eq!(keys.seat_name(), None);
    keys.enrol_as("cc-pc").unwrap();
    assert_eq!(keys.seat_name().as_deref(), Some("cc-pc"));
}
