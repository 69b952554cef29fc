//! The driver: `ipvland serve` as a child of this process, and its socket.

use std::fs::{File, OpenOptions};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use super::command::{run, wait_until};
use super::http::request;

/// Where Docker looks for a driver of this name.
pub(crate) const SOCKET: &str = "/run/docker/plugins/ipvland.sock";

const LOG: &str = "/run/end-to-end.log";

/// The running daemon. It is left running when the tests are over, as it goes with the machine.
pub(crate) struct Driver(Child);

impl Driver {
    /// The one that all scenarios share; started by the first.
    pub(crate) fn get() -> MutexGuard<'static, Driver> {
        static DRIVER: OnceLock<Mutex<Driver>> = OnceLock::new();
        let shared = DRIVER.get_or_init(|| Mutex::new(Driver::start()));
        shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start() -> Self {
        // Two of these make a link of their own when they are loaded, unless they are told not to.
        for module in ["dummy numdummies=0", "bonding max_bonds=0", "tun"] {
            run(&format!("modprobe {module}"));
        }
        let mut driver = Self::spawn(&mut Command::new("ipvland"));
        assert!(driver.is_running(), "it serves its socket");
        driver
    }

    /// One that is killed by itself once it has changed so many things in ledger and kernel.
    fn start_mortal(steps: u32) -> Self {
        Self::spawn(Command::new("ipvland-mortal").env("IPVLAND_KILL_AFTER", steps.to_string()))
    }

    fn spawn(command: &mut Command) -> Self {
        let log = || -> File { OpenOptions::new().create(true).append(true).open(LOG).expect("a log file on /run") };
        command.arg("serve").env("RUST_LOG", "debug").stdin(Stdio::null()).stdout(log()).stderr(log());
        let mut child = command.spawn().expect("the driver is on PATH");
        wait_until("it serves its socket, or has died", || {
            UnixStream::connect(SOCKET).is_ok() || !matches!(child.try_wait(), Ok(None))
        });
        Self(child)
    }

    /// Takes its place with one that dies after so many steps.
    pub(crate) fn replace_by_mortal(&mut self, steps: u32) {
        self.kill();
        *self = Self::start_mortal(steps);
    }

    /// Kills it, without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it was running");
        self.0.wait().expect("it is our child");
    }

    /// Starts it again after [`Driver::kill`].
    pub(crate) fn start_again(&mut self) {
        *self = Self::start();
    }

    /// Waits until it has died, and starts one that does not, or until `over`: whether it died.
    pub(crate) fn start_again_if_it_dies(&mut self, over: &AtomicBool) -> bool {
        wait_until("it dies, or need not", || !self.is_running() || over.load(Ordering::Relaxed));
        let died = !self.is_running();
        if died {
            self.start_again();
        }
        died
    }

    /// Whether it is still the process it was.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// What it has logged from byte `from` on.
    pub(crate) fn log(from: usize) -> String {
        let whole = std::fs::read(LOG).unwrap_or_default();
        String::from_utf8_lossy(whole.get(from..).unwrap_or_default()).into_owned()
    }

    /// How much it has logged so far, in bytes.
    pub(crate) fn log_length() -> usize {
        std::fs::metadata(LOG).map_or(0, |metadata| metadata.len() as usize)
    }
}

/// There is no daemon for as long as this is there.
pub(crate) struct NoDaemon;

impl NoDaemon {
    /// Kills it.
    pub(crate) fn from_now_on() -> Self {
        Driver::get().kill();
        Self
    }
}

impl Drop for NoDaemon {
    fn drop(&mut self) {
        Driver::get().start_again();
    }
}

/// What the plugin answered.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, which is always JSON; `Null` when it was not.
    pub(crate) body: Value,
}

impl Reply {
    /// The error that Docker would show to its user, if it would show one.
    pub(crate) fn error(&self) -> Option<&str> {
        let text = self.body["Err"].as_str().filter(|text| !text.is_empty());
        if self.status == 200 { text } else { Some(text.unwrap_or("")) }
    }
}

/// Posts bytes to a method of the plugin, with the headers that Docker sends (there is no Content-Type among them).
#[track_caller]
pub(crate) fn post(method: &str, body: &[u8]) -> Reply {
    let head = format!("POST /{method} HTTP/1.1\r\nAccept: application/vnd.docker.plugins.v1.2+json");
    let (status, body) = request(SOCKET, &head, body).unwrap_or_else(|error| panic!("{method}: {error}"));
    Reply { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
}

/// Calls a method of the network driver that must succeed.
#[track_caller]
pub(crate) fn call(method: &str, body: &Value) -> Value {
    let reply = post(&format!("NetworkDriver.{method}"), body.to_string().as_bytes());
    assert!(reply.error().is_none() && reply.body.is_object(), "{method} {body}: {reply:?}");
    reply.body
}

/// Calls a method of the network driver that must be refused: the sentence.
#[track_caller]
pub(crate) fn refuse(method: &str, body: &Value) -> String {
    let reply = post(&format!("NetworkDriver.{method}"), body.to_string().as_bytes());
    let sentence = reply.error().unwrap_or_else(|| panic!("{method} {body} was not refused: {reply:?}"));
    assert!(!sentence.is_empty(), "{method} {body}: an error without a sentence: {reply:?}");
    sentence.to_owned()
}
