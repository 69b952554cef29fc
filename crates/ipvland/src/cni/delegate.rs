//! Another plugin that deals the addresses: run as this one was, and not believed until its answer is read.
//!
//! CNI specification 1.1.0, section 4, "Plugin Delegation".

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use model::Mode;
use serde::Deserialize;

use super::call::{COMMAND, search_path};
use super::failure::{Code, Failure};
use super::wire::{Configuration, PluginName, Report};

/// More than any answer has, in bytes. Whoever says more is stopped.
const ANSWER_LIMIT: u64 = 1 << 20;

/// A plugin that was found, and what it is told.
pub(super) struct Delegate<'c> {
    name: &'c PluginName,
    executable: PathBuf,
    configuration: &'c [u8],
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<u64>,
    msg: Option<String>,
    details: Option<String>,
}

impl<'c> Delegate<'c> {
    /// Looks for a plugin where the runtime says that plugins are.
    ///
    /// # Errors
    /// Code 7 when it is in none of the folders.
    pub(super) fn find(name: &'c PluginName, configuration: &Configuration<'c>) -> Result<Self, Failure> {
        let folders = search_path(|variable| std::env::var_os(variable));
        let executable = executable(name, &folders).ok_or_else(|| {
            let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            Failure::new(
                Code::CONFIGURATION,
                format!("key `ipam.type`: there is no plugin `{}` in CNI_PATH ({})", name.as_str(), folders.join(":")),
            )
        })?;
        Ok(Self { name, executable, configuration: configuration.bytes() })
    }

    /// Whether it deals over the interface, which must be there first and may go last.
    ///
    /// # Errors
    /// Code 7 where it would not be heard on the interface.
    pub(super) fn speaks_on_the_link(&self, mode: Mode) -> Result<bool, Failure> {
        if !self.name.speaks_on_the_link() || mode == Mode::L2 {
            return Ok(self.name.speaks_on_the_link());
        }
        let sentence =
            format!("key `mode`: `{mode}` was given, and `{}` needs l2, where there is broadcast", self.name.as_str());
        Err(Failure::new(Code::CONFIGURATION, sentence))
    }

    /// Has it deal addresses. What it may have done before it failed is undone.
    ///
    /// # Errors
    /// Its own, or why there is no answer of its.
    pub(super) fn add(&self) -> Result<Report, Failure> {
        let answered =
            self.run("ADD").and_then(|answer| Report::of_answer(&answer).map_err(|failure| self.says(failure)));
        if answered.is_err() {
            self.undo();
        }
        answered
    }

    /// Has it do what needs no answer: DEL, CHECK, GC, STATUS.
    ///
    /// # Errors
    /// Its own, or why it could not be run.
    pub(super) fn pass_on(&self, verb: &str) -> Result<(), Failure> {
        self.run(verb).map(drop)
    }

    /// Has it take back what it dealt, because something else failed.
    pub(super) fn undo(&self) {
        if let Err(failure) = self.run("DEL") {
            tracing::warn!(plugin = self.name.as_str(), "what it dealt is not taken back: {}", failure.sentence);
        }
    }

    fn run(&self, verb: &str) -> Result<Vec<u8>, Failure> {
        let (status, answer) = run(&self.executable, verb, self.configuration).map_err(|error| {
            let sentence = format!("plugin `{}` cannot be run for {verb}: {error}", self.name.as_str());
            Failure::new(Code::INPUT_OUTPUT, sentence)
        })?;
        if status.success() { Ok(answer) } else { Err(self.says(refusal(&answer, verb, status))) }
    }

    fn says(&self, failure: Failure) -> Failure {
        Failure { sentence: format!("plugin `{}`: {}", self.name.as_str(), failure.sentence), ..failure }
    }
}

fn executable(name: &PluginName, folders: &[PathBuf]) -> Option<PathBuf> {
    let candidates = folders.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(name.as_str()));
    candidates.into_iter().find(|path| path.is_file())
}

