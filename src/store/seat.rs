//! The computer fleetprov runs on.

/// What tells this computer from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its host name, lower case, without a domain.
    pub host_name: String,
    /// Its machine id (machine-id(5)); empty where there is none.
    pub machine_id: String,
}

impl Seat {
    /// This computer.
    #[must_use]
    pub fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let mut host_name = read("/proc/sys/kernel/hostname");
        if host_name.is_empty() {
            host_name =
                std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME")).unwrap_or_default();
        }
        let host_name = host_name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        Self { host_name, machine_id: read("/etc/machine-id") }
    }

    /// Who sits here: `user@host`.
    #[must_use]
    pub fn who(&self) -> String {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let plain = |text: &str| text.chars().filter(|one| !one.is_control()).take(60).collect::<String>();
        format!("{}@{}", plain(&user.unwrap_or_else(|| "somebody".to_owned())), plain(&self.host_name))
    }

    /// Whether a machine that is declared `local` is this computer: by its id when one is declared,
    /// by its name otherwise.
    #[must_use]
    pub fn is(&self, machine: &str, id: Option<&str>) -> bool {
        match id {
            Some(id) => !self.machine_id.is_empty() && self.machine_id == id,
            None => self.host_name == machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_here_by_id_or_by_name() {
        let seat = Seat { host_name: "cc-pc".to_owned(), machine_id: "abc".to_owned() };
        assert!(seat.is("cc-pc", None));
        assert!(!seat.is("hs-pc", None));
        assert!(seat.is("hs-pc", Some("abc")));
        assert!(!seat.is("cc-pc", Some("def")));
        let nameless = Seat { host_name: "x".to_owned(), machine_id: String::new() };
        assert!(!nameless.is("x", Some("")));
    }
}
