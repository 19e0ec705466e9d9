//! Sealing and opening with every sort of identity. All keys are made here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use age::secrecy::ExposeSecret as _;
use age::x25519;

use super::*;

const HUSH: &[u8] = b"hush\n";

fn to(recipients: &[Recipient]) -> Recipients {
    let mut all = Recipients::default();
    all.add(recipients.iter().cloned());
    all
}

fn sealed(recipients: &[Recipient]) -> String {
    to(recipients).seal(&Secret::new(HUSH.to_vec())).unwrap()
}

fn of(identity: &x25519::Identity) -> Recipient {
    Recipient::parse(&identity.to_public().to_string()).unwrap()
}

/// An identity file, and its identity.
fn identity_file(folder: &Path, name: &str) -> (PathBuf, x25519::Identity) {
    let identity = x25519::Identity::generate();
    let path = folder.join(name);
    let text = format!("# made now\n{}\n", identity.to_string().expose_secret());
    std::fs::write(&path, text).unwrap();
    (path, identity)
}

/// What is sealed with a passphrase alone, cheaply.
fn with_passphrase(passphrase: &str, value: &[u8]) -> Vec<u8> {
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    age::encrypt(&recipient, value).unwrap()
}

/// Answers every question with one passphrase, and counts the questions.
fn asked(passphrase: &'static str) -> (Passphrases, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let ask = move |_: &str| {
        counted.fetch_add(1, Ordering::Relaxed);
        (!passphrase.is_empty()).then(|| Secret::new(passphrase.as_bytes().to_vec()))
    };
    (Passphrases::Asked(Box::new(ask)), count)
}

fn ssh_key(folder: &Path, sort: &str, passphrase: &str) -> (PathBuf, Recipient) {
    let path = folder.join(sort);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", sort, "-N", passphrase, "-C", "me@here", "-f"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    (path, Recipient::parse(&public).unwrap())
}

#[test]
fn a_secret_opens_with_its_identities_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (first, mine) = identity_file(folder.path(), "mine");
    let (second, ours) = identity_file(folder.path(), "ours");
    let theirs = x25519::Identity::generate();
    let opens = |file: &Path, sealed: &str| {
        let mut identities = Identities::default();
        identities.add_file(file).unwrap();
        identities.open("token", sealed.as_bytes()).map(|secret| secret.expose().to_vec())
    };
    let both = sealed(&[of(&mine), of(&ours)]);
    assert!(both.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && !both.contains("hush"));
    assert_eq!(opens(&first, &both).unwrap(), HUSH);
    assert_eq!(opens(&second, &both).unwrap(), HUSH);
    assert_eq!(opens(&second, &both.replace('\n', "\r\n")).unwrap(), HUSH, "line ends may change");
    let error = opens(&first, &sealed(&[of(&theirs)])).unwrap_err();
    assert_eq!(error.to_string(), "open the secret: none of the identities opens it");
    let error = Identities::default().open("token", both.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("no identity is given"), "{error}");
}

#[test]
fn what_age_itself_seals_opens_and_what_is_damaged_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (file, mine) = identity_file(folder.path(), "mine");
    let mut identities = Identities::default();
    identities.add_file(&file).unwrap();
    let mut binary = age::encrypt(&mine.to_public(), HUSH).unwrap();
    assert_eq!(identities.open("token", &binary).unwrap().expose(), HUSH);
    *binary.last_mut().unwrap() ^= 1;
    for damaged in [&binary[..], b"damaged", b""] {
        let error = identities.open("token", damaged).unwrap_err();
        assert!(error.to_string().ends_with("damaged"), "{error}");
    }
}

#[test]
fn nothing_is_sealed_to_nobody_and_nothing_beyond_bounds() {
    let error = to(&[]).seal(&Secret::new(HUSH.to_vec())).unwrap_err();
    assert!(matches!(error, SealError::Nobody), "{error}");
    let most = usize::try_from(LARGEST).unwrap();
    let recipients = to(&[of(&x25519::Identity::generate())]);
    assert!(matches!(recipients.seal(&Secret::new(vec![0; most + 1])).unwrap_err(), SealError::TooLarge(_)));
}

#[test]
fn an_identity_file_without_identity_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity");
    let mine = x25519::Identity::generate();
    let not_by_passphrase = age::encrypt(&mine.to_public(), HUSH).unwrap();
    for wrong in [&b"# nothing\n"[..], b"AGE-SECRET-KEY-1NOTONE\n", b"-----BEGIN", &[255], &not_by_passphrase]
    {
        std::fs::write(&file, wrong).unwrap();
        let error = Identities::default().add_file(&file).unwrap_err();
        assert!(!error.to_string().contains("NOTONE"), "{error}");
    }
    assert!(Identities::default().add_file(&folder.path().join("none")).is_err());
}

