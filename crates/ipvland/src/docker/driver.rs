//! What each call asks for.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{Engine, EngineError, Finding, Paths, Repair};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::wire;

/// The driver: one engine, opened when it is first needed.
///
/// While it cannot be opened the daemon stays up and every call says why: an engine that gets no answer hangs with its
/// locks held.
#[derive(Clone)]
pub(crate) struct Driver {
    paths: Paths,
    engine: Arc<Mutex<Option<Arc<Engine>>>>,
}

/// Why a call was not carried out, in one sentence for the user.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No such method.
    UnknownMethod(String),
    /// The request is wrong.
    Bad(String),
    /// The host could not.
    Failed(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::UnknownMethod(method) => write!(f, "there is no method {method}"),
            Refusal::Bad(text) | Refusal::Failed(text) => f.write_str(text),
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let text = match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        };
        if error.is_refusal() { Refusal::Bad(text) } else { Refusal::Failed(text) }
    }
}

type Answer = Result<Value, Refusal>;

impl Driver {
    pub(crate) fn new(paths: Paths) -> Self {
        Self { paths, engine: Arc::default() }
    }

    /// Carries out one call.
    pub(crate) fn call(&self, method: &str, body: &[u8]) -> Answer {
        let _span = span(method, body).entered();
        match method {
            "Plugin.Activate" => self.activate(),
            "NetworkDriver.GetCapabilities" => {
                Ok(json!({ "Scope": "local", "ConnectivityScope": "local", "GwAllocChecker": true }))
            }
            "NetworkDriver.GwAllocCheck" => answer(&read::<wire::GwAllocCheck>(body)?.parse().map_err(Refusal::Bad)?),
            "NetworkDriver.AllocateNetwork" => {
                Err(Refusal::Bad("ipvland makes networks of one host; a swarm takes managed plugins only".into()))
            }
            "NetworkDriver.CreateNetwork" => {
                let request = read::<wire::CreateNetwork>(body)?.parse().map_err(Refusal::Bad)?;
                self.change(|engine| engine.create_network(&request))
            }
            "NetworkDriver.DeleteNetwork" => {
                let id = read::<wire::Network>(body)?.parse().map_err(Refusal::Bad)?;
                self.change(|engine| engine.delete_network(&id))
            }
            "NetworkDriver.CreateEndpoint" => {
                let request = read::<wire::CreateEndpoint>(body)?;
                if request.publishes() {
                    tracing::info!("published ports have no effect: the container's ports are on the network already");
                }
                let request = request.parse().map_err(Refusal::Bad)?;
                self.change(|engine| engine.create_endpoint(&request))
            }
            "NetworkDriver.Join" => {
                let (id, sandbox) = read::<wire::Join>(body)?.parse().map_err(Refusal::Bad)?;
                let attachment = self.engine()?.attach(&id, &sandbox).map_err(|error| self.failed(error))?;
                answer(&wire::Joined::from(attachment))
            }
            "NetworkDriver.Leave" => {
                let id = read::<wire::Endpoint>(body)?.parse().map_err(Refusal::Bad)?;
                self.change(|engine| engine.leave(&id))
            }
            "NetworkDriver.DeleteEndpoint" => {
                let id = read::<wire::Endpoint>(body)?.parse().map_err(Refusal::Bad)?;
                self.change(|engine| engine.delete_endpoint(&id))
            }
            "NetworkDriver.EndpointOperInfo" => {
                read::<wire::Endpoint>(body)?.parse().map_err(Refusal::Bad)?;
                Ok(json!({ "Value": {} }))
            }
            "NetworkDriver.FreeNetwork"
            | "NetworkDriver.DiscoverNew"
            | "NetworkDriver.DiscoverDelete"
            | "NetworkDriver.ProgramExternalConnectivity"
            | "NetworkDriver.RevokeExternalConnectivity" => Ok(json!({})),
            other => Err(Refusal::UnknownMethod(other.chars().take(80).collect())),
        }
    }

    /// An engine has come to life: a new generation, and repair once this is answered.
    fn activate(&self) -> Answer {
        match self.engine().map(|engine| engine.activate()) {
            Ok(Ok(generation)) => tracing::info!(generation = generation.0, "activated"),
            Ok(Err(error)) => tracing::error!(%error, "activated, and the ledger does not know"),
            Err(refusal) => tracing::error!(%refusal, "activated, and the ledger is not there"),
        }
        self.queue_repair();
        Ok(json!({ "Implements": ["NetworkDriver"] }))
    }

    /// Repairs on a thread of its own: a call must not wait for it.
    pub(crate) fn queue_repair(&self) {
        let driver = self.clone();
        std::thread::spawn(move || match driver.engine().map(|engine| engine.repair(Repair::Apply)) {
            Ok(Ok(findings)) => findings.iter().for_each(tell),
            Ok(Err(error)) => tracing::error!(%error, "repair failed"),
            Err(refusal) => tracing::error!(%refusal, "repair is not possible"),
        });
    }

    fn change(&self, work: impl FnOnce(&Engine) -> Result<(), EngineError>) -> Answer {
        work(&*self.engine()?).map_err(|error| self.failed(error))?;
        Ok(json!({}))
    }

    /// After the kernel has failed, what is left is repair's.
    fn failed(&self, error: EngineError) -> Refusal {
        if !error.is_refusal() {
            self.queue_repair();
        }
        error.into()
    }

    fn engine(&self) -> Result<Arc<Engine>, Refusal> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &*engine {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(Engine::open(&self.paths)?);
        *engine = Some(Arc::clone(&open));
        Ok(open)
    }
}

fn tell(finding: &Finding) {
    match finding {
        Finding::Failed { .. } => tracing::error!(%finding, "repair"),
        _ => tracing::info!(%finding, "repair"),
    }
}

/// The span that every line of a call is in: whom it is about, as far as the body says.
fn span(method: &str, body: &[u8]) -> tracing::Span {
    let ids: Value = serde_json::from_slice(body).unwrap_or_default();
    let short = |key: &str| ids[key].as_str().unwrap_or("-").chars().take(12).collect::<String>();
    tracing::info_span!("call", method, network = short("NetworkID"), endpoint = short("EndpointID"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.trim_ascii().is_empty() {
        return Err(Refusal::Bad("the body is empty; a JSON object was expected".into()));
    }
    serde_json::from_slice(body)
        .map_err(|error| Refusal::Bad(format!("the body is not what this method takes: {error}")))
}

fn answer(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| Refusal::Failed(format!("the answer cannot be written: {error}")))
}
