//! Hosts and sandboxes for the tests, and words for what is in them.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use kernel::KernelError;
use model::{InterfaceName, Link, Mark, Observed, Place, PortSettings, SandboxKey, Step};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Takes one step.
pub(crate) fn apply(step: &Step) -> Result<(), KernelError> {
    kernel::apply(std::slice::from_ref(step)).map_err(|(_, error)| error)
}

/// Runs a test in a namespace of its own, which is its host.
pub(crate) fn on_a_host(called: &str, test: impl FnOnce() + Send) {
    Sandbox::new(called).inside(test);
}

/// A namespace as `ip netns` keeps it, removed when dropped.
pub(crate) struct Sandbox(String);

impl Sandbox {
    pub(crate) fn new(called: &str) -> Self {
        ip(&format!("netns add {called}"));
        Self(called.to_owned())
    }

    pub(crate) fn key(&self) -> SandboxKey {
        Path::new("/run/netns").join(&self.0).to_str().unwrap().parse().unwrap()
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Does something in it, whose host it is then.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let file = File::open(self.key().as_str()).unwrap();
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.0));
    }
}

pub(crate) fn own_key() -> SandboxKey {
    "/proc/thread-self/ns/net".parse().unwrap()
}

pub(crate) fn ip(arguments: &str) {
    run("ip", arguments.split(' '));
}

pub(crate) fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program}: {status}");
}

pub(crate) fn output_of<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

pub(crate) fn settings(words: &str) -> PortSettings {
    let (mode, flag) = words.split_once(' ').unwrap();
    PortSettings { mode: mode.parse().unwrap(), flag: flag.parse().unwrap() }
}

pub(crate) fn mark() -> Mark {
    let frontend = model::Frontend::Docker;
    Mark::Endpoint { frontend, network: "f".repeat(64).parse().unwrap(), endpoint: "e".repeat(64).parse().unwrap() }
}

pub(crate) fn create_slave(new: &str, on: &str, words: &str, mtu: Option<u32>) -> Step {
    let mtu = mtu.map(|bytes| bytes.try_into().unwrap());
    Step::CreateSlave { name: name(new), on: name(on), settings: settings(words), mtu }
}

pub(crate) fn delete(place: Place, link: &Link) -> Step {
    Step::Delete { place, index: link.index, name: link.name.clone() }
}

pub(crate) fn host_link<'a>(seen: &'a Observed, called: &str) -> &'a Link {
    seen.host_link(&name(called)).unwrap()
}

pub(crate) fn link_in<'a>(seen: &'a Observed, key: &SandboxKey, called: &str) -> &'a Link {
    seen.sandboxes[key].iter().find(|link| link.name.as_str() == called).unwrap()
}
