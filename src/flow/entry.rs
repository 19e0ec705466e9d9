//! A new machine's entry in the inventory, from what it says it is. Pure.

use super::about::{About, Rights};
use crate::inventory::edit::Content;
use crate::model::{Init, Platform};

/// What a person wants of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryWish {
    /// The tier.
    pub tier: String,
    /// `USER@HOST` or `USER@HOST:PORT`.
    pub login: String,
    /// The roles.
    pub roles: Vec<String>,
    /// The name of the secret that holds the password for sudo, when that asks for one.
    pub password: String,
}

/// Why a machine cannot be managed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no system that fleetprov knows.
    #[error("manage it: it says it is {0}, which is no system fleetprov knows")]
    Unknown(String),
    /// It is one whose turn has not come.
    #[error("manage it: platform {0} is not supported yet")]
    Unsupported(Platform),
}

/// The keys and values of the entry, in order: only what does not follow from the rest.
///
/// # Errors
/// [`Unfit`].
pub fn entry(about: &About, wish: &EntryWish) -> Result<Vec<(String, Content)>, Unfit> {
    let platform = about.platform.ok_or_else(|| Unfit::Unknown(about.named.clone()))?;
    if !platform.is_supported() {
        return Err(Unfit::Unsupported(platform));
    }
    let mut fields = vec![
        ("tier".to_owned(), Content::from(wish.tier.as_str())),
        ("platform".to_owned(), Content::from(platform.to_string())),
    ];
    if about.facts.init != Init::Systemd {
        fields.push(("init".to_owned(), Content::from(about.facts.init.to_string())));
    }
    let connect = Content::Map(vec![("ssh".to_owned(), Content::from(wish.login.as_str()))]);
    fields.push(("connect".to_owned(), connect));
    let home = about.facts.home.as_ref().unwrap_or(&about.home);
    if *home != platform.default_home(&about.user) {
        fields.push(("home".to_owned(), Content::from(home.as_str())));
    }
    let map = |key: &str, value: Content| Content::Map(vec![(key.to_owned(), value)]);
    let privilege = match about.rights {
        Rights::Root | Rights::None => None,
        Rights::Sudo => Some(Content::from("sudo")),
        Rights::Doas => Some(Content::from("doas")),
        Rights::Password => {
            let secret = map("secret", Content::from(wish.password.as_str()));
            Some(map("sudo", map("password", secret)))
        }
    };
    fields.extend(privilege.map(|privilege| ("privilege".to_owned(), privilege)));
    if !wish.roles.is_empty() {
        let roles = wish.roles.iter().map(|role| Content::from(role.as_str())).collect();
        fields.push(("roles".to_owned(), Content::List(roles)));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MachineFacts;

    fn about(platform: Option<Platform>, user: &str, rights: Rights) -> About {
        let facts = MachineFacts {
            uid: 0,
            home: Some(if user == "root" { "/root".to_owned() } else { format!("/home/{user}") }),
            init: Init::Systemd,
            system: "Linux".to_owned(),
            sshd: Vec::new(),
        };
        About {
            platform,
            named: "Plan 9".to_owned(),
            arch: "x86_64".to_owned(),
            zone: String::new(),
            host: "box".to_owned(),
            user: user.to_owned(),
            home: "/".to_owned(),
            rights,
            facts,
        }
    }

    fn wish() -> EntryWish {
        EntryWish {
            tier: "all".to_owned(),
            login: "root@10.0.0.1".to_owned(),
            roles: Vec::new(),
            password: "box-sudo".to_owned(),
        }
    }

    fn names(fields: &[(String, Content)]) -> Vec<&str> {
        fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn only_what_does_not_follow_is_written() {
        let root = entry(&about(Some(Platform::Debian), "root", Rights::Root), &wish()).unwrap();
        assert_eq!(names(&root), ["tier", "platform", "connect"]);
        let mut other = about(Some(Platform::Debian), "ops", Rights::Password);
        other.facts.init = Init::Sysv;
        other.facts.home = Some("/srv/ops".to_owned());
        let wish = EntryWish { roles: vec!["base".to_owned()], ..wish() };
        let fields = entry(&other, &wish).unwrap();
        assert_eq!(names(&fields), ["tier", "platform", "init", "connect", "home", "privilege", "roles"]);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        let unknown = entry(&about(None, "root", Rights::Root), &wish()).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "manage it: it says it is Plan 9, which is no system fleetprov knows"
        );
        let alpine = entry(&about(Some(Platform::Alpine), "root", Rights::Root), &wish()).unwrap_err();
        assert_eq!(alpine.to_string(), "manage it: platform alpine is not supported yet");
    }
}
