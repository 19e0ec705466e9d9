//! The way in to one machine, as far as it is that machine's own: the home of who logs in, the files that its
//! sshd is told to read, and the firewalls that its inventory declares. Beside the table of
//! [`super::way_in`], which holds for all.

use std::collections::BTreeSet;

use super::content::Content;
use super::declared::Declared;
use super::force::{Force, force};
use super::remnant::Touched;
use super::way_in::{is_read_at_login, mounted_by, unit_names};
use crate::model::{MachineFacts, MachinePath};

/// What the way in to one machine leads through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// The login user's home.
    home: Option<MachinePath>,
    /// Where sshd looks at each login: paths, or what they begin with when that ends in `/`.
    keys: BTreeSet<String>,
    /// What firewalls are made by: scripts, and the files that are given to them.
    walls: BTreeSet<String>,
    /// The units that do.
    units: BTreeSet<String>,
}

/// Settings of sshd that name files which it reads at each login (`sshd_config(5)`).
const SETTINGS: &[&str] =
    &["authorizedkeysfile", "authorizedkeyscommand", "authorizedprincipalsfile", "trustedusercakeys"];

/// Programs that make a firewall.
const WALLS: &[&str] = &[
    "nft",
    "iptables",
    "ip6tables",
    "iptables-restore",
    "ip6tables-restore",
    "ufw",
    "firewall-cmd",
    "ifconfig",
];

/// What `ip` changes the way with.
const NETS: &[&str] = &["link", "l", "route", "r", "ro", "addr", "a", "address", "rule", "ru"];

impl Ways {
    /// Those of a machine, by what it says of itself and what it is to be.
    #[must_use]
    pub fn new(facts: &MachineFacts, declared: &[Declared]) -> Self {
        let home = facts.home.as_deref().and_then(|home| MachinePath::new(home).ok());
        let mut ways = Self { home, ..Self::default() };
        facts.sshd.iter().for_each(|line| ways.read_setting(line));
        let texts: Vec<(String, String)> = declared.iter().flat_map(texts).collect();
        for (path, text) in &texts {
            if path.starts_with("/etc/ssh/sshd_config") {
                text.lines().for_each(|line| ways.read_setting(line));
            } else if text.starts_with("#!") && ways.read_walls(text.lines()) {
                ways.walls.insert(path.clone());
            }
        }
        // A unit may run one of those scripts.
        for (path, text) in &texts {
            let Some(unit) = unit_names(path).next().filter(|unit| unit.ends_with(".service")) else {
                continue;
            };
            let started = text.lines().filter(|line| line.starts_with("Exec"));
            let commands: Vec<&str> = started.filter_map(|line| Some(line.split_once('=')?.1)).collect();
            let runs = |line: &&str| words(line).any(|word| ways.walls.contains(word));
            if commands.iter().any(runs) | ways.read_walls(commands.iter().copied()) {
                ways.units.insert(unit.to_owned());
            }
        }
        ways
    }

    /// Whether the way in can depend on one of these things, by what is known of this machine.
    #[must_use]
    pub fn lead_through(&self, touched: &[Touched]) -> bool {
        touched.iter().any(|touched| match touched {
            Touched::Path(path) => {
                let mut units = unit_names(path.as_str());
                self.own(path).is_some() || units.any(|unit| self.needs_unit(unit))
            }
            Touched::Unit(name) => self.needs_unit(name),
            Touched::Crontab(_) | Touched::Other(_) => false,
        })
    }

    /// When a change of a path comes into force.
    #[must_use]
    pub fn force(&self, path: &MachinePath) -> Force {
        self.own(path).unwrap_or_else(|| force(path))
    }

    /// When a change of a path comes into force that this machine's own way leads through.
    fn own(&self, path: &MachinePath) -> Option<Force> {
        let text = path.as_str();
        let holds = |below: &str| below.strip_prefix(text).is_some_and(|rest| rest.starts_with('/'));
        let named = |names: &BTreeSet<String>| {
            names.iter().any(|name| {
                text == name || holds(name) || (name.ends_with('/') && text.starts_with(name.as_str()))
            })
        };
        if let Some(home) = &self.home {
            let below = text.strip_prefix(home.as_str()).and_then(|rest| rest.strip_prefix('/'));
            if home.is_within(path) || below.is_some_and(is_read_at_login) {
                return Some(Force::AtLogin);
            }
        }
        if named(&self.keys) {
            return Some(Force::AtLogin);
        }
        named(&self.walls).then_some(Force::Unknown)
    }