#[test]
fn ssh_keys_open_what_is_sealed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    for sort in ["ed25519", "rsa"] {
        let (path, recipient) = ssh_key(folder.path(), sort, "");
        let mut identities = Identities::default();
        identities.add_file(&path).unwrap();
        assert_eq!(identities.recipients().unwrap(), std::slice::from_ref(&recipient));
        assert_eq!(identities.open("token", sealed(&[recipient]).as_bytes()).unwrap().expose(), HUSH);
    }
}

#[test]
fn a_locked_ssh_key_is_asked_for_once_and_only_when_needed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = ssh_key(folder.path(), "ed25519", "correct horse");
    let (open_file, mine) = identity_file(folder.path(), "mine");
    let (passphrases, count) = asked("correct horse");
    let mut identities = Identities::new(passphrases);
    identities.add_file(&path).unwrap();
    identities.add_file(&open_file).unwrap();
    assert_eq!(identities.recipients().unwrap(), [recipient.clone(), of(&mine)]);
    identities.open("token", sealed(&[of(&mine)]).as_bytes()).unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        let opened = identities.open("token", sealed(std::slice::from_ref(&recipient)).as_bytes()).unwrap();
        assert_eq!((opened.expose(), count.load(Ordering::Relaxed)), (HUSH, 1));
    }
}

#[test]
fn a_locked_identity_file_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let mine = x25519::Identity::generate();
    let text = format!("# mine\n{}\n", mine.to_string().expose_secret());
    let path = folder.path().join("locked.age");
    std::fs::write(&path, with_passphrase("correct horse", text.as_bytes())).unwrap();
    let secret = sealed(&[of(&mine)]);
    let with = |passphrases| {
        let mut identities = Identities::new(passphrases);
        identities.add_file(&path).unwrap();
        identities
    };
    let (right, count) = asked("correct horse");
    let identities = with(right);
    assert_eq!(identities.recipients().unwrap(), [of(&mine)]);
    assert_eq!(identities.open("token", secret.as_bytes()).unwrap().expose(), HUSH);
    assert_eq!(count.load(Ordering::Relaxed), 1);

    let (wrong, count) = asked("wrong horse");
    let identities = with(wrong);
    for _ in 0..2 {
        let error = identities.open("token", secret.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("unlock the identity {}: the passphrase is wrong, or it is damaged", path.display())
        );
    }
    assert_eq!(count.load(Ordering::Relaxed), 1, "nobody is asked twice");

    let error = with(asked("").0).open("token", secret.as_bytes()).unwrap_err();
    assert!(error.to_string().ends_with("no passphrase was given"), "{error}");
    let error = with(Passphrases::Unavailable).open("token", secret.as_bytes()).unwrap_err();
    assert!(matches!(error, IdentityError::Locked { .. }), "{error}");
    assert!(error.to_string().ends_with("there is no terminal to ask for it on"), "{error}");
    let error = with(Passphrases::LeftAlone).open("token", secret.as_bytes()).unwrap_err();
    assert!(matches!(error, IdentityError::Open(_)), "{error}");
}

