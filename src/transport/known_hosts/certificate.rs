//! Whether a host certificate that a pinned authority signed is good for a host.
//!
//! The rules are those of OpenSSH's PROTOCOL.certkeys, with one stricter: a certificate that names
//! no host is refused instead of being good for all of them.

use std::time::{Duration, SystemTime};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use super::pattern::glob;

/// Checks kind, hosts, time, options and signature. The caller has checked that the authority is pinned.
pub(super) fn check(certificate: &Certificate, host: &str, now: SystemTime) -> Result<(), String> {
    if certificate.cert_type() != CertType::Host {
        return Err("it is a user's certificate, not a host's".to_owned());
    }
    let host = host.to_ascii_lowercase();
    if !certificate.valid_principals().iter().any(|name| glob(&name.to_ascii_lowercase(), &host)) {
        return Err(format!("it does not name the host `{host}`"));
    }
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    if seconds < certificate.valid_after() {
        return Err("it is not valid yet".to_owned());
    }
    if seconds >= certificate.valid_before() {
        return Err("it has expired".to_owned());
    }
    if certificate.critical_options().iter().next().is_some() {
        return Err("it has critical options, which are not defined for hosts".to_owned());
    }
    if certificate.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
        return Err("it is signed with SHA-1".to_owned());
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    certificate.validate_at(seconds, [&authority]).map_err(|_| "its signature does not hold".to_owned())
}
