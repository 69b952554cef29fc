//! HTTP: from a request to a call, and from its outcome to an answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use engine::Engine;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;

use super::calls::{Answer, CALLS, Call, Work};
use super::refusal::Refusal;
use crate::sentence;
use crate::standby::Standby;

/// More than any request of an engine, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// From the first byte of the body to the answer. An engine has no limit of its own and holds its locks meanwhile.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Calls at work at a time; more are turned away at once. An engine has a few on the way, one per container.
const CALLS_AT_A_TIME: usize = 128;

/// What every handler has at hand.
#[derive(Clone)]
struct Shared {
    standby: Arc<Standby>,
    free: Arc<Semaphore>,
}

/// All calls of the plugin. What is none of them is refused as JSON too.
pub(crate) fn routes(standby: Arc<Standby>) -> Router {
    let shared = Shared { standby, free: Arc::new(Semaphore::new(CALLS_AT_A_TIME)) };
    let mut router = Router::new();
    for call in &CALLS {
        let handler = move |State(shared): State<Shared>, request: Request| handle(call, shared, request);
        router = router.route(&format!("/{}", call.method), post(handler));
    }
    router
        .fallback(|| async { refuse(&Refusal::with(StatusCode::NOT_FOUND, "there is no such method")) })
        .method_not_allowed_fallback(|| async {
            refuse(&Refusal::with(StatusCode::METHOD_NOT_ALLOWED, "methods of a plugin are called with POST"))
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

/// Answers one request in time.
///
/// The engine is synchronous, so the call gets a thread. It keeps its place among the calls at work until it is really
/// done, whether or not somebody still waits for it.
async fn handle(call: &'static Call, shared: Shared, request: Request) -> Response {
    let method = call.method;
    let deadline = Instant::now() + TIME_LIMIT;
    let Ok(place) = Arc::clone(&shared.free).try_acquire_owned() else {
        return turn_away(method, StatusCode::SERVICE_UNAVAILABLE, "ipvland has too many calls at work; try again");
    };
    // Told from its length, before it is sent.
    if request.body().size_hint().lower() > BODY_LIMIT as u64 {
        return turn_away(
            method,
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("at most {BODY_LIMIT} bytes of body are taken"),
        );
    }
    let body = match timeout_at(deadline, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => {
            let why = rejection.body_text();
            let sentence = format!("the body cannot be read: {why}; at most {BODY_LIMIT} bytes are taken");
            return turn_away(method, rejection.status(), &sentence);
        }
        Err(_) => {
            let sentence = format!("the body did not come within {TIME_LIMIT:?}; nothing was changed");
            return turn_away(method, StatusCode::REQUEST_TIMEOUT, &sentence);
        }
    };
    let work = spawn_blocking(move || {
        let answer = carry_out(call, &shared.standby, &body);
        drop(place);
        answer
    });
    match timeout_at(deadline, work).await {
        Ok(Ok(Ok(value))) => reply(StatusCode::OK, &value),
        Ok(Ok(Err(refusal))) => refuse(&refusal),
        Ok(Err(_)) => {
            let sentence = "ipvland has a defect: the call ended in a panic; the log has the details";
            turn_away(method, StatusCode::INTERNAL_SERVER_ERROR, sentence)
        }
        Err(_) => {
            let sentence =
                format!("not done after {TIME_LIMIT:?}, and still going on; `ipvland status` tells how far it is");
            turn_away(method, StatusCode::GATEWAY_TIMEOUT, &sentence)
        }
    }
}

/// Refuses a call that has not been carried out here, and so has no line in the log yet.
fn turn_away(method: &str, status: StatusCode, sentence: &str) -> Response {
    tracing::error!(method, "turned away: {sentence}");
    refuse(&Refusal::with(status, sentence))
}

fn carry_out(call: &Call, standby: &Standby, body: &[u8]) -> Answer {
    // Of the highest level, so that no filter takes the fields off a line that it lets pass.
    let _span = tracing::error_span!("call", method = call.method, network = Empty, endpoint = Empty).entered();
    let started = Instant::now();
    let answer = match call.work {
        Work::Always(work) => Ok(work(standby)),
        Work::Engine(work) => engine_of(standby).and_then(|engine| work(&engine, body)),
        Work::GoesOn(work) => engine_of(standby).and_then(|engine| work(&engine, standby, body)),
    };
    let took = started.elapsed();
    match &answer {
        Ok(_) if call.changes => tracing::info!(?took, "done"),
        Ok(_) => tracing::debug!(?took, "answered"),
        Err(refusal) if refusal.status.is_server_error() => tracing::error!(?took, "failed: {}", refusal.sentence),
        Err(refusal) => tracing::warn!(?took, "refused: {}", refusal.sentence),
    }
    // An engine that calls is there to be asked what it remembers, sooner or later.
    if answer.as_ref().is_err_and(|refusal| refusal.needs_repair) || standby.doubted().is_some() {
        standby.repair_soon();
    }
    answer
}

fn engine_of(standby: &Standby) -> Result<Arc<Engine>, Refusal> {
    standby.engine().map_err(|error| Refusal::with(StatusCode::SERVICE_UNAVAILABLE, sentence::in_full(&error)))
}

fn refuse(refusal: &Refusal) -> Response {
    reply(refusal.status, &json!({ "Err": refusal.sentence }))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/vnd.docker.plugins.v1.2+json")];
    (status, kind, body.to_string()).into_response()
}
