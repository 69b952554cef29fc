//! Frames on the wire.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A `tcpdump` at the router's port that waits for one frame.
pub(crate) struct Capture {
    filter: String,
    tcpdump: Child,
}

impl Capture {
    /// Starts to listen; what passes from now on counts.
    #[track_caller]
    pub(crate) fn at_router(filter: &str) -> Self {
        let tcpdump = tcpdump("router", &["timeout", "20", "tcpdump", "-c", "1"], filter, Stdio::null());
        Self { filter: filter.to_owned(), tcpdump }
    }

    /// Asserts that the frame has come, or comes within seconds.
    #[track_caller]
    pub(crate) fn has_seen_it(mut self) {
        let status = self.tcpdump.wait().expect("it is our child");
        assert!(status.success(), "no frame came to the router that is `{}`", self.filter);
    }
}

/// A `tcpdump` at the neighbour's port that notes every frame until it is dropped.
pub(crate) struct Recording {
    tcpdump: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Recording {
    /// Starts to listen; what passes from now on counts.
    #[track_caller]
    pub(crate) fn at_neighbour(filter: &str) -> Self {
        let mut tcpdump = tcpdump("neighbour", &["tcpdump", "-l", "-tt"], filter, Stdio::piped());
        let printed = BufReader::new(tcpdump.stdout.take().expect("it is piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in printed.lines().map_while(Result::ok) {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { tcpdump, lines }
    }

    /// What has passed, a line each, beginning with the time in seconds.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time from the last frame but one to the last.
    #[track_caller]
    pub(crate) fn seconds_between_the_last_two(&self) -> f64 {
        let lines = self.lines();
        let time = |line: &String| line.split(' ').next().and_then(|time| time.parse::<f64>().ok());
        let times: Vec<f64> = lines.iter().rev().take(2).filter_map(time).collect();
        let [last, before] = times[..] else { panic!("fewer than two frames: {lines:?}") };
        last - before
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}

/// Starts a tcpdump in a namespace, and returns when it listens.
#[track_caller]
fn tcpdump(namespace: &str, command: &[&str], filter: &str, output: Stdio) -> Child {
    let mut tcpdump = Command::new("nsenter")
        .arg(format!("--net=/run/netns/{namespace}"))
        .args(command)
        .args(["-n", "-i", "lan0", "--immediate-mode", filter])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .expect("nsenter can be run");
    let said = BufReader::new(tcpdump.stderr.take().expect("it is piped"));
    let listening = said.lines().map_while(Result::ok).any(|line| line.contains("listening on"));
    assert!(listening, "tcpdump does not listen for `{filter}`");
    tcpdump
}
