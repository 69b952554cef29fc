//! Why a verb is not done, and how Podman is told.

use engine::EngineError;
use model::OptionError;

use crate::sentence;

/// One sentence: what, why, and what to do. Podman shows it to its user as it is.
#[derive(Debug)]
pub(crate) struct Refusal(pub(super) String);

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self(sentence::in_full(&error))
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Self {
        Self(format!("{error}; {}", error.hint()))
    }
}
