//! `checkout`: a folder that is a git checkout of one branch of one remote.
//!
//! Where its branch stands is status, not plan: the first apply clones the remote's head, and what
//! pulls later is a schedule. Local changes and commits are never overwritten.

mod left;
mod link;

use serde_json::{Value as Json, json};

use super::answer::{Answers, ObserveError, PathFacts, PathType};
use super::declared::{Declared, Origin, Resource};
use super::difference::{Action, Comparison, Detail, Difference};
use super::operation::Operation;
use super::question::{Question, Want};
use super::reading::Reading;
use super::remnant::Touched;
use super::{aspects, lines, ownership, way_in};
use crate::model::{Aspect, Aspects, Diagnostics, Fields, MachinePath, Node, ResourceId};
use crate::shell::{Call, Library, posix};

pub(super) use left::recall;

/// The word of the inventory.
pub const KIND: &str = "checkout";

const LIBRARY: Library = Library { name: KIND, posix: include_str!("checkout.sh"), needs: &[] };

/// A git checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The folder.
    pub path: MachinePath,
    /// Where it is cloned from, as [`remote_from`] takes it.
    pub remote: String,
    /// The branch that is checked out and that the remote has.
    pub branch: String,
    /// Who owns the folder; git runs as this user.
    pub owner: String,
    /// Where pushes go, when elsewhere than to the remote: a word such as `disabled` makes them fail.
    pub push_url: Option<String>,
    /// The private key that opens the remote, when it is not one that ssh finds by itself.
    pub key: Option<MachinePath>,
    /// The file of the remote's host keys, when it is not the owner's.
    pub known_hosts: Option<MachinePath>,
}

/// Checks a remote: a URL, `host:path` or an absolute path, in one line and without a password.
///
/// # Errors
/// A text that says what is wrong.
pub fn remote_from(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with('-') || text.chars().any(|one| one.is_control() || one == ' ') {
        return Err(format!("`{text}` is not a git remote"));
    }
    // git hands what stands before `::` to a program of that name.
    if text
        .split_once("::")
        .is_some_and(|(helper, _)| helper.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        return Err(format!("`{text}` names a git helper program"));
    }
    let user = text
        .split_once("://")
        .map(|(_, rest)| rest.split('/').next().unwrap_or_default())
        .and_then(|authority| authority.rsplit_once('@').map(|(user, _)| user));
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    if user.is_some_and(|user| user.contains(':') || is_web) {
        return Err("the remote holds a password, which would show in plans and in the repository".to_owned());
    }
    Ok(text.to_owned())
}

/// Checks a branch's name by the rules of `git check-ref-format` (2.47).
///
/// # Errors
/// A text that says what is wrong.
pub fn branch_from(text: &str) -> Result<String, String> {
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let is_bad = text.starts_with('-')
        || text.ends_with('.')
        || text == "@"
        || text == "HEAD"
        || text.contains("..")
        || text.contains("@{")
        || text.chars().any(|one| one.is_control() || " ~^:?*[\\".contains(one))
        || text.split('/').any(bad_part);
    if is_bad { Err(format!("`{text}` is not a branch's name")) } else { Ok(text.to_owned()) }
}

/// Reads `checkout: {path, remote, branch, owner, push-url, key, known-hosts}`; the branch is `main`
/// unless given. A remote over SSH that is a machine's or a service's of the fleet is opened with a key of its
/// own unless another one is given.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let expected = "a git remote without a password such as git@github.com:owner/name.git";
    let remote = fields.required("remote", expected, remote_from);
    let branch_node = fields.node("branch").is_some();
    let branch = fields.parsed("branch", "a branch's name such as main", branch_from);
    let owner = ownership::read_account(&mut fields, "owner");
    let push_url = fields.parsed("push-url", "a git remote, or a word such as disabled", remote_from);
    let key = fields.text("key").and_then(|path| reading.path(&path, fields.problems()));
    let known_hosts = fields.text("known-hosts").and_then(|path| reading.path(&path, fields.problems()));
    fields.close();
    let branch = if branch_node { branch } else { Some("main".to_owned()) };
    let (Some(path), Some(remote), Some(branch)) = (path, remote, branch) else { return Vec::new() };
    let owner = owner.unwrap_or_else(|| reading.owner_of(&path));
    let link = link::Link::of(&remote, &owner, reading);
    let (key, known_hosts) = match (&link, key) {
        (Some(link), None) => (link.key(), known_hosts.or_else(|| link.known_hosts())),
        (_, key) => (key, known_hosts),
    };
    let opens = link.and_then(|link| link.opens(key.as_ref()?, &remote, push_url.is_none()));
    let checkout = Checkout { path, remote, branch, owner, push_url, key, known_hosts };
    let first = checkout.needs();
    // A repository on a machine of the fleet has to be there before it can be cloned.
    let awaits = host_of(&checkout.remote)
        .map(|(host, port)| reading.supply.machines_at(host, port))
        .unwrap_or_default();
    vec![Declared::new(checkout, origin.clone()).after(first).awaits(awaits).opens(opens)]
}

