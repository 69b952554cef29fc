//! Frames on the wire.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A `tcpdump` at the router's port that waits for one frame.
pub(crate) struct Capture {
    filter: String,
    tcpdump: Child,
}

impl Capture {
    /// Starts to listen; what passes from now on counts.
    pub(crate) fn at_router(filter: &str) -> Self {
        let mut tcpdump = Command::new("nsenter")
            .args(["--net=/run/netns/router", "timeout", "20"])
            .args(["tcpdump", "-n", "-i", "lan0", "-c", "1", "--immediate-mode", filter])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsenter can be run");
        let said = BufReader::new(tcpdump.stderr.take().expect("it is piped"));
        let listening = said.lines().map_while(Result::ok).any(|line| line.contains("listening on"));
        assert!(listening, "tcpdump does not listen for `{filter}`");
        Self { filter: filter.to_owned(), tcpdump }
    }

    /// Asserts that the frame has come, or comes within seconds.
    #[track_caller]
    pub(crate) fn has_seen_it(mut self) {
        let status = self.tcpdump.wait().expect("it is our child");
        assert!(status.success(), "no frame came to the router that is `{}`", self.filter);
    }
}
