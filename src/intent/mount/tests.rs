use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::units::READY;

/// Runs the preparation of an rclone mount with an `umount` that only notes its calls.
fn ready(folder: &std::path::Path, name: &str) -> (bool, bool) {
    let note = folder.join("called");
    let umount = folder.join("umount");
    std::fs::write(&umount, format!("#!/bin/sh\n: >'{}'\nexit 1\n", note.display())).unwrap();
    std::fs::set_permissions(&umount, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let status = Command::new("/bin/sh")
        .args(["-c", READY, "sh"])
        .arg(folder.join(name))
        .env("PATH", path)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    (status.success(), note.exists())
}

#[test]
fn a_folder_that_can_be_looked_at_is_never_unmounted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in use")).unwrap();
    assert_eq!(ready(folder.path(), "in use"), (true, false));
    assert_eq!(ready(folder.path(), "new/one"), (true, true));
    assert!(folder.path().join("new/one").is_dir());
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(!ready(folder.path(), "file").0);
}
