//! A CNI runtime: it calls plugins as the specification says (1.1.0, sections 2 to 4), with the verb and the container in
//! the environment, the configuration on stdin and the answer on stdout.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::standpoint::Namespace;

/// Where plugins are: ours, and those that CNI refers to.
const FOLDERS: [&str; 2] = ["/opt/ipvland/bin", "/usr/lib/cni"];

/// Keeps what it has put on networks, as a runtime does. Dropped, it takes off what is left.
#[derive(Default)]
pub(crate) struct Runtime(Mutex<Vec<Made>>);

/// A container that was put on a network, by these plugins one after the other; the last has answered so.
#[derive(Clone)]
struct Made {
    attachment: Attachment,
    plugins: Vec<Value>,
    result: Value,
}

impl Runtime {
    /// Puts a container on a network, which must succeed: the result.
    #[track_caller]
    pub(crate) fn add(&self, attachment: &Attachment, config: &Value) -> Value {
        self.add_chained(attachment, std::slice::from_ref(config))
    }

    /// The same by several plugins, of which each is told what the one before it has answered.
    #[track_caller]
    pub(crate) fn add_chained(&self, attachment: &Attachment, plugins: &[Value]) -> Value {
        let mut result = Value::Null;
        for plugin in plugins {
            result = attachment.call("ADD", &after(plugin, &result)).done();
        }
        let made = Made { attachment: attachment.clone(), plugins: plugins.to_vec(), result: result.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        result
    }

    /// Looks after a container that was put on a network.
    #[track_caller]
    pub(crate) fn check(&self, attachment: &Attachment) -> Answer {
        let made = self.of(attachment);
        let ask = |plugin: &Value| attachment.call("CHECK", &after(plugin, &made.result));
        let answers = made.plugins.iter().map(ask);
        answers.reduce(|answer, next| if answer.is_done() { next } else { answer }).expect("there is a plugin")
    }

    /// Takes a container off a network, which must succeed.
    #[track_caller]
    pub(crate) fn del(&self, attachment: &Attachment) {
        let made = self.of(attachment);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other.attachment != *attachment);
        for plugin in made.plugins.iter().rev() {
            attachment.call("DEL", &after(plugin, &made.result)).done();
        }
    }

    #[track_caller]
    fn of(&self, attachment: &Attachment) -> Made {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|made| made.attachment == *attachment).expect("it was put on a network").clone()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        for made in self.0.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            for plugin in made.plugins.iter().rev() {
                made.attachment.call("DEL", &after(plugin, &made.result));
            }
        }
    }
}

/// What a plugin is told that comes behind others.
fn after(plugin: &Value, result: &Value) -> Value {
    let mut config = plugin.clone();
    if !result.is_null() {
        config["prevResult"] = result.clone();
    }
    config
}

/// One interface of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    container: String,
    /// The path of its namespace; empty where nobody knows any.
    sandbox: String,
    interface: String,
    arguments: String,
    /// After how many changes in ledger and kernel ours is to be killed.
    kill_after: Option<u32>,
}

impl Attachment {
    /// `eth0` of a container in this namespace.
    pub(crate) fn of(container: &str, sandbox: Namespace<'_>) -> Self {
        Self {
            container: container.to_owned(),
            sandbox: sandbox.path(),
            interface: "eth0".to_owned(),
            arguments: String::new(),
            kill_after: None,
        }
    }

    /// Under another name.
    pub(crate) fn interface(self, name: &str) -> Self {
        Self { interface: name.to_owned(), ..self }
    }

    /// With `CNI_ARGS`.
    pub(crate) fn arguments(self, arguments: &str) -> Self {
        Self { arguments: arguments.to_owned(), ..self }
    }

    /// As a runtime tells of it that no longer knows the namespace.
    pub(crate) fn nowhere(self) -> Self {
        Self { sandbox: String::new(), ..self }
    }

    /// For calls of our plugin in which it is killed after so many changes in ledger and kernel.
    pub(crate) fn dying_after(self, steps: u32) -> Self {
        Self { kill_after: Some(steps), ..self }
    }

