//! Why a call is not done, and how the engine is told.

use axum::http::StatusCode;
use engine::EngineError;

use crate::sentence;

/// A call that is not done. The engine passes the sentence on to its user as it is.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// 400 for what is wrong with the request, 5xx for what is wrong with the host.
    ///
    /// For people and logs: the engine treats every status but 200 alike, and retries none. (404 alone means "there is
    /// no such method" to it.)
    pub(crate) status: StatusCode,
    /// One sentence: what, why, and what to do.
    pub(crate) sentence: String,
    /// Whether kernel and ledger may have come apart, so that a repair is due.
    pub(crate) needs_repair: bool,
}

impl Refusal {
    /// The request is wrong.
    pub(crate) fn bad(sentence: impl Into<String>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, sentence)
    }

    /// Any other.
    pub(crate) fn with(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), needs_repair: false }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let refused = error.is_refusal();
        let status = if refused { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
        Self { status, sentence: sentence::in_full(&error), needs_repair: !refused }
    }
}
