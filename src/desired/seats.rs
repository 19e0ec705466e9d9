//! The access keys of the seats: each machine that is reached over SSH lets in whoever is enrolled.

use std::sync::Arc;

use super::references::Pending;
use crate::format::authorized_keys::PublicKey;
use crate::inventory::{Machine, Membership};
use crate::model::{Diagnostics, Entry, Node, Source, Span, Value};
use crate::resource::{Origin, Reading, authorized_key};

/// The public halves of one seat's keys for one machine.
#[derive(Clone, Debug)]
pub struct SeatKeys {
    /// The seat's name.
    pub seat: String,
    /// The machine's name.
    pub machine: String,
    /// The file: a public key a line, the current one first, then the one that is to take its place.
    pub source: Arc<Source>,
}

/// What the names of a seat's keys among those of a machine's login begin with. The rest is of the key: the
/// one that comes and the one that goes are two resources.
#[must_use]
pub fn seat_key_prefix(seat: &str) -> String {
    format!("seat/{seat}/")
}

/// So many characters of a fingerprint tell the keys of one seat for one machine apart.
const TELLING: usize = 12;

/// The name of a public half, when it is one.
fn name(seat: &str, line: &str) -> String {
    let fingerprint = PublicKey::parse(line).map(|key| key.fingerprint()).unwrap_or_default();
    let hash = fingerprint.strip_prefix("SHA256:").unwrap_or_default();
    seat_key_prefix(seat) + &hash.chars().take(TELLING).collect::<String>()
}

/// The keys that open a machine, for those who are enrolled.
pub(super) fn keys(
    seats: &[SeatKeys],
    machine: &Machine,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Pending> {
    let Membership::Managed(managed) = &machine.membership else { return Vec::new() };
    if managed.connect.host.is_none() {
        return Vec::new();
    }
    let mut pending = Vec::new();
    for keys in seats.iter().filter(|keys| keys.machine == machine.name.as_str()) {
        let origin_of = |span: &Span| Origin { from: format!("seat {}", keys.seat), span: span.clone() };
        let mut start = 0;
        for line in keys.source.text().split_inclusive('\n') {
            let (begin, text) = (start, line.trim());
            start += line.len();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let span = Span::new(&keys.source, begin, begin + line.trim_end().len());
            let name = name(&keys.seat, text);
            let entry = |key: &str, value: &str| super::scope::entry(key, Node::text(value, span.clone()));
            let fields: Vec<Entry> = vec![entry("key", text), entry("id", &name)];
            let node = Node { value: Value::Map(fields), span: span.clone() };
            let read = authorized_key::read(&node, &origin_of(&span), reading, problems);
            pending.extend(read.into_iter().map(Pending::new));
        }
    }
    pending
}