#[test]
fn secrets_with_one_passphrase_are_asked_for_once() {
    let sealed = with_passphrase("correct horse", HUSH);
    let (passphrases, count) = asked("correct horse");
    let identities = Identities::new(passphrases);
    for name in ["one", "two"] {
        assert_eq!(identities.open(name, &sealed).unwrap().expose(), HUSH);
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let error = Identities::new(asked("wrong").0).open("one", &sealed).unwrap_err();
    assert_eq!(error.to_string(), "open the secret: the passphrase is wrong, or it is damaged");
    let error = Identities::default().open("one", &sealed).unwrap_err();
    assert!(error.to_string().contains("no terminal"), "{error}");
}

#[test]
fn a_passphrase_that_asks_for_too_much_work_is_refused() {
    // The head alone is read: what follows need not be right.
    let sealed = with_passphrase("x", HUSH);
    let at = sealed.iter().position(|byte| *byte == b'\n').unwrap();
    let line_end = at + 1 + sealed[at + 1..].iter().position(|byte| *byte == b'\n').unwrap();
    let mut dear = sealed[..line_end - 1].to_vec();
    dear.extend_from_slice(b"21");
    dear.extend_from_slice(&sealed[line_end..]);
    let error = Identities::new(asked("x").0).open("one", &dear).unwrap_err();
    assert!(error.to_string().contains("more work"), "{error}");
}

fn project() -> (tempfile::TempDir, SecretFolder, Identities, x25519::Identity) {
    let folder = tempfile::tempdir().unwrap();
    let (file, mine) = identity_file(folder.path(), "identity");
    let mut identities = Identities::default();
    identities.add_file(&file).unwrap();
    let secrets = SecretFolder::new(folder.path().join("secrets"), folder.path());
    (folder, secrets, identities, mine)
}

#[test]
fn recipients_are_those_of_the_secret_else_of_the_folder_else_the_seats() {
    let (folder, secrets, identities, mine) = project();
    let [alone, shared, seat] = std::array::from_fn(|_| of(&x25519::Identity::generate()));
    let found = |name| secrets.recipients(name, &identities).unwrap();
    assert_eq!(found(Some("token")), to(&[of(&mine)]));
    let error = secrets.recipients(None, &Identities::default()).unwrap_err();
    assert!(error.to_string().starts_with("find somebody to seal to"), "{error}");
    std::fs::create_dir_all(folder.path().join("keys/seats/hs-pc")).unwrap();
    std::fs::write(folder.path().join("keys/seats/hs-pc/recipient"), format!("{seat}\n")).unwrap();
    std::fs::write(folder.path().join("keys/seats/web"), "a file").unwrap();
    assert_eq!(found(Some("token")), to(&[seat, of(&mine)]));
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/recipients"), format!("# all\n{shared}\n")).unwrap();
    assert_eq!(found(Some("token")), to(std::slice::from_ref(&shared)));
    let value = Secret::new(HUSH.to_vec());
    secrets.write_alone("token", &value, &to(std::slice::from_ref(&alone))).unwrap();
    assert!(identities.open("token", &secrets.read("token").unwrap()).is_err());
    assert_eq!(found(Some("token")), to(&[alone]));
    assert_eq!(found(Some("other")), to(std::slice::from_ref(&shared)));
    assert_eq!(found(None), to(&[shared]));
    std::fs::write(folder.path().join("secrets/recipients"), "# none\n").unwrap();
    assert!(matches!(
        secrets.recipients(None, &identities).unwrap_err(),
        SecretError::Load(crate::store::LoadError::Invalid(_))
    ));
}

#[test]
fn a_name_never_leads_out_of_the_folder() {
    let (folder, secrets, ..) = project();
    for bad in ["../x", "/etc/x", "a/../x", "", ".", "a//b", "a b", "-x"] {
        let error = secrets.path(bad).unwrap_err();
        assert!(matches!(error, SecretError::Name { .. }), "{bad}: {error}");
    }
    let error = secrets.path("B2_Key").unwrap_err();
    assert!(error.to_string().ends_with("did you mean `b2-key`?"), "{error}");
    assert_eq!(secrets.path("web/token").unwrap(), folder.path().join("secrets/web/token.age"));
    // One that was made by hand under another name is found all the same.
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/B2_Key.age"), "x").unwrap();
    assert!(secrets.path("B2_Key").is_ok());
}

#[test]
fn a_secret_is_replaced_whole_and_keeps_its_mode() {
    let (folder, secrets, identities, mine) = project();
    let path = secrets.write("web/token", &Secret::new(HUSH.to_vec()), &to(&[of(&mine)])).unwrap();
    assert_eq!(identities.open("web/token", &secrets.read("web/token").unwrap()).unwrap().expose(), HUSH);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        secrets.write("web/token", &Secret::new(b"new".to_vec()), &to(&[of(&mine)])).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    assert_eq!(secrets.names().unwrap(), ["web/token"], "nothing else is left");
    assert_eq!(std::fs::read_dir(folder.path().join("secrets/web")).unwrap().count(), 1);
    let error = secrets.read("web/tokne").unwrap_err();
    assert!(error.to_string().ends_with("did you mean `web/token`?"), "{error}");
}

#[test]
fn rekey_seals_what_it_can_open_and_names_the_rest() {
    let (folder, secrets, identities, mine) = project();
    let (other_file, other) = identity_file(folder.path(), "other");
    let theirs = x25519::Identity::generate();
    secrets.write("a", &Secret::new(b"a".to_vec()), &to(&[of(&mine)])).unwrap();
    secrets.write("b", &Secret::new(b"b".to_vec()), &to(&[of(&theirs)])).unwrap();
    let before = secrets.read("b").unwrap();
    std::fs::write(folder.path().join("secrets/recipients"), format!("{}\n{}\n", of(&mine), of(&other)))
        .unwrap();
    let names = secrets.names().unwrap();
    let rekeyed = rekey(&secrets, &names, &identities).unwrap();
    assert_eq!(rekeyed.done, ["a"]);
    assert_eq!(rekeyed.closed[0].0, "b");
    assert_eq!(secrets.read("b").unwrap(), before, "what cannot be opened stays");
    let mut others = Identities::default();
    others.add_file(&other_file).unwrap();
    assert_eq!(others.open("a", &secrets.read("a").unwrap()).unwrap().expose(), b"a");
    // One wrong list, and nothing is touched.
    std::fs::write(folder.path().join("secrets/b.recipients"), "nobody\n").unwrap();
    let before = secrets.read("a").unwrap();
    assert!(rekey(&secrets, &names, &identities).is_err());
    assert_eq!(secrets.read("a").unwrap(), before);
}
