//! What a machine says of its keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::format::authorized_keys::{self, Entry};
use crate::resource::Question;
use crate::shell::{Call, Library};

const LIBRARY: Library = Library { name: "keys", posix: include_str!("keys.sh"), needs: &[] };

/// A key that opens a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// Whose login it opens.
    pub user: String,
    /// The file it stands in.
    pub path: String,
    /// The key and what stands around it.
    pub entry: Entry,
}

/// A private key that a machine holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose it is.
    pub user: String,
    /// Its file.
    pub path: String,
    /// `SHA256:…`, when it could be told.
    pub fingerprint: Option<String>,
}

/// The keys of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineKeys {
    /// Those that open it.
    pub authorized: Vec<Authorized>,
    /// Those that it holds.
    pub held: Vec<Held>,
}

/// Asks a machine for its keys.
#[must_use]
pub fn keys_question() -> Question {
    let nothing: [&str; 0] = [];
    Question::Ask { library: LIBRARY, call: Call::new("fp_keys", nothing), within: None }
}

/// Reads the lines of the answer. What makes no sense is left out: a machine may say what it likes.
#[must_use]
pub fn read_keys(lines: &[String]) -> MachineKeys {
    let mut keys = MachineKeys::default();
    let mut user = String::new();
    for line in lines {
        let mut words = line.split(' ');
        let word = words.next();
        let (Some(first), Some(second)) = (text(words.next()), bytes(words.next())) else { continue };
        match word {
            Some("user") => user = first,
            Some("authorized") => {
                let found = authorized_keys::entries(&second).into_iter();
                let found = found.map(|entry| Authorized { user: user.clone(), path: first.clone(), entry });
                keys.authorized.extend(found);
            }
            Some("private") => {
                let said = String::from_utf8_lossy(&second).into_owned();
                let fingerprint = said.split(' ').find(|word| word.starts_with("SHA256:"));
                keys.held.push(Held {
                    user: user.clone(),
                    path: first,
                    fingerprint: fingerprint.map(str::to_owned),
                });
            }
            _ => {}
        }
    }
    keys
}

fn bytes(word: Option<&str>) -> Option<Vec<u8>> {
    STANDARD.decode(word?).ok()
}

fn text(word: Option<&str>) -> Option<String> {
    String::from_utf8(bytes(word)?).ok()
}
