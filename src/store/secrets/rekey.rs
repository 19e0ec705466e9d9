//! Seals secrets anew, to whom they are to be sealed now.

use super::{Identities, IdentityError, SecretError, SecretFolder};

/// What became of the secrets.
#[derive(Debug, Default)]
pub struct Rekeyed {
    /// Sealed anew.
    pub done: Vec<String>,
    /// Left as they are: this seat cannot open them.
    pub closed: Vec<(String, IdentityError)>,
}

/// Opens each secret and seals it to its present recipients. Everything is sealed and written before the
/// first file is replaced, so what goes wrong until then changes nothing; each file is replaced whole.
///
/// # Errors
/// [`SecretError`]: a name, a list of recipients, or writing. What cannot be opened is no error but told
/// in the result.
pub fn rekey(
    folder: &SecretFolder,
    names: &[String],
    identities: &Identities,
) -> Result<Rekeyed, SecretError> {
    let mut sealed = Vec::new();
    for name in names {
        sealed.push((name, folder.read(name)?, folder.recipients(Some(name), identities)?));
    }
    let mut rekeyed = Rekeyed::default();
    let mut prepared = Vec::new();
    for (name, bytes, recipients) in sealed {
        match identities.open(name, &bytes) {
            Ok(value) => {
                prepared.push(folder.prepare(name, &value, &recipients)?);
                rekeyed.done.push(name.clone());
            }
            Err(error) => rekeyed.closed.push((name.clone(), error)),
        }
    }
    for file in prepared {
        file.finish()?;
    }
    Ok(rekeyed)
}