/// The host a remote lies on, and the port of its SSH server when the remote says so; `None` for a path.
#[must_use]
pub fn host_of(remote: &str) -> Option<(&str, Option<u16>)> {
    let without_user = |text: &'_ str| text.rsplit_once('@').map_or(0, |(user, _)| user.len() + 1);
    let Some((scheme, rest)) = remote.split_once("://") else {
        // As git reads it: `HOST:PATH`, unless a slash comes first.
        let (host, _) = remote.split_once(':').filter(|(host, _)| !host.contains('/'))?;
        return Some((host.get(without_user(host)..)?, None));
    };
    let authority = rest.split('/').next()?;
    let authority = authority.get(without_user(authority)..)?;
    if let Some((host, after)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((host, after.strip_prefix(':').and_then(|port| port.parse().ok())));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    };
    (!host.is_empty()).then_some((host, port.filter(|_| scheme.contains("ssh"))))
}

/// What git said of a repository.
struct Repository<'a> {
    is_begun: bool,
    origin: String,
    push: String,
    ssh: String,
    branch: String,
    detached: &'a str,
    upstream: String,
    changes: &'a str,
}

impl<'a> Repository<'a> {
    fn parse(said: &'a [String]) -> Result<Self, ObserveError> {
        let text = |name: &str| lines::value(said, name).and_then(lines::text);
        Ok(Self {
            is_begun: lines::value(said, "begun")? == "begun",
            origin: text("origin")?.trim_end().to_owned(),
            push: text("push")?.trim_end().to_owned(),
            ssh: lines::optional(said, "ssh")
                .map_or_else(|| Ok(String::new()), lines::text)?
                .trim_end()
                .to_owned(),
            branch: text("branch")?.trim_end().to_owned(),
            detached: lines::value(said, "detached")?,
            upstream: text("upstream")?,
            changes: lines::value(said, "changes")?,
        })
    }
}

impl Checkout {
    /// The aspect that stands for the repository.
    const ASPECT: &str = "origin";
    /// The aspect that stands for the command that opens the remote.
    const SSH: &str = "ssh command";

    /// What has to come first, where it is declared: git itself, the key and the host keys.
    #[must_use]
    pub fn needs(&self) -> Vec<ResourceId> {
        let files =
            self.key.iter().chain(&self.known_hosts).map(|path| ResourceId::new("file", path.as_str()));
        std::iter::once(ResourceId::new("package", "git")).chain(files).collect()
    }

    /// The ssh command git uses: no question asked, no unknown host taken.
    #[must_use]
    pub fn ssh_command(&self) -> String {
        let mut command = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20".to_owned();
        if let Some(key) = &self.key {
            command.push_str(&format!(" -o IdentitiesOnly=yes -i {}", posix::quote(key.as_str())));
        }
        if let Some(known_hosts) = &self.known_hosts {
            // ssh splits the value at white space unless it is quoted for ssh, too.
            command
                .push_str(&format!(" -o {}", posix::quote(&format!("UserKnownHostsFile=\"{known_hosts}\""))));
        }
        command
    }

    /// The command that is kept in the repository, so that whoever works in it opens the remote with the key of
    /// its own.
    fn own_ssh(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        link::is_own(key.as_str()).then(|| self.ssh_command())
    }

    fn operation(&self, function: &'static str, arguments: &[&str]) -> Operation {
        let arguments = std::iter::once(self.path.as_str()).chain(arguments.iter().copied());
        Operation {
            library: LIBRARY,
            call: Call::new(function, arguments),
            payload: None,
            within: Some(self.path.clone()),
        }
    }

