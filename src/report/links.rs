//! Links: who opens whom with which key, and what to do with a key that opens something outside of the fleet.

use serde_json::Value as Json;

use super::layout::{Break, Line};
use super::safe;
use super::style::{Paint, Style};

/// One key of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The machine that has it.
    pub from: String,
    /// The key's name there.
    pub key: String,
    /// What it opens: a machine, or a service.
    pub whom: String,
    /// What for: `SFTP, reading`.
    pub uses: String,
    /// Whether it writes.
    pub writes: bool,
    /// Its public half and its fingerprint, when they are known.
    pub half: Option<(String, String)>,
    /// The address of the repository, when it is outside of the fleet and somebody has to let the key in there.
    pub service: Option<String>,
}

/// Draws the links, a line each; nothing when there are none.
#[must_use]
pub fn links(rows: &[LinkRow], style: Style) -> String {
    let mut text = String::new();
    if !rows.is_empty() {
        text.push('\n');
    }
    for row in rows {
        let known = row.half.as_ref().map_or("no key is known yet", |(_, fingerprint)| fingerprint);
        Line::default()
            .with(Paint::Strong, safe::line(&row.from, style))
            .with(Paint::Plain, format!("  opens {}  {}", safe::line(&row.whom, style), row.uses))
            .with(Paint::Faint, format!("  {known}"))
            .write(&mut text, style, Break::Words, &Line::indented(4));
    }
    text
}

/// Says where keys have to be added by hand; nothing for those that are not known yet.
#[must_use]
pub fn deploy_keys(rows: &[&LinkRow], style: Style) -> String {
    let mut text = String::new();
    for row in rows {
        let (Some((half, _)), Some(remote)) = (&row.half, &row.service) else { continue };
        let may = if row.writes { "it reads and writes" } else { "it only reads" };
        text.push('\n');
        let line = |text: &mut String, words: &str, by: usize| {
            let line = Line::indented(by).with(Paint::Plain, safe::line(words, style));
            line.write(text, style, Break::Words, &Line::indented(by));
        };
        let first = format!("{} opens {remote} with a key of its own, and {may}. Let it in there:", row.from);
        line(&mut text, &first, 0);
        // In one line, to be copied.
        text.push_str(&format!("  {}\n", safe::line(half, style)));
        let place = match github(remote) {
            Some(page) => {
                let allow = if row.writes { "with" } else { "without" };
                format!("on {page}: Settings, Deploy keys, Add deploy key, {allow} \"Allow write access\"")
            }
            None => "where that host keeps the keys of its repositories".to_owned(),
        };
        line(&mut text, &place, 2);
    }
    text
}

/// The page of a repository's settings at GitHub.
fn github(remote: &str) -> Option<String> {
    let rest = remote.split_once("://").map_or(remote, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let path = rest.strip_prefix("github.com")?.strip_prefix([':', '/'])?;
    let path = path.trim_matches('/');
    Some(format!("https://github.com/{}/settings/keys", path.strip_suffix(".git").unwrap_or(path)))
}

/// As it stands in JSON.
pub(super) fn value(row: &LinkRow) -> Json {
    serde_json::json!({
        "from": row.from,
        "key": row.key,
        "to": row.whom,
        "uses": row.uses,
        "public_key": row.half.as_ref().map(|(half, _)| half),
        "fingerprint": row.half.as_ref().map(|(_, fingerprint)| fingerprint),
        "remote": row.service,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::NARROW;

    fn row(remote: &str, writes: bool) -> LinkRow {
        LinkRow {
            from: "cc-pc".to_owned(),
            key: "dotfiles".to_owned(),
            whom: "dotfiles".to_owned(),
            uses: "git, reading".to_owned(),
            writes,
            half: Some(("ssh-ed25519 AAAA fleetprov:f:cc-pc:dotfiles".to_owned(), "SHA256:x".to_owned())),
            service: Some(remote.to_owned()),
        }
    }

    #[test]
    fn a_deploy_key_comes_with_what_to_do() {
        let said = |remote, writes| {
            deploy_keys(&[&row(remote, writes)], NARROW).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let words = said("git@github.com:me/dotfiles.git", true);
        assert!(
            words.contains(
                "https://github.com/me/dotfiles/settings/keys: Settings, Deploy keys, Add deploy key, with"
            ),
            "{words}"
        );
        let words = said("ssh://git@github.com/me/dotfiles", false);
        assert!(
            words.contains("me/dotfiles/settings/keys") && words.contains("without \"Allow write access\""),
            "{words}"
        );
        let words = said("git@git.example:dotfiles.git", false);
        assert!(
            words.contains("where that host keeps")
                && words.contains("ssh-ed25519 AAAA fleetprov:f:cc-pc:dotfiles"),
            "{words}"
        );
        let unknown = LinkRow { half: None, ..row("git@h:x", false) };
        assert_eq!(deploy_keys(&[&unknown], NARROW), "");
        assert!(links(&[unknown], NARROW).contains("no key is known yet"));
    }
}
