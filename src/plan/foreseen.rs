//! What earlier steps of a plan will have changed of the answers to later ones' questions.

use std::borrow::Cow;

use crate::model::MachinePath;
use crate::resource::{Answer, PathFacts, Question};

/// The answers that will be others by then, and the steps that see to it.
#[derive(Default)]
pub(super) struct Foreseen {
    answers: Vec<(Question, Answer, usize)>,
    /// Paths at which nothing will be any more, whatever is asked about them.
    gone: Vec<(MachinePath, usize)>,
}

impl Foreseen {
    /// Notes what a step will have made of some answers.
    pub(super) fn add(&mut self, step: usize, answers: Vec<(Question, Answer)>) {
        for (question, answer) in answers {
            self.answers.retain(|(known, ..)| *known != question);
            self.answers.push((question, answer, step));
        }
    }

    /// Notes that a step removes what is at a path.
    pub(super) fn remove(&mut self, step: usize, path: MachinePath) {
        self.answers
            .retain(|(known, ..)| !matches!(known, Question::Path { path: asked, .. } if *asked == path));
        self.gone.push((path, step));
    }

    /// The answers to some questions as they will be when their turn comes, and the steps that have to
    /// succeed for that.
    pub(super) fn instead_of<'a>(
        &self,
        observed: &'a [Answer],
        questions: &[Question],
    ) -> (Cow<'a, [Answer]>, Vec<usize>) {
        let mut answers = Cow::Borrowed(observed);
        let mut steps = Vec::new();
        if self.answers.is_empty() && self.gone.is_empty() {
            return (answers, steps);
        }
        for (place, question) in questions.iter().enumerate() {
            let Some((answer, step)) = self.known(question) else { continue };
            if let Some(given) = answers.to_mut().get_mut(place) {
                *given = answer;
                steps.push(step);
            }
        }
        (answers, steps)
    }

    fn known(&self, question: &Question) -> Option<(Answer, usize)> {
        let told = self.answers.iter().find(|(known, ..)| known == question);
        if let Some((_, answer, step)) = told {
            return Some((answer.clone(), *step));
        }
        let Question::Path { path, .. } = question else { return None };
        let gone = self.gone.iter().find(|(gone, _)| gone == path)?;
        Some((Answer::Path(PathFacts::absent()), gone.1))
    }
}
