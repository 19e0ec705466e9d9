//! From questions to one script.

use crate::model::Facts;
use crate::resource::{Question, Want};
use crate::shell::{Library, posix::command, posix::quote, program};

/// A probe: its script, and which question each number in its answers means.
#[derive(Debug)]
pub(super) struct Probe {
    /// Defines the probe, and runs it.
    pub script: String,
    /// The questions by their numbers, with the index of who asks.
    pub questions: Vec<(usize, Question)>,
    /// The kinds' libraries it defines.
    pub libraries: Vec<Library>,
    /// The machine's state folder.
    pub state: String,
    /// How many ask.
    pub askers: usize,
}

/// The call that runs the probe again in the same session.
pub(super) const AGAIN: &str = "fp_probe\n";

impl Probe {
    /// The probe for all questions, by who asks them.
    pub(super) fn new(facts: &Facts, asked: Vec<Vec<Question>>) -> Self {
        let askers = asked.len();
        let questions: Vec<(usize, Question)> = asked
            .into_iter()
            .enumerate()
            .flat_map(|(index, questions)| questions.into_iter().map(move |question| (index, question)))
            .collect();
        let libraries = program::with_needs(questions.iter().filter_map(|(_, question)| match question {
            Question::Ask { library, .. } => Some(*library),
            _ => None,
        }));
        let mut script = String::from("fp_probe() {\nfp_probe_begin\n");
        script.push_str(&format!("fp_facts {}\n", quote(&facts.user)));
        let mut units = Vec::new();
        let mut packages = Vec::new();
        let mut asks = String::new();
        for (number, (_, question)) in questions.iter().enumerate() {
            match question {
                Question::Path { path, want } => {
                    let (word, digest, limit) = match want {
                        Want::Facts => ("facts", String::new(), 0),
                        Want::Unless { digest, limit } => ("unless", digest.to_string(), *limit),
                        Want::Bytes { limit } => ("bytes", String::new(), *limit),
                        Want::Keyed => ("keyed", String::new(), 0),
                    };
                    let path = quote(path.as_str());
                    script.push_str(&format!(
                        "fp_path {number} {word} {} {limit} {path} {}\n",
                        if digest.is_empty() { "-" } else { &digest },
                        quote(&path)
                    ));
                }
                Question::Unit(name) => units.push(quote(name)),
                Question::Package(name) => packages.push(quote(name)),
                Question::Ask { call, within, .. } => asks.push_str(&format!(
                    "fp_ask {number} {} {}\n",
                    quote(within.as_ref().map_or("", |folder| folder.as_str())),
                    quote(&command(call))
                )),
            }
        }
        script.push_str("fp_paths\nfp_mount_points\n");
        if !units.is_empty() {
            script.push_str(&format!("fp_units {}\n", units.join(" ")));
        }
        if !packages.is_empty() {
            script.push_str(&format!("fp_packages {}\n", packages.join(" ")));
        }
        script.push_str(&asks);
        script.push_str("fp_frame probed\n}\n");
        script.push_str(AGAIN);
        Self { script, questions, state: facts.state_folder(), askers, libraries }
    }

    /// The first script of a session: defines every function, gives what is remembered on the machine,
    /// and probes.
    pub(super) fn first(&self, facts: &Facts) -> String {
        let kept =
            format!("fp_kept {} {}\n", quote(&facts.state_folder()), quote(&facts.home_state_folder()));
        program::definitions(&self.libraries) + &kept + &self.script
    }
}