    /// An operation on the folder itself, made as whoever owns the one above.
    fn folder(&self, function: &'static str, arguments: Vec<String>) -> Operation {
        let arguments = std::iter::once(self.path.to_string()).chain(arguments);
        Operation {
            library: posix::SESSION,
            call: Call::new(function, arguments),
            payload: None,
            within: Some(self.path.parent()),
        }
    }

    fn clone_from(&self, facts: &PathFacts) -> Difference {
        let action = if facts.what == PathType::Absent { Action::Create } else { Action::Update };
        let mut details = vec![Detail::value("origin", None, &self.remote)];
        details.push(Detail::value("branch", None, &self.branch));
        if let Some(push) = &self.push_url {
            details.push(Detail::value("push URL", None, push));
        }
        let mut operations = Vec::new();
        if facts.what == PathType::Absent {
            details.push(Detail::value("owner", None, &self.owner));
            let arguments = ["absent", &self.owner, "-", "0755"].map(str::to_owned).to_vec();
            operations.push(self.folder("fp_directory", arguments));
        } else {
            let owner = ownership::differences(facts, Some(&self.owner), None, None);
            if !owner.is_empty() {
                details.extend(owner);
                let arguments = vec![
                    facts.guard(),
                    "none".to_owned(),
                    self.owner.clone(),
                    "-".to_owned(),
                    "-".to_owned(),
                ];
                operations.push(self.folder("fp_attributes", arguments));
            }
        }
        operations
            .push(self.operation("fp_checkout_clone", &[&self.remote, &self.branch, &self.ssh_command()]));
        if let Some(push) = &self.push_url {
            operations.push(self.operation("fp_checkout_configure", &["remote.origin.pushurl", "", push]));
        }
        if let Some(ssh) = self.own_ssh() {
            operations.push(self.operation("fp_checkout_configure", &["core.sshCommand", "", &ssh]));
        }
        Difference { action, details, operations }
    }

    fn mend(&self, found: &Repository<'_>) -> Result<Comparison, ObserveError> {
        let mut details = Vec::new();
        let mut operations = Vec::new();
        let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
        let push = self.push_url.as_deref().unwrap_or_default();
        let settings = [
            ("origin", "remote.origin.url", found.origin.as_str(), self.remote.as_str()),
            ("push URL", "remote.origin.pushurl", found.push.as_str(), push),
        ];
        // One that somebody else has set is theirs.
        let ssh = self.own_ssh();
        let is_ours = ssh.is_some() || link::is_own(&found.ssh);
        let ssh = ssh.unwrap_or_default();
        let own = is_ours.then_some(("ssh command", "core.sshCommand", found.ssh.as_str(), ssh.as_str()));
        for (name, setting, from, to) in settings.into_iter().chain(own) {
            if from != to {
                details.push(Detail::value(name, Some(&shown(from)), shown(to)));
                operations.push(self.operation("fp_checkout_configure", &[setting, from, to]));
            }
        }
        if found.origin.is_empty() {
            operations.push(self.operation(
                "fp_checkout_configure",
                &["remote.origin.fetch", "", "+refs/heads/*:refs/remotes/origin/*"],
            ));
        }
        if found.branch != self.branch {
            if found.changes != "0" {
                return Err(ObserveError::Conflict(format!(
                    "{} is on {} and has {} changed files; commit them or put them away before it can change to {}",
                    self.path,
                    found.place(),
                    found.changes,
                    self.branch
                )));
            }
            details.push(Detail::value("branch", Some(&found.place()), &self.branch));
            operations.push(
                self.operation("fp_checkout_switch", &[&found.branch, &self.branch, &self.ssh_command()]),
            );
        }
        let upstream = format!("origin/{}", self.branch);
        if found.upstream != upstream {
            details.push(Detail::value("upstream", Some(&shown(&found.upstream)), &upstream));
            operations.push(self.operation("fp_checkout_follow", &[&self.branch]));
        }
        if details.is_empty() {
            return Ok(Comparison::InOrder);
        }
        Ok(Comparison::Differs(Difference { action: Action::Update, details, operations }))
    }
}

impl Repository<'_> {
    /// Where its head is, in words.
    fn place(&self) -> String {
        match (self.branch.as_str(), self.detached) {
            ("", "") => "no branch".to_owned(),
            ("", commit) => format!("detached at {commit}"),
            (branch, _) => branch.to_owned(),
        }
    }
}

impl Resource for Checkout {
    fn id(&self) -> ResourceId {
        ResourceId::new(KIND, self.path.as_str())
    }

