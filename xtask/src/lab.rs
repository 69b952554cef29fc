//! The lab: one boot of the virtual machine.

use std::path::Path;
use std::process::Command;

/// The release that is lived with: the demo's, and the one `make test` runs in full.
pub(crate) const DEFAULT: &str = "trixie";

/// What runs in the machine, with everything it needs.
pub(crate) struct Run<'a> {
    /// A file of `lab/releases`.
    pub(crate) release: &'a str,
    /// Options of `lab/lab run`: what is up when the script begins beside the LAN, and what outlives the machine.
    pub(crate) options: &'a [&'a str],
    /// Programs, each with the name it has on the machine's PATH.
    pub(crate) programs: &'a [(&'a Path, &'a str)],
    /// Seconds, boot included.
    pub(crate) limit: u32,
    /// For the machine's shell.
    pub(crate) script: &'a str,
}

impl Run<'_> {
    /// Boots a machine; its status is the script's.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(checkout().join("lab/lab"));
        command.env("LAB", self.release).arg("run").args(self.options).arg("--timeout").arg(self.limit.to_string());
        for (file, name) in self.programs {
            command.arg("--copy").arg(format!("{}:{name}", file.display()));
        }
        command.args(["--", "sh", "-c", self.script]);
        command
    }
}

/// The folder that all paths of the repository begin at.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the checkout")
}
