//! Rewrites a parsed template so that nothing slips through, and notes which names it uses.

use std::collections::BTreeSet;

use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};
use handlebars::{Path, PathSeg, Template};

use super::super::fault::Fault;
use super::helpers::{BLOCKS, CHECK, TEXTS, VALUE, VALUES};

type Refusal = (Fault, usize, usize);

/// Checks every helper's name, sends every value through `VALUE` and puts a `CHECK` before every
/// block. `names` gets every name that stands in a path, so that only those are made ready.
pub(super) fn tighten(template: &mut Template, names: &mut BTreeSet<String>) -> Result<(), Refusal> {
    // An `else if` chain has no positions of its own; its errors get those of its block.
    let placed = template.mapping.len() == template.elements.len();
    let elements = std::mem::take(&mut template.elements);
    let mapping = std::mem::take(&mut template.mapping);
    let mut places = mapping.into_iter();
    for mut element in elements {
        let place = if placed { places.next() } else { None };
        let at = place.as_ref().map_or((1, 1), |place| (place.0, place.1));
        let check = element_checked(&mut element, names).map_err(|fault| (fault, at.0, at.1))?;
        if let TemplateElement::HelperBlock(block) = &mut element {
            for inner in [&mut block.template, &mut block.inverse].into_iter().flatten() {
                let chained = inner.mapping.len() != inner.elements.len();
                tighten(inner, names).map_err(|(fault, line, column)| {
                    if chained { (fault, at.0, at.1) } else { (fault, line, column) }
                })?;
            }
        }
        for element in check.into_iter().chain([element]) {
            template.elements.push(element);
            template.mapping.extend(place.clone());
        }
    }
    Ok(())
}

/// Rewrites one element; gives the check that has to come before it.
fn element_checked(
    element: &mut TemplateElement,
    names: &mut BTreeSet<String>,
) -> Result<Option<TemplateElement>, Fault> {
    match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok(None),
        TemplateElement::Expression(tag) | TemplateElement::HtmlExpression(tag) => {
            if tag.params.is_empty() && tag.hash.is_empty() {
                value(tag, names)?;
            } else {
                helper_known(&tag.name, &[TEXTS, VALUES])?;
                arguments(tag, names)?;
            }
            Ok(None)
        }
        TemplateElement::HelperBlock(tag) => {
            helper_known(&tag.name, &[BLOCKS])?;
            arguments(tag, names)?;
            let name = tag.name.as_name().unwrap_or_default().to_owned();
            if name == "raw" {
                return Ok(None);
            }
            if tag.params.len() != 1 {
                return Err(Fault::new(format!("`#{name}` has {} arguments", tag.params.len()))
                    .expected(format!("one: {{{{#{name} name}}}}")));
            }
            let mut checked = tag.params.clone();
            checked.push(Parameter::Literal(name.into()));
            Ok(Some(expression(CHECK, checked)))
        }
        TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
            Err(Fault::new("a template cannot include another one").expected("the text itself"))
        }
        TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
            Err(Fault::new("decorators (`{{* ...}}`) are not supported").expected("a value or a helper"))
        }
        _ => Err(Fault::new("this tag is not supported").expected("a value or a helper")),
    }
}

/// `{{ name }}` becomes `{{VALUE name}}`; `{{ (helper …) }}` and a literal likewise.
fn value(tag: &mut HelperTemplate, names: &mut BTreeSet<String>) -> Result<(), Fault> {
    if let Some(name) = tag.name.as_name()
        && [TEXTS, VALUES, BLOCKS].iter().any(|known| known.contains(&name))
    {
        return Err(Fault::new(format!("the helper `{name}` has no argument"))
            .expected(format!("{{{{{name} ...}}}}")));
    }
    let mut inner = std::mem::replace(&mut tag.name, Parameter::Name(VALUE.to_owned()));
    argument(&mut inner, names)?;
    tag.params.push(inner);
    Ok(())
}

fn arguments(tag: &mut HelperTemplate, names: &mut BTreeSet<String>) -> Result<(), Fault> {
    for parameter in tag.params.iter_mut().chain(tag.hash.values_mut()) {
        argument(parameter, names)?;
    }
    Ok(())
}

fn argument(parameter: &mut Parameter, names: &mut BTreeSet<String>) -> Result<(), Fault> {
    match parameter {
        Parameter::Path(Path::Relative((segments, _))) => {
            names.extend(segments.iter().filter_map(|segment| match segment {
                PathSeg::Named(name) => Some(name.clone()),
                _ => None,
            }));
        }
        Parameter::Subexpression(inner) => {
            if let TemplateElement::Expression(tag) = inner.element.as_mut() {
                if tag.params.is_empty() && tag.hash.is_empty() {
                    return Err(Fault::new("there is nothing to do in the parentheses")
                        .expected("a helper and its arguments: (eq name \"text\")"));
                }
                helper_known(&tag.name, &[VALUES])?;
                arguments(tag, names)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn helper_known(name: &Parameter, known: &[&[&str]]) -> Result<(), Fault> {
    let name = name.as_name().unwrap_or_default();
    let known = || known.iter().copied().flatten().copied();
    if known().any(|known| known == name) {
        return Ok(());
    }
    if name == "secret" {
        return Err(Fault::new("`secret` cannot be the argument of another helper")
            .expected("{{secret \"name\"}}, or {{secret \"name\" quote=\"shell\"}}"));
    }
    let mut all: Vec<&str> = known().collect();
    all.sort_unstable();
    Err(Fault::new(format!("there is no helper `{name}` for this place"))
        .expected(format!("one of {}", all.join(", ")))
        .nearest_of(name, all))
}

fn expression(helper: &str, parameters: Vec<Parameter>) -> TemplateElement {
    let name = Parameter::Name(helper.to_owned());
    *Subexpression::new(name, parameters, std::collections::HashMap::new()).element
}
