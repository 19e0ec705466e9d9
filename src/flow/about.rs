//! What a machine says it is, before the inventory knows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{MachineFacts, Platform};
use crate::resource::Question;
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: "about", posix: include_str!("about.sh"), needs: &[] };

/// How root's rights can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The login is root's.
    Root,
    /// By sudo, without a password.
    Sudo,
    /// By doas, without a password.
    Doas,
    /// By sudo, which asks for the login user's password.
    Password,
    /// Not at all.
    None,
}

/// What a machine says of itself. All texts are its own, and harmless only once a report has drawn them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What fleetprov takes it for; nothing when it is no system fleetprov knows.
    pub platform: Option<Platform>,
    /// Its distribution's name for people, or the kernel's.
    pub named: String,
    /// The processor (`uname -m`).
    pub arch: String,
    /// Its time zone, an IANA name; empty when it does not say.
    pub zone: String,
    /// Its host name.
    pub host: String,
    /// The login user.
    pub user: String,
    /// The login user's home.
    pub home: String,
    /// How root's rights can be had.
    pub rights: Rights,
    /// What the probe found besides.
    pub facts: MachineFacts,
}

/// Asks a machine what it is.
#[must_use]
pub fn about_question() -> Question {
    let nothing: [&str; 0] = [];
    Question::Ask { library: LIBRARY, call: Call::new("fp_about", nothing), within: None }
}

/// Reads the lines of the answer.
#[must_use]
pub fn read_about(lines: &[String], facts: MachineFacts) -> About {
    let value = |word: &str| {
        let found = lines.iter().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let bytes = found.and_then(|encoded| STANDARD.decode(encoded).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    };
    let named = value("named");
    About {
        platform: platform(&value("system"), &value("box"), &value("distribution"), &value("like")),
        named: if named.is_empty() { value("system") } else { named },
        arch: value("arch"),
        zone: value("zone"),
        host: value("host"),
        user: value("user"),
        home: value("home"),
        rights: match value("rights").as_str() {
            "root" => Rights::Root,
            "sudo" => Rights::Sudo,
            "doas" => Rights::Doas,
            "password" => Rights::Password,
            _ => Rights::None,
        },
        facts,
    }
}

fn platform(system: &str, sort: &str, distribution: &str, like: &str) -> Option<Platform> {
    let is_like = |name: &str| distribution == name || like.split(' ').any(|one| one == name);
    match (system, sort) {
        ("Darwin", _) => Some(Platform::Macos),
        (_, "synology") => Some(Platform::Synology),
        (_, "qnap") => Some(Platform::Qnap),
        ("Linux", _) if is_like("debian") || is_like("ubuntu") => Some(Platform::Debian),
        ("Linux", _) if is_like("alpine") => Some(Platform::Alpine),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Init;

    fn about(lines: &[(&str, &str)]) -> About {
        let lines: Vec<String> =
            lines.iter().map(|(word, value)| format!("{word} {}", STANDARD.encode(value))).collect();
        let facts = MachineFacts {
            uid: 0,
            home: None,
            init: Init::Systemd,
            system: "Linux".to_owned(),
            sshd: Vec::new(),
        };
        read_about(&lines, facts)
    }

    #[test]
    fn a_machine_is_known_by_what_it_says() {
        let debian = about(&[
            ("system", "Linux"),
            ("distribution", "debian"),
            ("named", "Debian GNU/Linux 12 (bookworm)"),
            ("rights", "password"),
            ("zone", "Europe/Berlin"),
        ]);
        assert_eq!(debian.platform, Some(Platform::Debian));
        assert_eq!((debian.rights, debian.zone.as_str()), (Rights::Password, "Europe/Berlin"));
        let mint = about(&[("system", "Linux"), ("distribution", "linuxmint"), ("like", "ubuntu debian")]);
        assert_eq!(mint.platform, Some(Platform::Debian));
        let nas = about(&[("system", "Linux"), ("box", "synology"), ("distribution", "debian")]);
        assert_eq!(nas.platform, Some(Platform::Synology));
        assert_eq!(about(&[("system", "Darwin")]).platform, Some(Platform::Macos));
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        let nothing = about(&[]);
        assert_eq!((nothing.platform, nothing.rights), (None, Rights::None));
        let lines = ["rights !!!".to_owned(), "named".to_owned(), String::new()];
        let facts = nothing.facts.clone();
        assert_eq!(read_about(&lines, facts).named, "");
    }
}
