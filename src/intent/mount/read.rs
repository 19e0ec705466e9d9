//! The fields of a mount.

use super::super::folders;
use super::{KIND, Login, Mount, What};
use crate::model::{
    Diagnostic, Diagnostics, Fields, MachineName, MachinePath, Node, Secret, SecretFrom, SecretReference,
    Span, Spanned, Value, parse_duration,
};
use crate::resource::{Content, Declared, Opens, Origin, Program, Reading, Whom, link_files};

#[derive(Clone, Copy)]
enum Means {
    Sshfs,
    Rclone,
    Nfs,
    Smb,
}

const MEANS: &[(&str, Means)] =
    &[("nfs", Means::Nfs), ("rclone", Means::Rclone), ("smb", Means::Smb), ("sshfs", Means::Sshfs)];

/// Reads `mount: {path, kind, from, machine, read-only, shared, automount, idle, options}` and, by kind,
/// `{host, port, user, key, known-hosts}`, `{config}`, `{host}`, `{host, username, password, domain}`.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let path = fields.required_text("path").and_then(|path| reading.path(&path, fields.problems()));
    let means = if fields.required_node("kind").is_some() { fields.choice("kind", MEANS) } else { None };
    let from = fields.required_text("from");
    let read_only = fields.flag("read-only").unwrap_or(false);
    let shared = fields.flag("shared").unwrap_or(false);
    let automount = fields.flag("automount").unwrap_or(false);
    let idle = fields.parsed("idle", "a duration such as 90s, 10m, 2h or 1d", parse_duration);
    let options: Vec<Spanned<String>> = fields.texts("options");
    let machine = fields.text("machine");
    let Some(means) = means else { return Vec::new() };
    let what = from.and_then(|from| match means {
        Means::Sshfs => sshfs(&mut fields, &from, machine.as_ref(), reading),
        Means::Rclone => rclone(&mut fields, &from, reading),
        Means::Nfs => nfs(&mut fields, &from),
        Means::Smb => smb(&mut fields, &from, reading),
    });
    if let (Means::Rclone, true, Some(node)) = (means, automount, fields.node("automount")) {
        let problem = Diagnostic::at(&node.span, "`rclone mount` is a service, which access does not start")
            .expected("no `automount`, or `kind: sshfs`");
        fields.problems().push(problem);
        return Vec::new();
    }
    fields.close();
    for option in &options {
        let divided = !matches!(means, Means::Rclone) && option.value.contains(',');
        if divided || option.value.is_empty() || option.value.chars().any(char::is_control) {
            problems.push(
                Diagnostic::at(&option.span, format!("`{}` is not one option", option.value))
                    .expected("one option for each item of the list"),
            );
            return Vec::new();
        }
    }
    let (Some(path), Some(what)) = (path, what) else { return Vec::new() };
    let options = options.into_iter().map(|option| option.value).collect();
    let awaits = come_from(&what, machine.as_ref(), reading);
    let opens = opens(&what, read_only, reading);
    let mount = Mount { path, what, options, read_only, shared, automount, idle, awaits };
    let mut declared = mount.expand(origin, reading.facts, problems);
    if let Some(last) = declared.pop() {
        declared.push(last.opens(opens));
    }
    declared
}

/// What a mount opens with a link's key. That of an rclone remote is the remote's.
fn opens(what: &What, read_only: bool, reading: &Reading<'_>) -> Option<Opens> {
    let What::Sshfs { login, .. } = what else { return None };
    let home = folders::runner_home(reading.facts);
    let name = link_files::name_of(home, login.key.as_str())?;
    Some(Opens {
        whom: Whom::Machine(MachineName::new(name).ok()?),
        login: login.user.clone(),
        program: Program::Sftp,
        writes: !read_only,
        path: None,
        user: folders::runner(reading.facts).to_owned(),
        home: home.to_owned(),
    })
}

/// The machines of the fleet that have what is mounted: the one that is named, or those at its address.
fn come_from(what: &What, machine: Option<&Spanned<String>>, reading: &Reading<'_>) -> Vec<MachineName> {
    let named = machine.and_then(|name| MachineName::new(&name.value).ok());
    match (named, what) {
        (Some(named), _) => vec![named],
        (None, What::Sshfs { login, .. }) => reading.supply.machines_at(&login.host, Some(login.port)),
        (None, What::Nfs { host, .. } | What::Smb { host, .. }) => reading.supply.machines_at(host, None),
        (None, What::Rclone { .. }) => Vec::new(),
    }
}

fn sshfs(
    fields: &mut Fields<'_>,
    from: &Spanned<String>,
    machine: Option<&Spanned<String>>,
    reading: &Reading<'_>,
) -> Option<What> {
    let span = fields.span().clone();
    let home = folders::runner_home(reading.facts);
    let host = host(fields);
    let port = fields.parsed("port", "a TCP port", str::parse::<u16>).unwrap_or(22);
    let user = fields.text("user").map_or_else(|| "root".to_owned(), |user| user.value);
    let key = fields.text("key");
    let known_hosts = fields.text("known-hosts");
    let key = key.or_else(|| at(machine.map(|other| link_files::key(home, &other.value)), &span));
    let known_hosts = known_hosts.or_else(|| at(Some(link_files::known_hosts(home)), &span));
    let Some(key) = key else {
        let problem = Diagnostic::at(&span, "a mount by sshfs has no key")
            .expected("`machine:` with the other machine's name, or `key:` with a path");
        fields.missing_one_of(&["machine", "key"], problem);
        return None;
    };
    let key = option_path(&key, reading, fields.problems());
    let known_hosts = known_hosts.and_then(|path| option_path(&path, reading, fields.problems()));
    let folder = absolute(from, fields.problems())?;
    Some(What::Sshfs {
        login: Login { user, host: host?, port, key: key?, known_hosts: known_hosts? },
        folder,
    })
}

