//! The record and the run document as JSON: shapes, bounds, versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::entry::Entry;
use super::error::RecordError;
use super::kept::Login;
use super::ledger::Ledger;
use super::run::{RunDocument, RunId, RunStep};
use crate::model::{Aspect, Aspects, Digest, FleetName, MachineName, ResourceId};
use crate::resource::{self, Former};

/// The format of both documents. It grows with every change that an older fleetprov would not read.
const FORMAT: u32 = 1;

/// The first word of a record.
const MARK: &str = "fleetprov-record";

/// The most bytes of a document: what a machine sends of one (`state.sh`).
pub(super) const LARGEST: usize = 4 * 1024 * 1024;

/// How deep what a kind remembers may be nested: well below what the JSON reader takes (128), so that
/// whatever is read can be written into any document and read again.
const DEEPEST: usize = 32;

/// Kind and target.
type Id = (String, String);

/// An aspect that may be kept. Each says what it is, so that a text is never taken for a digest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum AspectForm {
    Text(String),
    Sha256(String),
    Sealed { salt: String, sha256: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EntryForm {
    #[serde(default, deserialize_with = "distinct", skip_serializing_if = "BTreeMap::is_empty")]
    applied: BTreeMap<String, AspectForm>,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    remains: Json,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    adopted: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    adopted_aspects: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<Id>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedForm {
    id: Id,
    entry: EntryForm,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwedForm {
    id: Id,
    because: Vec<Id>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginForm {
    user: String,
    privilege: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordForm {
    #[serde(rename = "format")]
    _format: IgnoredAny,
    fleet: String,
    machine: String,
    login: Option<LoginForm>,
    inventories: Vec<String>,
    entries: Vec<OwnedForm>,
    undecided: Vec<OwnedForm>,
    owed: Vec<OwedForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    id: Id,
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<EntryForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former: Option<EntryForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    because: Vec<Id>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    guarded: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryForm {
    file: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunForm {
    #[serde(rename = "format")]
    _format: IgnoredAny,
    run: String,
    who: String,
    when: String,
    what: String,
    inventory: InventoryForm,
    steps: Vec<StepForm>,
}

/// As much as is read of a document whose format is not known.
#[derive(Deserialize)]
struct FormatForm {
    format: u32,
}

/// A map in which no key stands twice; the reader would silently take the last.
fn distinct<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, AspectForm>, D::Error> {
    struct Distinct;
    impl<'de> Visitor<'de> for Distinct {
        type Value = BTreeMap<String, AspectForm>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a map of aspects")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some((name, aspect)) = map.next_entry::<String, AspectForm>()? {
                if all.contains_key(&name) {
                    return Err(A::Error::custom(format!("aspect `{name}` stands twice")));
                }
                all.insert(name, aspect);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_map(Distinct)
}

fn id_form(id: &ResourceId) -> Id {
    (id.kind.to_owned(), id.target.clone())
}

fn aspect_form(aspect: &Aspect) -> Option<AspectForm> {
    match aspect {
        Aspect::Plain(text) => Some(AspectForm::Text(text.clone())),
        Aspect::Digest(digest) => Some(AspectForm::Sha256(digest.to_string())),
        Aspect::Sealed { salt, digest } => {
            Some(AspectForm::Sealed { salt: salt.clone(), sha256: digest.to_string() })
        }
        // A secret is never written down, nor a digest whose key is gone with its run.
        Aspect::Secret(_) | Aspect::Keyed(_) => None,
    }
}

fn entry_form(entry: &Entry) -> EntryForm {
    let applied = entry.applied.iter();
    EntryForm {
        applied: applied.filter_map(|(name, aspect)| Some((name.clone(), aspect_form(aspect)?))).collect(),
        remains: entry.former.remains.clone(),
        adopted: entry.adopted,
        adopted_aspects: entry.former.adopted.clone(),
        after: entry.after.iter().map(id_form).collect(),
        unfinished: entry.unfinished,
    }
}

fn owned_forms(entries: &BTreeMap<ResourceId, Entry>) -> Vec<OwnedForm> {
    entries.iter().map(|(id, entry)| OwnedForm { id: id_form(id), entry: entry_form(entry) }).collect()
}

/// Writes a document: a field a line, and of lists an element a line, so that a place in it can be found.
struct Writer {
    bytes: Vec<u8>,
    path: String,
}

impl Writer {
    fn new(heading: String, path: &str) -> Self {
        Self { bytes: heading.into_bytes(), path: path.to_owned() }
    }

    fn field(&mut self, name: &str, value: &impl Serialize) -> Result<(), RecordError> {
        self.begin(name);
        self.value(value)
    }

    fn list<T: Serialize>(&mut self, name: &str, values: &[T]) -> Result<(), RecordError> {
        self.begin(name);
        for (index, value) in values.iter().enumerate() {
            self.bytes.extend_from_slice(if index == 0 { b"[\n" } else { b",\n" });
            self.value(value)?;
        }
        self.bytes.extend_from_slice(if values.is_empty() { b"[]" } else { b"\n]" });
        Ok(())
    }

    fn begin(&mut self, name: &str) {
        let before = if self.bytes.ends_with(b"\n") || self.bytes.is_empty() { "{" } else { ",\n" };
        self.bytes.extend_from_slice(format!("{before}\"{name}\":").as_bytes());
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), RecordError> {
        serde_json::to_writer(&mut self.bytes, value).map_err(|error| self.unwritable(error.to_string()))
    }

    fn unwritable(&self, reason: String) -> RecordError {
        RecordError::Unwritable { path: self.path.clone(), reason }
    }

    fn finish(mut self) -> Result<Vec<u8>, RecordError> {
        self.bytes.extend_from_slice(b"}\n");
        if self.bytes.len() > LARGEST {
            let size = self.bytes.len();
            return Err(self.unwritable(format!("it has {size} bytes, and {LARGEST} are the most")));
        }
        Ok(self.bytes)
    }
}

/// See [`Ledger::to_record`].
pub(super) fn write_record(
    ledger: &Ledger,
    run: &RunId,
    fleet: &FleetName,
    machine: &MachineName,
    login: &Login,
) -> Result<Vec<u8>, RecordError> {
    let mut writer = Writer::new(format!("{MARK} {FORMAT} {run}\n"), "the record");
    writer.field("format", &FORMAT)?;
    writer.field("fleet", &fleet.as_str())?;
    writer.field("machine", &machine.as_str())?;
    writer.field("login", &LoginForm { user: login.user.clone(), privilege: login.privilege.clone() })?;
    writer.list("inventories", &ledger.inventories.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    writer.list("entries", &owned_forms(&ledger.entries))?;
    writer.list("undecided", &owned_forms(&ledger.undecided))?;
    let owed = ledger.owed.iter();
    let owed = owed
        .map(|(id, because)| OwedForm { id: id_form(id), because: because.iter().map(id_form).collect() });
    writer.list("owed", &owed.collect::<Vec<_>>())?;
    writer.finish()
}

/// See [`RunDocument::to_json`].
pub(super) fn write_run(run: &RunDocument) -> Result<Vec<u8>, RecordError> {
    let mut writer = Writer::new(String::new(), "the run's document");
    writer.field("format", &FORMAT)?;
    writer.field("run", &run.id.as_str())?;
    writer.field("who", &run.who)?;
    writer.field("when", &run.when)?;
    writer.field("what", &run.what)?;
    let (file, digest) = &run.inventory;
    let beside = run.beside.as_ref().map(ToString::to_string);
    let inventory = InventoryForm { file: file.clone(), sha256: digest.to_string(), beside };
    writer.field("inventory", &inventory)?;
    let steps = run.steps.iter().map(|step| StepForm {
        id: id_form(&step.id),
        action: step.action.clone(),
        entry: step.entry.as_ref().map(entry_form),
        former: step.former.as_ref().map(entry_form),
        because: step.because.iter().map(id_form).collect(),
        guarded: step.guarded,
    });
    writer.list("steps", &steps.collect::<Vec<_>>())?;
    writer.finish()
}

/// Reads forms of one file into what they stand for.
struct Reader<'a> {
    path: &'a str,
}

impl Reader<'_> {
    fn damaged(&self, reason: impl Into<String>) -> RecordError {
        RecordError::Damaged { path: self.path.to_owned(), reason: reason.into() }
    }

    fn json<'de, T: Deserialize<'de>>(&self, bytes: &'de [u8]) -> Result<T, RecordError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or_default();
            self.damaged(format!("line {}, column {}: {what}", error.line(), error.column()))
        })
    }

    fn small(&self, bytes: &[u8]) -> Result<(), RecordError> {
        if bytes.len() > LARGEST {
            return Err(self.damaged(format!("it has {} bytes, and {LARGEST} are the most", bytes.len())));
        }
        Ok(())
    }

    fn format(&self, found: u32) -> Result<(), RecordError> {
        match found {
            FORMAT => Ok(()),
            0 => Err(self.damaged("there is no format 0")),
            found => Err(RecordError::Newer { path: self.path.to_owned(), found, known: FORMAT }),
        }
    }

    fn id(&self, (kind, target): Id) -> Result<ResourceId, RecordError> {
        match resource::kind(&kind) {
            Some(kind) => Ok(ResourceId::new(kind.word, target)),
            None => Err(RecordError::UnknownKind { path: self.path.to_owned(), kind }),
        }
    }

    fn ids<T: FromIterator<ResourceId>>(&self, ids: Vec<Id>) -> Result<T, RecordError> {
        ids.into_iter().map(|id| self.id(id)).collect()
    }

    fn digest(&self, text: &str) -> Result<Digest, RecordError> {
        Digest::parse(text).map_err(|error| self.damaged(format!("{text:?} is {error}")))
    }

    fn aspect(&self, form: AspectForm) -> Result<Aspect, RecordError> {
        Ok(match form {
            AspectForm::Text(text) => Aspect::Plain(text),
            AspectForm::Sha256(digest) => Aspect::Digest(self.digest(&digest)?),
            AspectForm::Sealed { salt, sha256 } => Aspect::Sealed { salt, digest: self.digest(&sha256)? },
        })
    }

    fn entry(&self, id: &ResourceId, form: EntryForm) -> Result<Entry, RecordError> {
        if is_deeper(&form.remains, DEEPEST) {
            return Err(self.damaged(format!("what remains of {id} is nested too deep")));
        }
        let applied = form.applied.into_iter().map(|(name, form)| Ok((name, self.aspect(form)?)));
        Ok(Entry {
            id: id.clone(),
            applied: applied.collect::<Result<Aspects, _>>()?,
            former: Former { remains: form.remains, adopted: form.adopted_aspects },
            adopted: form.adopted,
            after: self.ids(form.after)?,
            unfinished: form.unfinished,
        })
    }

    fn owned(&self, forms: Vec<OwnedForm>) -> Result<BTreeMap<ResourceId, Entry>, RecordError> {
        let mut all = BTreeMap::new();
        for form in forms {
            let id = self.id(form.id)?;
            let entry = self.entry(&id, form.entry)?;
            self.insert(&mut all, id, entry)?;
        }
        Ok(all)
    }

    fn insert<T>(
        &self,
        all: &mut BTreeMap<ResourceId, T>,
        id: ResourceId,
        value: T,
    ) -> Result<(), RecordError> {
        if all.contains_key(&id) {
            return Err(self.damaged(format!("{id} stands twice")));
        }
        all.insert(id, value);
        Ok(())
    }
}

fn is_deeper(json: &Json, most: usize) -> bool {
    let Some(below) = most.checked_sub(1) else { return json.is_array() || json.is_object() };
    match json {
        Json::Array(elements) => elements.iter().any(|element| is_deeper(element, below)),
        Json::Object(fields) => fields.values().any(|field| is_deeper(field, below)),
        _ => false,
    }
}

/// Reads a record: the run its heading names, and what was owned before that run.
pub(super) fn read_record(
    bytes: &[u8],
    path: &str,
    fleet: &FleetName,
    machine: &MachineName,
) -> Result<(RunId, Ledger), RecordError> {
    let reader = Reader { path };
    reader.small(bytes)?;
    let no_heading = || reader.damaged(format!("line 1 is not `{MARK} {FORMAT} RUN`"));
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(no_heading)?;
    let (heading, json) = bytes.split_at(end);
    let words: Vec<&str> = std::str::from_utf8(heading).map_err(|_| no_heading())?.split(' ').collect();
    let format = match words.as_slice() {
        [MARK, format, ..] => format.parse().map_err(|_| no_heading())?,
        _ => return Err(no_heading()),
    };
    reader.format(format)?;
    let run = match words.as_slice() {
        [_, _, run] => RunId::new(run).ok_or_else(no_heading)?,
        _ => return Err(no_heading()),
    };
    // The heading's line break is left before the JSON, so that places in it count from the file's start.
    reader.format(reader.json::<FormatForm>(json)?.format)?;
    let form: RecordForm = reader.json(json)?;
    let path = || path.to_owned();
    if form.fleet != fleet.as_str() {
        let expected = fleet.to_string();
        return Err(RecordError::ForeignFleet { path: path(), found: form.fleet, expected });
    }
    if form.machine != machine.as_str() {
        let expected = machine.to_string();
        return Err(RecordError::ForeignMachine { path: path(), found: form.machine, expected });
    }
    let mut ledger = Ledger {
        entries: reader.owned(form.entries)?,
        undecided: reader.owned(form.undecided)?,
        login: form.login.map(|login| Login { user: login.user, privilege: login.privilege }),
        ..Ledger::default()
    };
    for owed in form.owed {
        let because = reader.ids(owed.because)?;
        reader.insert(&mut ledger.owed, reader.id(owed.id)?, because)?;
    }
    for inventory in &form.inventories {
        ledger.applied(reader.digest(inventory)?);
    }
    Ok((run, ledger))
}

/// See [`RunDocument::read`].
pub(super) fn read_run(bytes: &[u8], path: &str) -> Result<RunDocument, RecordError> {
    let reader = Reader { path };
    reader.small(bytes)?;
    reader.format(reader.json::<FormatForm>(bytes)?.format)?;
    let form: RunForm = reader.json(bytes)?;
    let id = RunId::new(&form.run).ok_or_else(|| reader.damaged("it does not name its run"))?;
    let beside = form.inventory.beside.map(|digest| reader.digest(&digest)).transpose()?;
    let inventory = (form.inventory.file, reader.digest(&form.inventory.sha256)?);
    let mut steps = Vec::with_capacity(form.steps.len());
    for step in form.steps {
        let id = reader.id(step.id)?;
        let entry = |form: Option<EntryForm>| form.map(|form| reader.entry(&id, form)).transpose();
        steps.push(RunStep {
            entry: entry(step.entry)?,
            former: entry(step.former)?,
            action: step.action,
            because: reader.ids(step.because)?,
            guarded: step.guarded,
            id,
        });
    }
    Ok(RunDocument { id, who: form.who, when: form.when, what: form.what, inventory, beside, steps })
}

#[cfg(test)]
mod tests {
    use super::LARGEST;

    #[test]
    fn what_is_written_is_small_enough_for_a_machine_to_send() {
        let machine = include_str!("../shell/library/state.sh");
        assert!(machine.contains(&format!("\"$fp_size\" -le {LARGEST} ]")), "{LARGEST}");
    }
}
