use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::desired::scope::{entry, map};
use crate::model::{Node, Source, Span, Value};

struct Marker;

impl Secrets for Marker {
    fn secret(&self, _: &SecretFrom) -> Result<Content, Fault> {
        Ok(Content::Secret(crate::model::Secret::new(b"it's a marker\n".to_vec())))
    }
}

fn node(value: Value) -> Node {
    Node { value, span: Span::new(&Source::new("t", ""), 0, 0) }
}

fn scope() -> Scope {
    let text = |text: &str| node(Value::Scalar { text: text.to_owned(), plain: true });
    let site = map(vec![entry("name", text("one")), entry("port", text("80"))], &node(Value::Null).span);
    Scope::default()
        .with("name", text("n"))
        .with("yes", text("true"))
        .with("no", text("false"))
        .with("nothing", node(Value::Null))
        .with("list", node(Value::List(vec![text("a"), text("b")])))
        .with("sites", node(Value::List(vec![site.clone()])))
        .with("site", site)
}

fn filled(source: &Arc<Source>) -> Result<Filled, Diagnostic> {
    fill(source.text(), &Place::File(source), &scope(), &Marker)
}

fn text(template: &str) -> String {
    match filled(&Source::new("t", template)) {
        Ok(filled) => String::from_utf8(filled.text.to_vec()).unwrap(),
        Err(problem) => format!("{:?} {}", problem.span.unwrap(), problem.message),
    }
}

#[test]
fn blocks_and_helpers_give_what_they_should() {
    for (template, expected) in [
        ("a {{name}} {{{name}}} {{&name}}", "a n n n"),
        ("{{#if yes}}y{{else}}n{{/if}}{{#if no}}y{{else}}n{{/if}}{{#if nothing}}y{{else}}n{{/if}}", "ynn"),
        ("{{#unless no}}y{{/unless}}", "y"),
        ("{{#each sites}}{{name}}:{{port}} {{@index}}{{/each}}", "one:80 0"),
        ("{{#each site}}{{@key}}={{this}};{{/each}}", "name=one;port=80;"),
        ("{{#each sites as |one|}}{{one.name}}{{/each}}", "one"),
        ("{{#with site}}{{name}}{{/with}}", "one"),
        ("{{join list \"-\"}} {{default nothing \"d\"}} {{default name \"d\"}}", "a-b d n"),
        ("{{#if (and yes (not no))}}y{{/if}}{{#if (or no nothing)}}y{{/if}}", "y"),
        ("{{#if (eq name \"n\")}}y{{/if}}{{#if (ne site.port \"80\")}}y{{/if}}", "y"),
        ("{{lookup site name}}", "t:1:1 there is no `n` in `site`"),
        ("{{lookup site \"name\"}} {{lookup sites.[0] \"port\"}}", "one 80"),
        ("{{shell_quote \"it's\"}}", "'it'\\''s'"),
        ("{{secret \"x\"}}|{{secret \"x\" quote=\"shell\"}}", "it's a marker|'it'\\''s a marker'"),
        ("  {{#if yes}}\n  line\n  {{/if}}\nend\n", "  line\nend\n"),
        ("\\{{name}} {{!-- {{no}} --}}{{! none }}.", "{{name}} ."),
        ("a\n {{#if yes}}\n  {{nope}}\n {{/if}}", "t:3:3 there is no `nope`"),
        ("{{secret \"x\" quote=\"sql\"}}", "t:1:1 `quote=` is no known way of quoting"),
        ("{{lookup site}}", "t:1:1 `lookup` has no key"),
        ("{{#each list}}{{#each nope}}{{/each}}{{/each}}", "t:1:15 there is no `nope`"),
        ("{{#with list}}{{/with}}", "t:1:1 `list` is a list"),
        ("{{#with nothing}}{{else}}x{{/with}}", "t:1:1 `nothing` has no value"),
        ("{{#if name yes}}{{/if}}", "t:1:1 `#if` has 2 arguments"),
        ("{{#if (eq)}}{{/if}}", "t:1:1 there is nothing to do in the parentheses"),
        ("{{log name}}", "t:1:1 there is no helper `log` for this place"),
        ("{{len list}}", "t:1:1 there is no helper `len` for this place"),
        ("{{#*inline \"x\"}}{{/inline}}", "t:1:1 decorators (`{{* ...}}`) are not supported"),
    ] {
        assert_eq!(text(template), expected, "{template}");
    }
}

