//! A daemon on a socket and folders of its own, and the HTTP it takes to speak to it as Docker does.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A running `ipvland serve`. It is killed when this is dropped.
pub(crate) struct Daemon {
    folder: Arc<Folder>,
    child: Child,
    /// What it logged until it served, and what from then on.
    log: (String, Option<JoinHandle<String>>),
}

/// Where a daemon and commands meet.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("plugins/ipvland.sock")
    }

    /// The binary, with these folders and none of this process's surroundings.
    pub(crate) fn ipvland(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipvland"));
        command.arg("--state-dir").arg(self.path().join("state")).arg("--run-dir").arg(self.path().join("run"));
        for variable in ["IPVLAND_LOG", "RUST_LOG", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "JOURNAL_STREAM"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn serve(&self) -> Command {
        let mut command = self.ipvland();
        command.arg("serve").arg("--socket").arg(self.socket());
        // Not to ask an engine that this host may have.
        command.arg("--engine-socket").arg(self.path().join("none.sock"));
        command
    }

    /// The same as [`Folder::serve`], by a shell that becomes it at the end of this script, as `exec "$0" "$@"`.
    pub(crate) fn serve_by(&self, script: &str) -> Command {
        let serve = self.serve();
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(serve.get_program()).args(serve.get_args()).stdin(Stdio::null());
        for (variable, value) in serve.get_envs() {
            match value {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        shell
    }
}

impl Daemon {
    pub(crate) fn start() -> Self {
        Self::start_in(Folder::new())
    }

    pub(crate) fn start_in(folder: impl Into<Arc<Folder>>) -> Self {
        let folder = folder.into();
        let command = folder.serve();
        Self::spawn(folder, command)
    }

    /// Starts it and waits for the line that says it is serving.
    pub(crate) fn spawn(folder: impl Into<Arc<Folder>>, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut log = String::new();
        for line in lines.by_ref() {
            log += &format!("{line}\n");
            if line.contains("serving") {
                // Reads on, or the daemon would one day wait for a full pipe.
                let rest = std::thread::spawn(move || lines.map(|line| line + "\n").collect());
                return Self { folder: folder.into(), child, log: (log, Some(rest)) };
            }
        }
        panic!("the daemon ended before it served: {:?}\n{log}", child.wait());
    }

    pub(crate) fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Waits until it has ended of itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Ends it with a signal: its exit status and all it logged.
    pub(crate) fn end(&mut self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        let status = self.wait();
        let (log, rest) = &mut self.log;
        *log += &rest.take().map(|rest| rest.join().unwrap()).unwrap_or_default();
        (status, log.clone())
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub(crate) fn post(&self, method: &str, body: impl AsRef<[u8]>) -> Reply {
        request(&self.folder.socket(), "POST", method, body.as_ref())
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, body: &Value) -> Value {
        let reply = self.post(method, body.to_string());
        assert_eq!((reply.status, reply.sentence()), (200, None), "{method} {body}");
        reply.body
    }

    /// A call that must be refused: its status and sentence.
    #[track_caller]
    pub(crate) fn refuse(&self, method: &str, body: impl AsRef<[u8]>) -> (u16, String) {
        let reply = self.post(method, body);
        let sentence = reply.sentence().unwrap_or_else(|| panic!("{method} was not refused: {reply:?}")).to_owned();
        assert_ne!(reply.status, 200, "{sentence}");
        (reply.status, sentence)
    }

    /// The generation that the ledger is in.
    pub(crate) fn generation(&self) -> u64 {
        let output = self.folder.ipvland().args(["status", "--output", "json"]).output().unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        status["generation"].as_u64().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn sentence(&self) -> Option<&str> {
        self.body["Err"].as_str().filter(|sentence| !sentence.is_empty())
    }
}

/// Sends one request, with the headers that Docker sends: no Content-Type is among them.
#[track_caller]
pub(crate) fn request(socket: &Path, verb: &str, method: &str, body: &[u8]) -> Reply {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let head = format!(
        "{verb} /{method} HTTP/1.1\r\nHost: ipvland\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // A server may answer before it has read all of a body that it does not want: the write fails then.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    parse(&String::from_utf8_lossy(&answer)).unwrap_or_else(|| panic!("{method}: no answer: {answer:?}"))
}

pub(crate) fn parse(answer: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    Some(Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        content_type: content_type.to_owned(),
        body: serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")),
    })
}
