//! A tier: its pattern and the member the pattern turns on.

use super::names::Names;
use super::scalar::{self, declared};
use crate::inventory::fleet::{Member, Part, Pattern, RoleUse, Tier};
use crate::model::{Diagnostic, Diagnostics, Entry, Fields, MachineName, Spanned, TierName};

const PATTERNS: &[(&str, Pattern)] = &[
    ("primary-and-secondaries", Pattern::PrimaryAndSecondaries),
    ("mesh", Pattern::Mesh),
    ("hub-and-spoke", Pattern::HubAndSpoke),
    ("cloud-as-hub", Pattern::CloudAsHub),
];

pub(super) fn read(entry: &Entry, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Tier> {
    let name = declared(&entry.key, TierName::new, problems);
    let title = format!("tier `{}`", entry.key.text);
    let mut fields = Fields::open(&entry.value, title.as_str(), problems)?;
    let pattern =
        if fields.required_node("pattern").is_some() { fields.choice("pattern", PATTERNS) } else { None };
    let primary = fields.text("primary");
    let hub = fields.text("hub");
    if let Some(pattern) = pattern {
        let needs_primary = pattern == Pattern::PrimaryAndSecondaries;
        let needs_hub = matches!(pattern, Pattern::HubAndSpoke | Pattern::CloudAsHub);
        needed(&mut fields, &title, pattern, "primary", primary.as_ref(), needs_primary);
        needed(&mut fields, &title, pattern, "hub", hub.as_ref(), needs_hub);
    }
    let roles = scalar::roles(&mut fields, "roles");
    let roles_of = pattern.map(|pattern| roles_of(&mut fields, &title, pattern));
    let problems = fields.problems();
    let primary = primary.and_then(|text| self::primary(&text, &entry.key.text, names, problems));
    let hub = hub.and_then(|text| self::hub(&text, &entry.key.text, pattern, names, problems));
    fields.close();
    Some(Tier {
        name: name?,
        span: entry.key.span.clone(),
        pattern: pattern?,
        primary,
        hub,
        roles,
        roles_of: roles_of?,
    })
}

fn word(pattern: Pattern) -> &'static str {
    PATTERNS.iter().find(|(_, known)| *known == pattern).map_or("", |(word, _)| word)
}

/// Reports a key that the pattern needs and is not there, or is there and means nothing.
fn needed(
    fields: &mut Fields<'_>,
    title: &str,
    pattern: Pattern,
    key: &'static str,
    given: Option<&Spanned<String>>,
    needs: bool,
) {
    let word = word(pattern);
    match given {
        None if needs => {
            let problem = Diagnostic::at(fields.span(), format!("{title} is {word} and has no `{key}`"))
                .expected(format!("`{key}:` with a member of the tier"));
            fields.missing_one_of(&[key], problem);
        }
        Some(text) if !needs => {
            let problem = Diagnostic::at(&text.span, format!("{title} is {word} and takes no `{key}`"))
                .expected(format!("no `{key}:` here"));
            fields.problems().push(problem);
        }
        _ => {}
    }
}

/// The parts a pattern has, with the words for them.
fn parts(pattern: Pattern) -> &'static [(&'static str, Part)] {
    match pattern {
        Pattern::PrimaryAndSecondaries => &[("primary", Part::Primary), ("secondary", Part::Secondary)],
        Pattern::Mesh => &[("peer", Part::Peer)],
        Pattern::HubAndSpoke => &[("hub", Part::Hub), ("spoke", Part::Spoke)],
        Pattern::CloudAsHub => &[("hub", Part::Hub), ("client", Part::Client)],
    }
}

fn roles_of(fields: &mut Fields<'_>, title: &str, pattern: Pattern) -> Vec<(Part, Vec<RoleUse>)> {
    let Some(node) = fields.node("roles-of") else { return Vec::new() };
    let what = format!("`roles-of` of {title}");
    let Some(mut inner) = Fields::open(node, what, fields.problems()) else { return Vec::new() };
    let roles = parts(pattern).iter().map(|(word, part)| (*part, scalar::roles(&mut inner, word))).collect();
    inner.close();
    roles
}

fn primary(
    text: &Spanned<String>,
    tier: &str,
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Spanned<MachineName>> {
    let machine = names.managed(text, "be a primary", problems)?;
    in_tier(text, tier, names, problems)?;
    Some(machine)
}

fn hub(
    text: &Spanned<String>,
    tier: &str,
    pattern: Option<Pattern>,
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Spanned<Member>> {
    let member = names.member(text, problems)?;
    if let Member::Machine(_) = member.value {
        in_tier(text, tier, names, problems)?;
        if pattern == Some(Pattern::HubAndSpoke) {
            names.managed(text, "be a hub", problems)?;
        }
    }
    Some(member)
}

fn in_tier(text: &Spanned<String>, tier: &str, names: &Names<'_>, problems: &mut Diagnostics) -> Option<()> {
    match names.tier_of(&text.value) {
        Some(own) if own == tier => Some(()),
        // A machine without a tier is reported where it is declared.
        None => None,
        Some(own) => {
            problems.push(
                Diagnostic::at(&text.span, format!("`{}` is in tier `{own}`", text.value))
                    .expected(format!("a member of tier `{tier}`")),
            );
            None
        }
    }
}
