//! What a step does and what it is bound to, as one digest.

use super::compute::{Plan, Step};
use crate::model::{Aspect, Digest};
use crate::resource::{Operation, Payload};

/// Texts, each with its length before it, so that no two lists of them look the same.
#[derive(Default)]
struct Text(String);

impl Text {
    fn add(&mut self, part: &str) {
        self.0.push_str(&format!("{}:{part}", part.len()));
    }

    fn all(&mut self, parts: impl IntoIterator<Item = String>) {
        let parts: Vec<String> = parts.into_iter().collect();
        self.add(&parts.len().to_string());
        parts.iter().for_each(|part| self.add(part));
    }

    fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl Step {
    /// A digest of what the step does and of the state it is bound to: two steps with the same one make
    /// the same change to the same thing as it was observed. `key` is the run's: what is secret takes part
    /// as a digest made with it, so only fingerprints made with the same key can be compared.
    #[must_use]
    pub fn fingerprint(&self, key: &str) -> Digest {
        let mut text = Text::default();
        text.add(&self.id.to_string());
        text.add(self.difference.action.verb());
        text.add(self.class.word());
        text.all(self.because.iter().map(ToString::to_string));
        // What a unit or a package was is in no argument of its operations, but it is shown.
        text.all(self.difference.details.iter().map(|detail| format!("{detail:?}")));
        text.all(self.aspects.iter().flat_map(|aspect| {
            let value =
                |value: &Option<Aspect>| value.as_ref().map_or_else(String::new, |one| kept(one, key));
            [aspect.name.clone(), value(&aspect.desired), value(&aspect.observed)]
        }));
        for operation in &self.difference.operations {
            text.add(operation.library.name);
            text.add(operation.call.function);
            text.all(operation.call.arguments.iter().cloned());
            text.add(operation.within.as_ref().map_or("", |folder| folder.as_str()));
            text.add(&payload(operation, key));
        }
        text.digest()
    }
}

impl Plan {
    /// A digest of everything the plan would do, including the states it is bound to. Two plans
    /// with the same fingerprint make the same changes to the same observed state. `key` is the run's.
    #[must_use]
    pub fn fingerprint(&self, key: &str) -> Digest {
        let mut text = Text::default();
        text.all(self.steps.iter().map(|step| step.fingerprint(key).to_string()));
        text.all(self.blocked.iter().flat_map(|blocked| [blocked.id.to_string(), blocked.reason.clone()]));
        text.digest()
    }
}

/// An aspect as it may be kept and compared under a key.
fn kept(aspect: &Aspect, key: &str) -> String {
    match aspect {
        Aspect::Plain(text) => format!("text {text}"),
        Aspect::Digest(digest) => format!("sha256 {digest}"),
        Aspect::Secret(secret) => format!("keyed {}", Digest::keyed(key, secret.expose())),
        Aspect::Keyed(digest) => format!("keyed {digest}"),
        Aspect::Sealed { salt, digest } => format!("sealed {salt} {digest}"),
    }
}

fn payload(operation: &Operation, key: &str) -> String {
    match &operation.payload {
        None => String::new(),
        Some(Payload::Bytes(bytes)) => format!("sha256 {}", Digest::of(bytes)),
        // Its digest is an argument; it has been read once already.
        Some(Payload::Local { path, length }) => format!("local {length} {}", path.display()),
        Some(Payload::Secret(secret)) => format!("keyed {}", Digest::keyed(key, secret.expose())),
    }
}