    fn needs_unit(&self, name: &str) -> bool {
        let over = mounted_by(name).and_then(|at| MachinePath::new(&at).ok());
        self.units.contains(name) || over.is_some_and(|at| self.own(&at) == Some(Force::AtLogin))
    }

    /// Takes a line of sshd's settings: `AuthorizedKeysFile /etc/keys/%u .ssh/more`.
    fn read_setting(&mut self, line: &str) {
        let mut words = line.split([' ', '\t', '=']).map(|word| word.trim_matches('"'));
        let mut words = words.by_ref().filter(|word| !word.is_empty());
        let Some(name) = words.next() else { return };
        if !SETTINGS.contains(&name.to_ascii_lowercase().as_str()) {
            return;
        }
        let home = self.home.as_ref().map(|home| home.as_str().trim_end_matches('/').to_owned());
        for word in words {
            let word = match (word.strip_prefix("%h/"), &home) {
                (Some(rest), Some(home)) => format!("{home}/{rest}"),
                (None, _) if word.starts_with('/') => word.to_owned(),
                (None, Some(home)) if name.eq_ignore_ascii_case("authorizedkeysfile") && word != "none" => {
                    format!("{home}/{word}")
                }
                _ => continue,
            };
            // What a user's name takes part in is known by the folder only.
            let known = match word.split_once('%') {
                Some((before, _)) => {
                    before.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned() + "/"
                }
                None => word,
            };
            if known != "/" {
                self.keys.insert(known);
            }
        }
    }

    /// Takes commands that make a firewall: the files that they name. Whether there are any.
    fn read_walls<'t>(&mut self, lines: impl Iterator<Item = &'t str>) -> bool {
        let mut any = false;
        for line in lines.filter(|line| !line.trim_start().starts_with('#')) {
            let words: Vec<&str> = words(line).collect();
            let program = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
            let makes = words.iter().enumerate().any(|(place, word)| {
                let program = program(word);
                let mut rest = words.iter().skip(place + 1).skip_while(|word| word.starts_with('-'));
                WALLS.contains(&program.as_str())
                    || (program == "ip" && rest.next().is_some_and(|next| NETS.contains(next)))
            });
            if makes {
                any = true;
                let files = words.iter().filter(|word| word.starts_with('/') && !word.starts_with("/dev/"));
                self.walls.extend(files.map(|word| (*word).to_owned()));
            }
        }
        any
    }
}

/// The words of a command, of one in a unit without the signs before it (`systemd.service(5)`).
fn words(line: &str) -> impl Iterator<Item = &str> {
    let ends = |letter: char| letter.is_whitespace() || "\"'`;|&()<>{}=@!:$+".contains(letter);
    let words = line.split(ends).filter(|word| !word.is_empty());
    words.map(|word| word.strip_prefix('-').filter(|rest| rest.starts_with('/')).unwrap_or(word))
}

