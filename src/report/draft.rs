//! Draft.
use super::Appearance;
use crate::event::Failure;
use crate::event::StepOutcome;
use crate::plan::Plan;
/// Draft.
#[derive(Default, Debug)]
#[expect(missing_docs, reason = "draft")]
pub struct MachineReport<'a> {
    pub name: &'a str,
    pub plan: Option<&'a Plan>,
    pub steps: &'a [StepOutcome],
    pub left: Option<&'a Plan>,
    pub failure: Option<&'a Failure>,
    pub unsupported: Option<&'a str>,
}
/// Draft.
pub fn plans(r: &[MachineReport<'_>], _: Appearance) -> String {
    r.iter()
        .map(|m| {
            format!(
                "== {} {:?}\n{}\n",
                m.name,
                m.failure.map(|f| f.message.clone()).or(m.unsupported.map(str::to_owned)),
                m.plan
                    .map(|p| p
                        .steps
                        .iter()
                        .map(|s| format!(
                            "  {} {} {:?}\n",
                            s.difference.action.verb(),
                            s.id,
                            s.difference.details
                        ))
                        .chain(p.blocked.iter().map(|b| format!("  BLOCKED {} {}\n", b.id, b.reason)))
                        .collect::<String>())
                    .unwrap_or_default()
            )
        })
        .collect()
}
/// Draft.
pub fn outcomes(r: &[MachineReport<'_>], _: Appearance) -> String {
    r.iter()
        .map(|m| {
            format!(
                "== {} {:?} {:?} left {:?}\n",
                m.name,
                m.steps,
                m.failure,
                m.left.map(|l| (l.steps.len(), l.blocked.len()))
            )
        })
        .collect()
}
/// Draft.
pub fn json(_: &str, _: &[MachineReport<'_>], _: u8) -> String {
    String::new()
}
/// Draft.
pub fn summary(_: &[MachineReport<'_>], _: Appearance) -> String {
    String::new()
}
