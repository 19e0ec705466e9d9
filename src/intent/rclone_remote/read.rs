//! The fields of a remote.

use super::super::folders;
use super::{KIND, RcloneRemote, RemoteOption, declare, name_from};
use crate::model::{
    Diagnostic, Diagnostics, Entry, Fields, MachineName, Node, SecretReference, Spanned, Value,
};
use crate::resource::{Content, Declared, Opens, Origin, Program, Reading, Whom, link_files, ownership};

/// Reads `rclone-remote: {name, type, options: {OPTION: text | {secret: NAME}}, owner, config}`.
///
/// The configuration is the owner's `~/.config/rclone/rclone.conf` unless given; the owner is the user
/// that legs and mounts run as.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let name = fields.required("name", "letters, digits, -, _ and ., more than one", name_from);
    let backend = fields.required("type", "an rclone backend such as b2, drive, sftp", backend_from);
    let entries = fields.map("options");
    let options: Vec<Option<RemoteOption>> =
        entries.iter().map(|entry| option(entry, reading, fields.problems())).collect();
    let owner = ownership::read_account(&mut fields, "owner");
    let config = fields.text("config");
    let home = folders::runner_home(reading.facts);
    let span = fields.span().clone();
    let config = config.unwrap_or(Spanned { value: format!("{home}/.config/rclone/rclone.conf"), span });
    let config = reading.path(&config, fields.problems());
    fields.close();
    let (Some(name), Some(backend), Some(config)) = (name, backend, config) else { return Vec::new() };
    let Some(options) = options.into_iter().collect::<Option<Vec<_>>>() else { return Vec::new() };
    let owner = owner.unwrap_or_else(|| folders::runner(reading.facts).to_owned());
    let id = format!("remote-{name}");
    let remote = RcloneRemote { name, backend, options };
    let opens = opens(&remote, reading);
    let declared = declare(&id, &[remote], &config, &owner, origin, problems);
    declared.into_iter().map(|one| one.opens(opens.clone())).collect()
}

/// What a remote opens with a link's key. It is not known what it is used for, so it may write.
fn opens(remote: &RcloneRemote, reading: &Reading<'_>) -> Option<Opens> {
    let value = |name: &str| {
        remote.options.iter().find(|option| option.name == name).and_then(|option| match &option.value {
            Content::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
    };
    let home = folders::runner_home(reading.facts);
    let name = link_files::name_of(home, value("key_file")?).filter(|_| remote.backend == "sftp")?;
    Some(Opens {
        whom: Whom::Machine(MachineName::new(name).ok()?),
        login: value("user").unwrap_or("root").to_owned(),
        program: Program::Sftp,
        writes: true,
        path: None,
        user: folders::runner(reading.facts).to_owned(),
        home: home.to_owned(),
    })
}

fn backend_from(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is not an rclone backend")) }
}

fn option(entry: &Entry, reading: &Reading<'_>, problems: &mut Diagnostics) -> Option<RemoteOption> {
    let name = &entry.key.text;
    let span = entry.value.span.clone();
    if name.is_empty()
        || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        problems.push(
            Diagnostic::at(&entry.key.span, format!("`{name}` is not an rclone option"))
                .expected("lower-case letters, digits and _"),
        );
        return None;
    }
    let value = match &entry.value.value {
        Value::Scalar { text, .. } => Content::Bytes(text.as_bytes().into()),
        Value::Map(_) => {
            let secret = SecretReference::read(&entry.value, &format!("the option `{name}`"), problems)?;
            reading.supply.secret(&secret).map_err(|problem| problems.push(problem)).ok()?
        }
        _ => {
            problems.push(
                Diagnostic::at(&span, format!("the option `{name}` is {}", entry.value.kind().phrase()))
                    .expected("a text, or {secret: NAME}"),
            );
            return None;
        }
    };
    Some(RemoteOption { name: name.clone(), value, span })
}
