//! Which options rclone keeps obscured.

/// Backends and their options with `IsPassword` (rclone's `backend/*`, v1.76-dev of 2026-08; those of
/// 1.60 printed by `rclone config providers` are a part of it). Every other option, such as b2's `key`,
/// stands in the file as it is.
const PASSWORDS: &[(&str, &[&str])] = &[
    ("azureblob", &["client_certificate_password", "password"]),
    ("azurefiles", &["client_certificate_password", "password"]),
    ("cache", &["plex_password"]),
    ("crypt", &["password", "password2"]),
    ("fichier", &["file_password", "folder_password"]),
    ("filen", &["api_key", "password"]),
    ("filescom", &["password"]),
    ("ftp", &["pass"]),
    ("iclouddrive", &["password"]),
    ("internxt", &["pass"]),
    ("koofr", &["password"]),
    ("linkbox", &["password"]),
    ("mailru", &["pass"]),
    ("mega", &["pass"]),
    ("netstorage", &["secret"]),
    ("opendrive", &["password"]),
    ("pcloud", &["password"]),
    ("pikpak", &["pass"]),
    ("protondrive", &["mailbox_password", "otp_secret_key", "password"]),
    ("seafile", &["library_key", "pass"]),
    ("sftp", &["key_file_pass", "pass"]),
    ("sia", &["api_password"]),
    ("smb", &["pass"]),
    ("ulozto", &["password"]),
    ("webdav", &["pass"]),
];

/// Whether rclone keeps this option obscured and reveals it when it reads it.
#[must_use]
pub fn is_password(backend: &str, option: &str) -> bool {
    PASSWORDS.iter().any(|(name, options)| *name == backend && options.contains(&option))
}
