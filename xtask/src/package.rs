//! `cargo xtask package`: a Debian package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};

use crate::cargo::{build, cargo};
use crate::copyright;

/// The release of cargo-deb that packs.
const CARGO_DEB: &str = "3.8.0";

/// Makes the package, and says where it is.
pub(crate) fn run(revision: u32) -> Result<ExitCode> {
    println!("{}", debian_package(revision)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the package with that Debian revision: its path.
///
/// It holds what `packaging/install` installs; `[package.metadata.deb]` of the driver's manifest has the rest.
pub(crate) fn debian_package(revision: u32) -> Result<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the checkout");
    let target = checkout.join("target");
    let staging = target.join("package");
    let tools = target.join("tools");
    let built = build(&["build", "--release", "--locked", "--package", "ipvland"])?;
    // At once when it is there already.
    let root = tools.to_str().context("the checkout's path is no text")?;
    let install = ["install", "--quiet", "--locked", "--root", root, "--version", CARGO_DEB, "cargo-deb"];
    succeed(&mut cargo(&install))?;

    if staging.exists() {
        fs::remove_dir_all(&staging).with_context(|| format!("{} cannot be removed", staging.display()))?;
    }
    let mut stage = Command::new(checkout.join("packaging/install"));
    stage.arg("install").env("BUILT", built.executable("ipvland")?).env("DESTDIR", staging.join("root"));
    stage.envs([("PREFIX", "/usr"), ("CNI_PLUGINS", "/usr/lib/cni")]);
    stage.env("ZSH_COMPLETIONS", "/usr/share/zsh/vendor-completions");
    succeed(&mut stage)?;
    fs::write(staging.join("changelog"), changelog(revision)?)?;
    fs::write(staging.join("copyright"), copyright::text(checkout)?)?;

    let mut pack = Command::new(tools.join("bin/cargo-deb"));
    pack.args(["--quiet", "--no-build", "--package", "ipvland", "--deb-revision", &revision.to_string()]);
    let packed = pack.current_dir(checkout).stderr(Stdio::inherit()).output().context("cargo-deb does not run")?;
    ensure!(packed.status.success(), "cargo-deb failed");
    let path = String::from_utf8(packed.stdout).context("the package's path is no text")?;
    Ok(path.trim().into())
}

/// Debian wants a change log of the packaging beside that of the program, which says what changed for its users.
fn changelog(revision: u32) -> Result<String> {
    let day = Command::new("date").args(["--utc", "--rfc-email"]).output().context("`date` does not run")?;
    let day = String::from_utf8(day.stdout).context("a date is text")?;
    Ok(format!(
        "ipvland ({}-{revision}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n \
         -- ipvland maintainers <maintainers@ipvland.example>  {day}",
        env!("CARGO_PKG_VERSION"),
    ))
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} does not run"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