/// Runs a plugin with the surroundings of this process, but for the verb.
fn run(executable: &Path, verb: impl AsRef<OsStr>, configuration: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut command = Command::new(executable);
    // What it says beside its answer goes where the runtime reads what this plugin says.
    command.env(COMMAND, verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn()?;
    let outcome = converse(&mut child, configuration);
    let status = child.wait()?;
    Ok((status, outcome?))
}

fn converse(child: &mut Child, configuration: &[u8]) -> io::Result<Vec<u8>> {
    let mut stdin = child.stdin.take().expect("it was asked for");
    let stdout = child.stdout.take().expect("it was asked for");
    thread::scope(|scope| {
        // It may answer before it has read all, or without reading any.
        scope.spawn(move || drop(stdin.write_all(configuration)));
        let mut answer = Vec::new();
        let heard = stdout.take(ANSWER_LIMIT + 1).read_to_end(&mut answer).and_then(|length| {
            let limit = usize::try_from(ANSWER_LIMIT).expect("a megabyte");
            let too_long = || io::Error::other(format!("it answers with more than {ANSWER_LIMIT} bytes"));
            if length <= limit { Ok(answer) } else { Err(too_long()) }
        });
        if heard.is_err() {
            // Nobody would read what it goes on to say, nor free the thread above.
            let _ = child.kill();
        }
        heard
    })
}

/// What a plugin says that does not do it.
fn refusal(answer: &[u8], verb: &str, status: ExitStatus) -> Failure {
    let said: Option<Refusal> = serde_json::from_slice(answer).ok();
    let plain = |text: String| {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        Some(text.chars().take(1000).map(printable).collect::<String>()).filter(|text| !text.trim().is_empty())
    };
    let code = Code::of_other(said.as_ref().and_then(|said| said.code));
    let (sentence, remedy) = said.map_or((None, None), |said| (said.msg.and_then(plain), said.details.and_then(plain)));
    let sentence = sentence.unwrap_or_else(|| format!("{verb} failed without a word ({status})"));
    Failure { code, sentence, remedy }
}

/// What is said of the answer of a plugin that fails.
#[cfg(any(test, fuzzing))]
pub(super) fn fuzz(answer: &[u8]) -> String {
    let Failure { sentence, remedy, .. } = refusal(answer, "ADD", ExitStatus::default());
    sentence + &remedy.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// A plugin that is this script.
    fn plugin(script: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    #[test]
    fn it_gets_verb_and_configuration_and_is_heard() {
        let (_folder, path) = plugin(r#"echo "$CNI_COMMAND"; cat"#);
        let (status, answer) = run(&path, "CHECK", b"{}").unwrap();
        assert!(status.success());
        assert_eq!(answer, b"CHECK\n{}");
    }

    #[test]
    fn one_that_does_not_read_is_heard_all_the_same() {
        let (_folder, path) = plugin("echo deaf");
        let (status, answer) = run(&path, "ADD", &[b' '; 1 << 20]).unwrap();
        assert!(status.success());
        assert_eq!(answer, b"deaf\n");
    }

    #[test]
    fn one_that_does_not_end_is_stopped() {
        let (_folder, path) = plugin("exec yes");
        let error = run(&path, "ADD", b"{}").unwrap_err();
        assert_eq!(error.to_string(), "it answers with more than 1048576 bytes");
    }

    #[test]
    fn a_refusal_is_passed_on_with_its_number() {
        let failed = ExitStatus::from_raw(256);
        let check = |answer: &str, code: Option<u64>, sentence: &str, remedy: Option<&str>| {
            let failure = refusal(answer.as_bytes(), "ADD", failed);
            assert_eq!(failure.code, Code::of_other(code));
            assert_eq!((failure.sentence.as_str(), failure.remedy.as_deref()), (sentence, remedy));
        };
        check(r#"{"code": 11, "msg": "busy", "details": "later"}"#, Some(11), "busy", Some("later"));
        check(r#"{"code": 999, "msg": "no\u001b[2J more"}"#, Some(999), "no [2J more", None);
        for silence in ["", "{}", "[1]", "no JSON", r#"{"msg": ""}"#] {
            check(silence, None, "ADD failed without a word (exit status: 1)", None);
        }
    }

    #[test]
    fn it_is_looked_for_in_absolute_folders_only() {
        let (folder, path) = plugin("true");
        let name: PluginName = "plugin".parse().unwrap();
        let folders = [PathBuf::from("."), "/nowhere".into(), folder.path().to_owned()];
        assert_eq!(executable(&name, &folders), Some(path));
        assert_eq!(executable(&name, &folders[..2]), None);
        assert!("../plugin".parse::<PluginName>().is_err());
    }
}
