//! What a runtime of CNI does: it starts the plugin with an environment, and a configuration on its stdin.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::daemon::Folder;

/// A runtime that has one container, and folders of its own.
pub(super) struct Runtime(Folder);

/// What the plugin said, and whether it ended well.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) success: bool,
    pub(super) said: Value,
}

pub(super) const CONTAINER: [(&str, &str); 3] =
    [("CNI_CONTAINERID", "c1"), ("CNI_IFNAME", "eth0"), ("CNI_NETNS", "/run/netns/none")];

impl Runtime {
    pub(super) fn new() -> Self {
        Self(Folder::new())
    }

    /// A network on a parent that no host has, with these keys put into its configuration.
    pub(super) fn network(&self, keys: &Value) -> Value {
        let mut configuration = json!({
            "cniVersion": "1.1.0", "name": "lan", "type": "ipvland", "master": "no-such-link",
            "stateDir": self.0.path().join("state"), "runDir": self.0.path().join("run"),
        });
        configuration.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        configuration
    }

    pub(super) fn run(&self, variables: &[(&str, &str)], stdin: impl AsRef<[u8]>) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipvland"));
        for variable in ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "IPVLAND_LOG"] {
            command.env_remove(variable);
        }
        command.env("CNI_PATH", self.plugins()).envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It may have ended before it has read all of it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
        let output = child.wait_with_output().unwrap();
        let said = match output.stdout.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")),
        };
        Answer { success: output.status.success(), said }
    }

    pub(super) fn call(&self, verb: &str, configuration: &Value) -> Answer {
        self.run(&[&[("CNI_COMMAND", verb)], &CONTAINER[..]].concat(), configuration.to_string())
    }

    /// A call that must be refused: the number and the sentence.
    #[track_caller]
    pub(super) fn refused(&self, verb: &str, configuration: &Value) -> (u64, String) {
        self.call(verb, configuration).refusal("1.1.0")
    }

    pub(super) fn plugins(&self) -> PathBuf {
        self.0.path().join("plugins")
    }

    /// A plugin that deals addresses. It notes the verbs it is called for.
    pub(super) fn plugin(&self, name: &str, script: &str) {
        fs::create_dir_all(self.plugins()).unwrap();
        let path = self.plugins().join(name);
        let script = format!("#!/bin/sh\necho \"$CNI_COMMAND\" >> {}\n{script}\n", self.called().display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn called(&self) -> PathBuf {
        self.0.path().join("called")
    }

    /// The verbs that plugins were called for, and no longer.
    pub(super) fn take_calls(&self) -> String {
        let calls = fs::read_to_string(self.called()).unwrap_or_default();
        let _ = fs::remove_file(self.called());
        calls.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn spoil_ledger(&self) {
        let state = self.0.path().join("state");
        fs::remove_dir_all(&state).unwrap();
        fs::write(&state, "a file where a folder should be").unwrap();
    }

    /// What the ledger has.
    pub(super) fn ledger(&self) -> (Value, Value) {
        let told = |arguments: &[&str]| {
            let output = self.0.ipvland().args(arguments).args(["--output", "json"]).output().unwrap();
            serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
        };
        (told(&["network", "ls"]), told(&["addresses"])["addresses"].take())
    }
}

impl Answer {
    #[track_caller]
    pub(super) fn refusal(&self, version: &str) -> (u64, String) {
        assert!(!self.success && self.said["cniVersion"] == version, "{self:?}");
        (self.said["code"].as_u64().unwrap(), self.said["msg"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    pub(super) fn is_silent_success(&self) {
        assert!(self.success && self.said.is_null(), "{self:?}");
    }
}
