//! What follows when a file goes that systemd reads its units from.

use super::operation::Operation;
use crate::model::MachinePath;
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: "unit-files", posix: include_str!("unit_files.sh"), needs: &[] };

/// Where the units of a machine's administrator are (`systemd.unit(5)`).
const FOLDER: &str = "/etc/systemd/system/";

/// Makes systemd forget what was in a file, when it is one of a unit: `NAME`, `NAME.d/…`, `NAME.wants/…`.
pub(super) fn forget(path: &MachinePath) -> Option<Operation> {
    let below = path.as_str().strip_prefix(FOLDER)?;
    let unit = match below.split_once('/') {
        None => below,
        Some(_) => "",
    };
    let call = Call::new("fp_unit_file_gone", [unit]);
    Some(Operation { library: LIBRARY, call, payload: None, within: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_file_is_named() {
        let unit = |path: &str| {
            let operation = forget(&MachinePath::new(path).unwrap())?;
            operation.call.arguments.first().cloned()
        };
        assert_eq!(unit("/etc/systemd/system/a.service").as_deref(), Some("a.service"));
        assert_eq!(unit("/etc/systemd/system/a.service.d/b.conf").as_deref(), Some(""));
        assert_eq!(unit("/etc/systemd/system/b.target.wants/a.service").as_deref(), Some(""));
        assert_eq!(unit("/etc/systemd/network/a.network"), None);
    }
}