    /// Calls the plugin that the configuration is of.
    #[track_caller]
    pub(crate) fn call(&self, verb: &str, config: &Value) -> Answer {
        let steps = self.kill_after.map(|steps| steps.to_string());
        let mut variables = vec![
            ("CNI_COMMAND", verb),
            ("CNI_CONTAINERID", &self.container),
            ("CNI_NETNS", &self.sandbox),
            ("CNI_IFNAME", &self.interface),
            ("CNI_ARGS", &self.arguments),
        ];
        variables.extend(steps.as_deref().map(|steps| ("IPVLAND_KILL_AFTER", steps)));
        let program = if steps.is_some() { "/opt/ipvland/bin/ipvland-mortal".to_owned() } else { plugin(config) };
        invoke(&program, &variables, &config.to_string())
    }
}

/// Calls our plugin for what is of no container: GC, STATUS, VERSION.
#[track_caller]
pub(crate) fn ask_plugin(verb: &str, config: &Value) -> Answer {
    ask_plugin_so(&[("CNI_COMMAND", verb)], &config.to_string())
}

/// Calls our plugin with whatever a runtime might say.
#[track_caller]
pub(crate) fn ask_plugin_so(variables: &[(&str, &str)], config: &str) -> Answer {
    invoke("ipvland", variables, config)
}

/// The program that is called as the type of a configuration.
#[track_caller]
fn plugin(config: &Value) -> String {
    let kind = config["type"].as_str().expect("a plugin has a type");
    let files = FOLDERS.map(|folder| format!("{folder}/{kind}"));
    files.into_iter().find(|file| std::path::Path::new(file).exists()).expect("the lab has the plugin")
}

#[track_caller]
fn invoke(program: &str, variables: &[(&str, &str)], config: &str) -> Answer {
    let mut command = Command::new(program);
    command.env("CNI_PATH", FOLDERS.join(":")).envs(variables.iter().copied());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("`{program}` cannot be run: {error}"));
    // One that does not want it need not read it.
    let _ = child.stdin.take().expect("it is piped").write_all(config.as_bytes());
    let output = child.wait_with_output().expect("it is our child");
    let answer = if output.stdout.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{variables:?} {config}: {error}: {output:?}"))
    };
    match output.status.code() {
        Some(0) => Answer::Done(answer),
        Some(_) => Answer::Refused(Refusal::read(&answer, &format!("{variables:?} {config}: {output:?}"))),
        None => Answer::Died,
    }
}

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It was done: the result, where the verb has one.
    Done(Value),
    /// It was not done.
    Refused(Refusal),
    /// The plugin was killed.
    Died,
}

/// Why a call was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The number that the specification has for it, or one of the plugin's own.
    pub(crate) code: u64,
    /// What was wrong, and behind it what to do.
    pub(crate) sentence: String,
}

impl Refusal {
    #[track_caller]
    fn read(answer: &Value, call: &str) -> Self {
        let code = answer["code"].as_u64().unwrap_or_else(|| panic!("an error has a code: {call}"));
        assert!(code > 0 && code != 999, "a code that says nothing: {call}");
        // The reference plugins pass an error of another on without it.
        let passed_on = call.contains(r#""type":"macvlan""#);
        assert!(passed_on || answer["cniVersion"].is_string(), "an error has a version: {call}");
        let text = |key: &str| answer[key].as_str().unwrap_or_default();
        assert!(!text("msg").is_empty(), "an error has a text: {call}");
        Self { code, sentence: format!("{}; {}", text("msg"), text("details")) }
    }
}

impl Answer {
    /// Whether it was done.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Answer::Done(_))
    }

    /// What must have been done: the result.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        match self {
            Answer::Done(result) => result,
            other => panic!("it was to be done: {other:?}"),
        }
    }

    /// What must not have been done: why.
    #[track_caller]
    pub(crate) fn refused(self) -> Refusal {
        match self {
            Answer::Refused(refusal) => refusal,
            other => panic!("it was to be refused: {other:?}"),
        }
    }
}