    fn questions(&self) -> Vec<Question> {
        vec![
            Question::Path { path: self.path.clone(), want: Want::Facts },
            Question::Ask {
                library: LIBRARY,
                call: Call::new("fp_checkout_look", [self.path.as_str(), &self.branch]),
                within: Some(self.path.clone()),
            },
        ]
    }

    fn compare(&self, answers: Answers<'_>) -> Result<Comparison, ObserveError> {
        let facts = answers.path(0)?;
        match &facts.what {
            PathType::Absent => return Ok(Comparison::Differs(self.clone_from(facts))),
            PathType::Directory { .. } => {}
            what => {
                return Err(ObserveError::Conflict(format!(
                    "{} is {}; it is not replaced by a checkout",
                    self.path,
                    what.phrase()
                )));
            }
        }
        let said = answers.lines(1)?;
        match lines::value(said, "state")? {
            "empty" => Ok(Comparison::Differs(self.clone_from(facts))),
            "files" => Err(ObserveError::Conflict(format!(
                "{} holds files and is no git repository; move them away, or run `git init` there and commit them",
                self.path
            ))),
            "broken" => Err(ObserveError::Conflict(format!(
                "git cannot read the repository in {}: {}",
                self.path,
                lines::text(lines::value(said, "reason")?)?
            ))),
            "repository" => {
                if !ownership::differences(facts, Some(&self.owner), None, None).is_empty() {
                    return Err(ObserveError::Conflict(format!(
                        "{} belongs to {}, not to {}; whoever owns it has to hand it over",
                        self.path, facts.user, self.owner
                    )));
                }
                let found = Repository::parse(said)?;
                if found.is_begun {
                    let mut difference = self.clone_from(facts);
                    difference.details.push(Detail::Note("a clone that was cut off is finished".to_owned()));
                    return Ok(Comparison::Differs(difference));
                }
                self.mend(&found)
            }
            other => Err(ObserveError::Nonsense(format!("state {other}"))),
        }
    }

    fn path(&self) -> Option<&MachinePath> {
        Some(&self.path)
    }

    fn guards(&self) -> bool {
        way_in::leads_through(&self.path)
    }

    /// The folder is a place: it may have been there, empty.
    fn wanted(&self) -> Aspects {
        let mut wanted = aspects::attributes(Some(&self.owner), None, None);
        let push = self.push_url.as_deref().unwrap_or("none");
        wanted.extend([
            (Self::ASPECT.to_owned(), aspects::text(self.remote.as_bytes())),
            ("branch".to_owned(), aspects::text(self.branch.as_bytes())),
            ("push URL".to_owned(), aspects::text(push.as_bytes())),
            (aspects::folder(&self.path), aspects::there()),
        ]);
        wanted.extend(self.own_ssh().map(|ssh| (Self::SSH.to_owned(), aspects::text(ssh.as_bytes()))));
        wanted
    }

    fn observed(&self, answers: Answers<'_>) -> Result<Aspects, ObserveError> {
        let facts = answers.path(0)?;
        if !matches!(facts.what, PathType::Directory { .. }) {
            return Ok(Aspects::new());
        }
        let mut seen = aspects::seen_attributes(facts, Some(&self.owner), None, None);
        seen.insert(aspects::folder(&self.path), aspects::there());
        let said = answers.lines(1)?;
        if lines::value(said, "state")? != "repository" {
            return Ok(seen);
        }
        let found = Repository::parse(said)?;
        let push = if found.push.is_empty() { "none" } else { &found.push };
        let origin = if found.is_begun {
            Aspect::plain("a clone that was cut off")
        } else {
            aspects::text(found.origin.as_bytes())
        };
        seen.extend([
            (Self::ASPECT.to_owned(), origin),
            ("branch".to_owned(), aspects::text(found.place().as_bytes())),
            ("push URL".to_owned(), aspects::text(push.as_bytes())),
        ]);
        if self.own_ssh().is_some() {
            let ssh = if found.ssh.is_empty() { "none" } else { &found.ssh };
            seen.insert(Self::SSH.to_owned(), aspects::text(ssh.as_bytes()));
        }
        Ok(seen)
    }

    fn remains(&self) -> Json {
        json!({})
    }

    fn touches(&self) -> Vec<Touched> {
        vec![Touched::Other(format!("checkout {}", self.path))]
    }
}

#[cfg(test)]
mod tests;
