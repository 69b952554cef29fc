//! HTTP: from a request to a call, and from its outcome to an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::Driver;
use super::driver::Refusal;

/// More than any request of an engine.
const BODY_LIMIT: usize = 1 << 20;
/// An engine has no time limit of its own and holds its locks meanwhile.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Calls at a time; more are turned away at once.
const CALLS: usize = 128;

#[derive(Clone)]
struct Shared {
    driver: Driver,
    calls: Arc<Semaphore>,
}

/// All methods of the plugin.
pub(crate) fn routes(driver: Driver) -> Router {
    let shared = Shared { driver, calls: Arc::new(Semaphore::new(CALLS)) };
    Router::new().route("/{method}", post(call)).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(shared)
}

/// One call, on a thread of its own: the engine is synchronous. What takes too long is answered, and goes on.
async fn call(
    State(shared): State<Shared>,
    Path(method): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let text =
                format!("the body cannot be read ({}); at most {BODY_LIMIT} bytes are taken", rejection.body_text());
            return answer(rejection.status(), &error(&text));
        }
    };
    let Ok(permit) = Arc::clone(&shared.calls).try_acquire_owned() else {
        return answer(StatusCode::SERVICE_UNAVAILABLE, &error("too many calls at once; try again"));
    };
    let started = Instant::now();
    let work = tokio::task::spawn_blocking(move || {
        let outcome = shared.driver.call(&method, &body);
        drop(permit);
        log(&method, started.elapsed(), &outcome);
        outcome
    });
    match tokio::time::timeout(TIME_LIMIT, work).await {
        Ok(Ok(Ok(value))) => answer(StatusCode::OK, &value),
        Ok(Ok(Err(Refusal::UnknownMethod(method)))) => {
            answer(StatusCode::NOT_FOUND, &error(&format!("there is no method {method}")))
        }
        Ok(Ok(Err(Refusal::Bad(text)))) => answer(StatusCode::BAD_REQUEST, &error(&text)),
        Ok(Ok(Err(Refusal::Failed(text)))) => answer(StatusCode::INTERNAL_SERVER_ERROR, &error(&text)),
        Ok(Err(panic)) => answer(StatusCode::INTERNAL_SERVER_ERROR, &error(&format!("a call ended badly: {panic}"))),
        Err(_) => {
            answer(StatusCode::GATEWAY_TIMEOUT, &error("no answer within 10 s; `ipvland status` tells how far it came"))
        }
    }
}

fn log(method: &str, took: Duration, outcome: &Result<Value, Refusal>) {
    match outcome {
        Ok(_) => tracing::info!(method, ?took, "done"),
        Err(refusal) => tracing::warn!(method, ?took, %refusal, "refused"),
    }
}

fn error(text: &str) -> Value {
    json!({ "Err": text })
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/vnd.docker.plugins.v1.2+json")];
    (status, kind, body.to_string()).into_response()
}
