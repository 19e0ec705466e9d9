//! A saved plan as JSON: its shape, its bounds, its version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SavedMachine, SavedPlan, SavedStep, Seen};
use crate::model::{Digest, MachineName, ResourceId};
use crate::resource::kind;

/// The format. It grows with every change that an older fleetprov would not read.
const FORMAT: u32 = 1;

/// The most bytes of a plan file.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why a plan file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFileError {
    /// It is something else.
    #[error("understand it: it is no plan file of fleetprov ({0})")]
    Foreign(String),
    /// A newer fleetprov wrote it.
    #[error(
        "understand it: it has format {found}, and this fleetprov knows format {known}; use the newer \
         fleetprov that wrote it"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest known format.
        known: u32,
    },
    /// It was one, and something has happened to it.
    #[error("understand it: it is damaged ({0}); plan again")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanForm {
    #[serde(rename = "fleetprov-plan")]
    format: u32,
    fleetprov: String,
    fleet: String,
    inventory: InventoryForm,
    when: String,
    who: String,
    machines: Vec<MachineForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryForm {
    file: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineForm {
    name: String,
    key: String,
    steps: Vec<StepForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    kind: String,
    target: String,
    action: String,
    class: String,
    fingerprint: String,
    seen: BTreeMap<String, Option<SeenForm>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum SeenForm {
    Text(String),
    Sha256(String),
    Keyed(String),
}

/// As much as is read of a file whose format is not known.
#[derive(Deserialize)]
struct MarkForm {
    #[serde(rename = "fleetprov-plan")]
    format: u32,
}

impl SavedPlan {
    /// As it is written: JSON for people to look at, the same bytes for the same plan.
    ///
    /// # Errors
    /// [`PlanFileError::Damaged`] when it would not be read again, because it is too large.
    pub fn to_json(&self) -> Result<Vec<u8>, PlanFileError> {
        let form = PlanForm {
            format: FORMAT,
            fleetprov: self.version.clone(),
            fleet: self.fleet.clone(),
            inventory: InventoryForm { file: self.inventory.0.clone(), sha256: self.inventory.1.to_string() },
            when: self.when.clone(),
            who: self.who.clone(),
            machines: self.machines.iter().map(machine_form).collect(),
        };
        let mut bytes =
            serde_json::to_vec_pretty(&form).map_err(|error| PlanFileError::Damaged(error.to_string()))?;
        bytes.push(b'\n');
        if bytes.len() > LARGEST { Err(too_large()) } else { Ok(bytes) }
    }

    /// Reads what [`SavedPlan::to_json`] wrote.
    ///
    /// # Errors
    /// [`PlanFileError`].
    pub fn read(bytes: &[u8]) -> Result<Self, PlanFileError> {
        if bytes.len() > LARGEST {
            return Err(too_large());
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(PlanFileError::Foreign("it holds no JSON object".to_owned()));
        }
        let mark = match serde_json::from_slice::<MarkForm>(bytes) {
            Ok(mark) => mark,
            // What begins as one and ends too soon was one.
            Err(error) if is_begun(bytes) => return Err(PlanFileError::Damaged(error.to_string())),
            Err(error) => return Err(PlanFileError::Foreign(error.to_string())),
        };
        if mark.format > FORMAT {
            return Err(PlanFileError::Newer { found: mark.format, known: FORMAT });
        }
        let form: PlanForm =
            serde_json::from_slice(bytes).map_err(|error| PlanFileError::Damaged(error.to_string()))?;
        let machines: Vec<SavedMachine> = form.machines.into_iter().map(machine).collect::<Result<_, _>>()?;
        for (index, one) in machines.iter().enumerate() {
            if machines.iter().take(index).any(|other| other.name == one.name) {
                return Err(PlanFileError::Damaged(format!("machine {} stands twice", one.name)));
            }
        }
        Ok(Self {
            version: form.fleetprov,
            fleet: form.fleet,
            inventory: (form.inventory.file, digest(&form.inventory.sha256)?),
            when: form.when,
            who: form.who,
            machines,
        })
    }
}

fn too_large() -> PlanFileError {
    PlanFileError::Damaged(format!("it is larger than {} MiB", LARGEST / 1024 / 1024))
}

fn is_begun(bytes: &[u8]) -> bool {
    let begin: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(17).collect();
    begin == b"{\"fleetprov-plan\""
}

fn machine_form(machine: &SavedMachine) -> MachineForm {
    let seen = |seen: &Option<Seen>| {
        seen.as_ref().map(|seen| match seen {
            Seen::Text(text) => SeenForm::Text(text.clone()),
            Seen::Digest(digest) => SeenForm::Sha256(digest.to_string()),
            Seen::Keyed(digest) => SeenForm::Keyed(digest.to_string()),
        })
    };
    let steps = machine.steps.iter().map(|step| StepForm {
        kind: step.id.kind.to_owned(),
        target: step.id.target.clone(),
        action: step.action.clone(),
        class: step.class.clone(),
        fingerprint: step.fingerprint.to_string(),
        seen: step.seen.iter().map(|(name, value)| (name.clone(), seen(value))).collect(),
    });
    MachineForm { name: machine.name.to_string(), key: machine.key.clone(), steps: steps.collect() }
}

fn machine(form: MachineForm) -> Result<SavedMachine, PlanFileError> {
    let name = MachineName::new(&form.name).map_err(|error| PlanFileError::Damaged(error.to_string()))?;
    // It travels to the machine as a word of an order.
    let is_key = !form.key.is_empty()
        && form.key.len() <= 128
        && form.key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_key {
        return Err(PlanFileError::Damaged(format!("the key of {name} is none")));
    }
    let steps = form.steps.into_iter().map(step).collect::<Result<_, _>>()?;
    Ok(SavedMachine { name, key: form.key, steps })
}

fn step(form: StepForm) -> Result<SavedStep, PlanFileError> {
    let kind = kind(&form.kind)
        .ok_or_else(|| PlanFileError::Damaged(format!("there is no kind `{}`", form.kind)))?;
    let seen = form.seen.into_iter().map(|(name, value)| {
        let value = match value {
            None => None,
            Some(SeenForm::Text(text)) => Some(Seen::Text(text)),
            Some(SeenForm::Sha256(text)) => Some(Seen::Digest(digest(&text)?)),
            Some(SeenForm::Keyed(text)) => Some(Seen::Keyed(digest(&text)?)),
        };
        Ok((name, value))
    });
    Ok(SavedStep {
        id: ResourceId::new(kind.word, form.target),
        action: form.action,
        class: form.class,
        fingerprint: digest(&form.fingerprint)?,
        seen: seen.collect::<Result<_, _>>()?,
    })
}

fn digest(text: &str) -> Result<Digest, PlanFileError> {
    Digest::parse(text).map_err(|error| PlanFileError::Damaged(format!("`{text}` is {error}")))
}
