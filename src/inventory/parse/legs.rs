//! What a leg's two ends must be to each other.

use crate::inventory::fleet::{Backup, Endpoint};
use crate::model::{Diagnostic, Diagnostics};

/// Reports legs that do not touch the machine that runs them, legs onto themselves, and a
/// `backup-dir` that rclone would refuse.
pub(super) fn check(backups: &[Backup], problems: &mut Diagnostics) {
    for backup in backups {
        let (from, to) = (&backup.from, &backup.to);
        let here = |end: &Endpoint| matches!(end, Endpoint::Here(_));
        let run_on = &backup.run_on.value;
        if !here(&from.value) && !here(&to.value) {
            problems.push(
                Diagnostic::at(&backup.run_on.span, format!("neither end of the leg is on `{run_on}`"))
                    .expected("a machine that holds one of the ends")
                    .related(&from.span, "reads here")
                    .related(&to.span, "writes here"),
            );
        }
        if overlap(&from.value, &to.value) {
            problems.push(
                Diagnostic::at(&to.span, "the leg writes into what it reads")
                    .expected("a place outside the source, and not around it")
                    .related(&from.span, "reads here"),
            );
        }
        check_backup_dir(backup, problems);
    }
}

/// rclone refuses a `--backup-dir` that overlaps the destination (exit code 7, measured with 1.60).
fn check_backup_dir(backup: &Backup, problems: &mut Diagnostics) {
    let Some(folder) = &backup.backup_dir else { return };
    let aside = match &backup.to.value {
        Endpoint::Here(_) => Endpoint::Here(folder.value.clone()),
        Endpoint::Machine(machine, _) => Endpoint::Machine(machine.clone(), folder.value.clone()),
        Endpoint::Service(service, _) => Endpoint::Service(service.clone(), folder.value.clone()),
    };
    if !matches!(aside, Endpoint::Service(..))
        && !folder.value.starts_with('/')
        && !folder.value.starts_with("~/")
    {
        problems.push(
            Diagnostic::at(&folder.span, format!("`backup-dir`: `{}` is not an absolute path", folder.value))
                .expected("an absolute path on the machine the leg writes to"),
        );
    } else if overlap(&backup.to.value, &aside) {
        problems.push(
            Diagnostic::at(&folder.span, "`backup-dir` overlaps the destination")
                .expected("a place beside it, on the same machine or service")
                .related(&backup.to.span, "the destination"),
        );
    }
}

/// Whether one is the other or lies in it.
fn overlap(left: &Endpoint, right: &Endpoint) -> bool {
    match (left, right) {
        (Endpoint::Here(left), Endpoint::Here(right)) => nested(left, right),
        (Endpoint::Machine(on, left), Endpoint::Machine(other, right)) => on == other && nested(left, right),
        (Endpoint::Service(on, left), Endpoint::Service(other, right)) => on == other && nested(left, right),
        _ => false,
    }
}

fn nested(left: &str, right: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (left, right) = (parts(left), parts(right));
    left.starts_with(&right) || right.starts_with(&left)
}
