//! What `ipvland --version` says: the version, and the commit it was built from.

use std::path::Path;
use std::process::Command;

fn main() {
    let commit = commit().unwrap_or_else(|| "commit unknown, built without git".into());
    println!("cargo::rustc-env=IPVLAND_VERSION={} ({commit})", env!("CARGO_PKG_VERSION"));
    println!("cargo::rerun-if-changed=build.rs");
}

/// The commit that is checked out, and its day. The day of the build would make every build another binary.
fn commit() -> Option<String> {
    let checkout = Path::new("../..");
    // An unpacked tarball may lie in the checkout of something else, whose commit says nothing of this.
    if !checkout.join(".git").exists() {
        return None;
    }
    // A commit changes a file in `refs/heads`, or makes one there; a checkout changes `HEAD`.
    for changed in ["HEAD", "refs/heads"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", changed])?);
    }
    git(&["show", "--no-patch", "--abbrev=12", "--format=%h %cs", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