fn rclone(fields: &mut Fields<'_>, from: &Spanned<String>, reading: &Reading<'_>) -> Option<What> {
    let home = folders::runner_home(reading.facts);
    let standard = Spanned { value: format!("{home}/.config/rclone/rclone.conf"), span: from.span.clone() };
    let config = fields.text("config").unwrap_or(standard);
    let config = reading.path(&config, fields.problems());
    let named =
        from.value.split_once(':').is_some_and(|(remote, _)| !remote.is_empty() && !remote.starts_with('-'));
    if !named || from.value.chars().any(char::is_control) {
        fields.problems().push(
            Diagnostic::at(&from.span, format!("`{}` is not on an rclone remote", from.value))
                .expected("REMOTE:PATH, with a remote of rclone's configuration"),
        );
        return None;
    }
    Some(What::Rclone { source: from.value.clone(), config: config? })
}

fn nfs(fields: &mut Fields<'_>, from: &Spanned<String>) -> Option<What> {
    let host = host(fields);
    let folder = absolute(from, fields.problems());
    Some(What::Nfs { host: host?, folder: folder? })
}

fn smb(fields: &mut Fields<'_>, from: &Spanned<String>, reading: &Reading<'_>) -> Option<What> {
    let host = host(fields);
    let username = fields.text("username");
    let domain = fields.text("domain");
    let password = password(fields).map(|secret| reading.supply.secret(&secret));
    let share = from.value.trim_matches('/').to_owned();
    if share.is_empty() || share.chars().any(char::is_control) {
        fields.problems().push(
            Diagnostic::at(&from.span, format!("`{}` is not a share", from.value))
                .expected("a share's name, and a folder in it: backup/sites"),
        );
        return None;
    }
    let credentials = match (username, password) {
        (None, None) => None,
        (Some(username), Some(Ok(password))) => {
            Some(credentials(&username, domain.as_ref(), &password, fields.problems())?)
        }
        (_, Some(Err(problem))) => {
            fields.problems().push(problem);
            return None;
        }
        _ => {
            let problem =
                Diagnostic::at(fields.span(), "a mount by smb has only one of username and password")
                    .expected("both, the password as the name of a secret, or none of them");
            fields.problems().push(problem);
            return None;
        }
    };
    Some(What::Smb { host: host?, share, credentials })
}

/// The password: the name of a secret, or a reference to one.
fn password(fields: &mut Fields<'_>) -> Option<SecretReference> {
    match fields.node("password") {
        Some(node) if matches!(node.value, Value::Map(_)) => {
            SecretReference::read(node, "`password`", fields.problems())
        }
        _ => fields
            .text("password")
            .map(|name| SecretReference { from: SecretFrom::of_text(&name.value), span: name.span }),
    }
}

/// The lines of a credentials file (mount.cifs(8)): no quoting, values up to the end of the line.
fn credentials(
    username: &Spanned<String>,
    domain: Option<&Spanned<String>>,
    password: &Content,
    problems: &mut Diagnostics,
) -> Option<Content> {
    for value in std::iter::once(username).chain(domain) {
        if value.value.chars().any(char::is_control) {
            problems.push(Diagnostic::at(&value.span, "a name has several lines").expected("one line"));
            return None;
        }
    }
    let Content::Secret(secret) = password else { return Some(password.clone()) };
    let mut text = format!("username={}\n", username.value).into_bytes();
    if let Some(domain) = domain {
        text.extend_from_slice(format!("domain={}\n", domain.value).as_bytes());
    }
    let password = secret.expose().strip_suffix(b"\n").unwrap_or(secret.expose());
    // Reserved at once, so that growing leaves no copy of the password behind.
    let mut whole = Vec::with_capacity(text.len() + password.len() + 16);
    whole.extend_from_slice(&text);
    whole.extend_from_slice(b"password=");
    whole.extend_from_slice(password);
    whole.push(b'\n');
    Some(Content::Secret(Secret::new(whole)))
}

/// A host without anything that could end its place in `What=`.
fn host(fields: &mut Fields<'_>) -> Option<String> {
    fields.required("host", "a host name or address", |text| {
        let fits = !text.is_empty()
            && !text.starts_with('-')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte));
        if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a host")) }
    })
}

fn absolute(text: &Spanned<String>, problems: &mut Diagnostics) -> Option<String> {
    match MachinePath::new(&text.value) {
        Ok(path) => Some(path.as_str().to_owned()),
        Err(error) => {
            problems.push(
                Diagnostic::at(&text.span, error.to_string())
                    .expected("an absolute path on the other machine"),
            );
            None
        }
    }
}

/// A path that stands in a list of options, where a comma ends it.
fn option_path(
    text: &Spanned<String>,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Option<MachinePath> {
    let path = reading.path(text, problems)?;
    if path.as_str().contains([',', '"', '\\']) {
        problems.push(
            Diagnostic::at(&text.span, format!("`{path}` cannot stand among mount options"))
                .expected("a path without commas, quotes and backslashes"),
        );
        return None;
    }
    Some(path)
}

fn at(text: Option<String>, span: &Span) -> Option<Spanned<String>> {
    text.map(|value| Spanned { value, span: span.clone() })
}