#[test]
fn a_secret_taints_and_does_not_show() {
    let found = filled(&Source::new("t", "{{name}}")).unwrap();
    assert!(found.secrets.is_empty());
    let found = filled(&Source::new("t", "{{#if yes}}{{secret \"x\"}}{{/if}}")).unwrap();
    assert_eq!(found.secrets, [(SecretFrom::Name("x".to_owned()), true)]);
    let untouched = filled(&Source::new("t", "{{#if no}}{{secret \"x\"}}{{/if}}")).unwrap();
    assert!(untouched.secrets.is_empty());
}

/// Pieces that templates are made of, and pieces that break them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n]{0,6}",
        prop::sample::select(vec![
            "{{name}}",
            "{{nope}}",
            "{{ list.0 }}",
            "{{list}}",
            "{{nothing}}",
            "{{#if yes}}",
            "{{#if nope}}",
            "{{else}}",
            "{{else if no}}",
            "{{^}}",
            "{{/if}}",
            "{{#each sites}}",
            "{{/each}}",
            "{{@index}}",
            "{{@key}}",
            "{{this}}",
            "{{../name}}",
            "{{@root.name}}",
            "{{#with site}}",
            "{{/with}}",
            "{{join list \",\"}}",
            "{{secret \"x\"}}",
            "{{~name~}}",
            "{{{name}}}",
            "{{> x}}",
            "{{!-- x --}}",
            "\\{{name}}",
            "{{{{raw}}}}",
            "{{{{/raw}}}}",
            "{{",
            "}}",
            "ü",
            "{{#each list as |x y|}}",
            "{{(eq name \"n\")}}",
            "{{[list].[0]}}",
            "{{\"text\"}}",
            "{{1}}",
            "{{null}}",
            "{{lookup site \"name\"}}",
            "{{shell_quote (join list \"'\")}}",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_template_goes_wrong_without_a_place(pieces in prop::collection::vec(piece(), 0..12)) {
        let source = Source::new("t", pieces.concat());
        if let Err(problem) = filled(&source) {
            let span = problem.span.unwrap();
            prop_assert!(Arc::ptr_eq(span.source(), &source));
            prop_assert!(!problem.message.contains("marker"));
        }
    }

    #[test]
    fn plain_text_stays_as_it_is(text in "[^{\\\\]{0,40}") {
        prop_assert_eq!(super::tests::text(&text), text);
    }
}

#[test]
fn deep_nesting_is_refused_before_it_takes_the_stack() {
    let blocks = |count: usize| format!("{}x{}", "{{#if yes}}".repeat(count), "{{/if}}".repeat(count));
    assert_eq!(text(&blocks(100)), "x");
    assert_eq!(text(&blocks(100_000)), "t:1:1101 blocks are nested too deep");
    let chain = |count: usize| format!("{{{{#if no}}}}{}x{{{{/if}}}}", "{{else if no}}".repeat(count));
    assert_eq!(text(&chain(99)), "");
    assert_eq!(text(&chain(100_000)), "t:1:1397 blocks are nested too deep");
    let inside =
        |count: usize| format!("{{{{#if {}yes{}}}}}y{{{{/if}}}}", "(not ".repeat(count), ")".repeat(count));
    assert_eq!(text(&inside(100)), "y");
    assert_eq!(text(&inside(100_000)), "t:1:1 parentheses are nested too deep");
    assert_eq!(text(&"{{#if yes}}y{{else if no}}n{{/if}}".repeat(200)), "y".repeat(200));
}
