//! What a kind may ask for while it reads its fields: facts of the machine, templates, files, secrets.

use super::content::Content;
use crate::model::{
    Diagnostic, Diagnostics, Facts, MachineName, MachinePath, Node, SecretReference, ServiceName, Span,
    Spanned,
};

/// What the surroundings supply to a resource or intent that is being read.
pub trait Supply {
    /// A template's text, rendered with the values in scope. Secret when it used a secret.
    ///
    /// # Errors
    /// A diagnostic that points into the template or at its name.
    fn template(&self, name: &Spanned<String>) -> Result<Content, Diagnostic>;

    /// As [`Supply::template`], with more values in scope: for templates that belong to an intent,
    /// such as a leg's script.
    ///
    /// # Errors
    /// A diagnostic that points into the template or at its name.
    fn template_with(&self, name: &Spanned<String>, values: &[(&str, Node)]) -> Result<Content, Diagnostic> {
        let _ = values;
        self.template(name)
    }

    /// A file from the `files` folder of the inventory or the built-in ones, as it is.
    ///
    /// # Errors
    /// A diagnostic at its name.
    fn file(&self, name: &Spanned<String>) -> Result<Content, Diagnostic>;

    /// A secret.
    ///
    /// # Errors
    /// A diagnostic where it is asked for.
    fn secret(&self, secret: &SecretReference) -> Result<Content, Diagnostic>;

    /// The other managed machines of the fleet that are reached at a host name or address; with a port,
    /// only those whose SSH server listens there.
    fn machines_at(&self, host: &str, port: Option<u16>) -> Vec<MachineName> {
        let _ = (host, port);
        Vec::new()
    }

    /// The git service of the fleet that has this remote.
    fn repository(&self, remote: &str) -> Option<ServiceName> {
        let _ = remote;
        None
    }
}

/// The machine a resource is read for, and the supply.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// What the machine is.
    pub facts: &'a Facts,
    /// Templates, files, secrets.
    pub supply: &'a dyn Supply,
}

impl Reading<'_> {
    /// A path on the machine: absolute, or `~` and `~/…` for the login user's home.
    pub fn path(&self, text: &Spanned<String>, problems: &mut Diagnostics) -> Option<MachinePath> {
        let expanded = match text.value.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", self.facts.home),
            _ => text.value.clone(),
        };
        match MachinePath::new(&expanded) {
            Ok(path) => Some(path),
            Err(error) => {
                problems.push(path_problem(&text.span, &error.to_string()));
                None
            }
        }
    }

    /// The user that owns what has no declared owner: the login user inside its home, otherwise
    /// whoever the operations run as.
    #[must_use]
    pub fn owner_of(&self, path: &MachinePath) -> String {
        let at_home = MachinePath::new(&self.facts.home).is_ok_and(|home| path.is_within(&home));
        if at_home || !self.facts.root { self.facts.user.clone() } else { "root".to_owned() }
    }
}

fn path_problem(span: &Span, message: &str) -> Diagnostic {
    Diagnostic::at(span, message).expected("an absolute path such as /srv/sites, or one that starts with ~/")
}
