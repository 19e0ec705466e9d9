//! `service`: a service by its plain name, whatever starts services on the machine.

use super::systemd;
use crate::model::{Diagnostics, Fields, Init, Node};
use crate::resource::init_script::{self, InitScript};
use crate::resource::unit::{self, Unit};
use crate::resource::{Declared, Origin, Reading};

/// The word of a role.
pub const KIND: &str = "service";

/// Reads `service: {name, enabled, running}`: `NAME.service` on systemd, `/etc/init.d/NAME` elsewhere.
/// Both are true unless said otherwise.
pub fn read(
    node: &Node,
    origin: &Origin,
    reading: &Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Declared> {
    let Some(mut fields) = Fields::open(node, KIND, problems) else { return Vec::new() };
    let expected = "a service's name such as nginx, without .service";
    let init = reading.facts.init;
    let name = fields.required("name", expected, |text| match init {
        Init::Systemd => unit::name_from(&format!("{text}.service")).map(|_| text.to_owned()),
        Init::Sysv => init_script::name_from(text),
    });
    let enabled = Some(fields.flag("enabled").unwrap_or(true));
    let running = Some(fields.flag("running").unwrap_or(true));
    fields.close();
    let Some(name) = name else { return Vec::new() };
    vec![match init {
        Init::Systemd => {
            let name = format!("{name}.service");
            let related = Vec::new();
            systemd::unit(Unit { name, enabled, active: running, related, restart: true }, origin)
        }
        Init::Sysv => Declared::new(InitScript { name, enabled, running }, origin.clone()),
    }]
}
