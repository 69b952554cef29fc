//! `ipvland serve`, in a folder of its own, that may be told to die.

use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::command::{attempt, run, wait_until};
use crate::http::request;

const SOCKET: &str = "/run/mortal/ipvland.sock";
const FOLDERS: &str = "--state-dir /run/mortal/state --run-dir /run/mortal/run";

/// The running daemon.
pub(crate) struct Daemon {
    child: Mutex<Child>,
    socket: &'static str,
}

/// It did not live to answer.
#[derive(Debug)]
pub(crate) struct Died;

impl Daemon {
    /// Starts it, to die after that many steps, or to live. `Err` when it did not live to serve.
    pub(crate) fn start(kill_after: Option<u64>) -> Result<Self, Died> {
        Self::start_on(SOCKET, kill_after)
    }

    /// Starts one more on the same ledger, with a socket of its own.
    pub(crate) fn start_second() -> Self {
        Self::start_on("/run/mortal/second.sock", None).expect("nobody told it to die")
    }

    fn start_on(socket: &'static str, kill_after: Option<u64>) -> Result<Self, Died> {
        std::fs::create_dir_all("/run/mortal").expect("/run can be written");
        let log = std::fs::OpenOptions::new().create(true).append(true).open("/run/mortal/log").expect("so can this");
        let mut command = Command::new("ipvland-mortal");
        command.args(FOLDERS.split(' ')).args([
            "serve",
            "--socket",
            socket,
            "--engine-socket",
            "/run/mortal/none",
            "--log-level",
            "debug",
        ]);
        if let Some(steps) = kill_after {
            command.env("IPVLAND_KILL_AFTER", steps.to_string());
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let daemon = Self { child: Mutex::new(child.expect("`ipvland-mortal` is on PATH")), socket };
        wait_until("ipvland serves its socket, or is dead", || daemon.is_dead() || UnixStream::connect(socket).is_ok());
        if daemon.is_dead() { Err(Died) } else { Ok(daemon) }
    }

    /// Replaces it, without a chance to tidy up.
    pub(crate) fn replace(&mut self, kill_after: u64) -> Result<(), Died> {
        self.kill();
        *self = Self::start(Some(kill_after))?;
        Ok(())
    }

    /// Starts one that lives.
    pub(crate) fn start_immortal() -> Self {
        Self::start(None).expect("nobody told it to die")
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_dead(&self) -> bool {
        matches!(self.child().try_wait(), Ok(Some(_)))
    }

    fn kill(&self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Calls a method of the network driver, which must succeed unless the daemon dies.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, body: &Value) -> Result<Value, Died> {
        succeeded(self.ask(method, body), method, body)
    }

    /// Calls a method of the network driver, which may be refused: `Err` says why.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, body: &Value) -> Result<Value, Died> {
        self.post(&format!("NetworkDriver.{method}"), body.to_string().as_bytes())
    }

    /// Calls a method of the ledger's address management, which must succeed unless the daemon dies.
    #[track_caller]
    pub(crate) fn deal(&self, method: &str, body: &Value) -> Result<Value, Died> {
        succeeded(self.try_deal(method, body), method, body)
    }

    /// The same, which may be refused: `Err` says why.
    #[track_caller]
    pub(crate) fn try_deal(&self, method: &str, body: &Value) -> Result<Value, Died> {
        self.post(&format!("IpamDriver.{method}"), body.to_string().as_bytes())
    }

    /// What an engine asks when it comes to life, and has nothing to send along.
    #[track_caller]
    pub(crate) fn activate(&self) -> Result<(), Died> {
        let answer = self.post("Plugin.Activate", b"")?;
        assert!(answer["Implements"].is_array(), "{answer}");
        Ok(())
    }

    #[track_caller]
    fn post(&self, method: &str, body: &[u8]) -> Result<Value, Died> {
        let Ok((_, answer)) = request(self.socket, &format!("POST /{method} HTTP/1.1"), body) else {
            wait_until("the daemon is dead that did not answer", || self.is_dead());
            return Err(Died);
        };
        Ok(serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{method}: {error}")))
    }
}

#[track_caller]
fn succeeded(answer: Result<Value, Died>, method: &str, body: &Value) -> Result<Value, Died> {
    let answer = answer?;
    assert!(answer.get("Err").is_none(), "{method} {body}: {answer}");
    Ok(answer)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Repairs from the command line, which waits for whoever is at work.
#[track_caller]
pub(crate) fn repair() {
    run(&command("repair"));
}

/// Forgets a network that its engine does not know, if there is one: by hand, as there is no engine to be asked.
pub(crate) fn forget(network: &str) {
    let _ = attempt(&command(&format!("network forget {network}")));
}

/// What one would type to do something with the same ledger.
pub(crate) fn command(words: &str) -> String {
    format!("ipvland-mortal {FOLDERS} {words}")
}

/// What a repair would do.
#[track_caller]
pub(crate) fn differences() -> Value {
    json("repair --dry-run")
}

/// What `ipvland status` says.
#[track_caller]
pub(crate) fn status() -> Value {
    json("status")
}

/// What `ipvland addresses` says.
#[track_caller]
pub(crate) fn addresses() -> Value {
    json("addresses")
}

#[track_caller]
fn json(command: &str) -> Value {
    let output = Command::new("ipvland-mortal")
        .args(FOLDERS.split(' '))
        .args(command.split(' '))
        .args(["--output", "json"])
        .output()
        .expect("`ipvland-mortal` is on PATH");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("`{command}`: {error}: {output:?}"))
}