/// The files that a resource writes, or parts of them, as far as they are texts that may be looked at.
fn texts(one: &Declared) -> Vec<(String, String)> {
    let rendered = one.resource.rendered().into_iter();
    rendered
        .filter_map(|rendered| {
            let Content::Bytes(bytes) = &rendered.content else { return None };
            let path = rendered.path.split('#').next()?;
            Some((path.to_owned(), std::str::from_utf8(bytes).ok()?.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Init, Source, Span};
    use crate::resource::declared::Origin;
    use crate::resource::file::File;

    fn file(path: &str, text: &str) -> Declared {
        let source = Source::new("test.yaml", "test");
        let origin = Origin { from: "role test".to_owned(), span: Span::new(&source, 0, 4) };
        let path = MachinePath::new(path).unwrap();
        let content = Content::Bytes(Arc::from(text.as_bytes()));
        Declared::new(File { path, content, owner: "root".to_owned(), group: None, mode: 0o644 }, origin)
    }

    fn ways(home: &str, sshd: &[&str], declared: &[Declared]) -> Ways {
        let sshd = sshd.iter().map(|line| (*line).to_owned()).collect();
        let home = Some(home.to_owned());
        let facts = MachineFacts { uid: 0, home, init: Init::Systemd, system: "Linux".to_owned(), sshd };
        Ways::new(&facts, declared)
    }

    fn path(ways: &Ways, path: &str) -> bool {
        ways.lead_through(&[Touched::Path(MachinePath::new(path).unwrap())])
    }

    fn unit(ways: &Ways, name: &str) -> bool {
        ways.lead_through(&[Touched::Unit(name.to_owned())])
    }

    #[test]
    fn the_home_of_who_logs_in_is_theirs_wherever_it_is() {
        let ways = ways("/srv/users/alice", &[], &[]);
        for one in [
            "/srv/users/alice",
            "/srv/users",
            "/srv",
            "/srv/users/alice/.bashrc",
            "/srv/users/alice/.config/fish/config.fish",
            "/etc/systemd/system/srv-users.mount",
            "/etc/systemd/system/local-fs.target.wants/srv-users-alice.automount",
        ] {
            assert!(path(&ways, one), "{one}");
        }
        for one in [
            "/srv/users/bob",
            "/srv/users/alice/notes",
            "/root/.bashrc",
            "/etc/systemd/system/srv-users-bob.mount",
            "/srv/users/alice.d",
        ] {
            assert!(!path(&ways, one), "{one}");
        }
        assert!(unit(&ways, "srv-users-alice.mount") && unit(&ways, "srv.automount"));
        assert!(!unit(&ways, "srv-data.mount"));
    }

    #[test]
    fn keys_are_where_sshd_says() {
        let declared = [file("/etc/ssh/sshd_config.d/1.conf", "  TrustedUserCAKeys=/etc/ca/users.pub\n")];
        let ways = ways("/root", &["AuthorizedKeysFile /etc/keys/%u .keys/mine %h/.k", "X /x"], &declared);
        for one in ["/etc/keys", "/etc/keys/root", "/root/.keys/mine", "/root/.keys", "/root/.k"] {
            assert!(path(&ways, one), "{one}");
            assert_eq!(ways.force(&MachinePath::new(one).unwrap()), Force::AtLogin);
        }
        assert!(path(&ways, "/etc/ca/users.pub") && path(&ways, "/etc/ca"));
        for one in ["/etc/keysmith", "/x", "/etc/ca/others.pub"] {
            assert!(!path(&ways, one), "{one}");
        }
    }

    #[test]
    fn firewalls_of_ones_own_are_known_by_what_they_run() {
        let declared = [
            file(
                "/etc/systemd/system/firewall.service",
                "[Service]\nExecStart=/usr/sbin/nft -f /etc/my.nft\n",
            ),
            file("/usr/local/sbin/wall", "#!/bin/sh\n# nft\niptables-restore </etc/my.rules\n"),
            file("/etc/systemd/system/wall.service", "[Service]\nExecStart=-/usr/local/sbin/wall up\n"),
            file("/usr/local/sbin/route", "#!/bin/sh\nip -4 route add default via 10.0.0.1\n"),
            file("/usr/local/sbin/look", "#!/bin/sh\n# nft\nip -V; echo nftables\n"),
            file("/etc/motd", "this machine has nft\n"),
            file("/etc/systemd/system/look.service", "[Service]\nExecStart=/usr/local/sbin/look\n"),
        ];
        let ways = ways("/root", &[], &declared);
        for one in ["/etc/my.nft", "/usr/local/sbin/wall", "/etc/my.rules", "/usr/local/sbin/route"] {
            assert!(path(&ways, one), "{one}");
            assert_eq!(ways.force(&MachinePath::new(one).unwrap()), Force::Unknown);
        }
        assert!(unit(&ways, "firewall.service") && unit(&ways, "wall.service"));
        assert!(path(&ways, "/etc/systemd/system/wall.service"));
        for one in ["/usr/local/sbin/look", "/etc/motd", "/etc/systemd/system/look.service"] {
            assert!(!path(&ways, one), "{one}");
        }
        assert!(!unit(&ways, "look.service"));
    }
}
