//! An error as people read it: the sentence, its causes, and what to do.

use std::error::Error;

use engine::EngineError;

/// The error and its causes, joined by colons. No layer repeats its source's text, so nothing is said twice.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// All that one line can say: sentence, causes and hint.
pub(crate) fn in_full(error: &EngineError) -> String {
    match error.hint() {
        Some(hint) => format!("{}; {hint}", chain(error)),
        None => chain(error),
    }
}
