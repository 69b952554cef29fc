//! Podman, which calls the driver's binary as its network plugin.

use std::path::Path;
use std::sync::Once;

use serde_json::Value;

use super::command::{attempt, run};
use super::engine::remark;
use super::scene::Scene;
use super::standpoint::Process;

impl Scene {
    /// As [`Scene::begin`], where there is a Podman that knows network plugins. Elsewhere the scenario is skipped, with the
    /// reason.
    pub(crate) fn where_podman_is() -> Option<Self> {
        if Path::new("/usr/bin/podman").exists() {
            return Some(Self::begin());
        }
        remark("skipped", "Podman before 4.5 knows no network plugins");
        None
    }
}

/// Podman, for one scene: what is made is gone when the scene is over.
pub(crate) struct Podman<'s>(&'s Scene);

impl<'s> Podman<'s> {
    /// Ready to run containers.
    #[track_caller]
    pub(crate) fn of(scene: &'s Scene) -> Self {
        static IMAGES: Once = Once::new();
        IMAGES.call_once(|| drop(run("engine images podman")));
        Self(scene)
    }

    /// `podman network create -d ipvland ...`; the last word is the network's name.
    #[track_caller]
    pub(crate) fn network(&self, arguments: &str) {
        let name = arguments.split_whitespace().last().expect("a network has a name");
        let create = format!("podman network create -d ipvland {arguments}");
        self.0.by_hand(&create, &format!("podman network rm --force --time 0 {name}"));
    }

    /// `podman network create -d ipvland ...`, which must be refused: the sentence.
    #[track_caller]
    pub(crate) fn refused_network(&self, arguments: &str) -> String {
        let refused = attempt(&format!("podman network create -d ipvland {arguments}"));
        refused.map_or_else(|sentence| sentence, |_| panic!("a network with `{arguments}` was not refused"))
    }

    /// `podman run -d --name NAME ...`: its process.
    #[track_caller]
    pub(crate) fn container(&self, name: &str, arguments: &str) -> Process {
        let started = self.try_container(name, arguments);
        started.unwrap_or_else(|error| panic!("`podman run {arguments}` failed: {error}"))
    }

    /// `podman run -d --name NAME ...`, which must be refused: the sentence. What Podman keeps of it is removed.
    #[track_caller]
    pub(crate) fn refused_container(&self, name: &str, arguments: &str) -> String {
        match self.try_container(name, arguments) {
            Ok(_) => panic!("`podman run {arguments}` was not refused"),
            Err(sentence) => {
                run(&format!("podman rm --force --time 0 --ignore {name}"));
                sentence
            }
        }
    }

    /// Removes a container when the scene is over that Podman is asked for by other means than these.
    pub(crate) fn expects(&self, name: &str) {
        self.0.afterwards(&format!("podman rm --force --time 0 --ignore {name}"));
    }

    fn try_container(&self, name: &str, arguments: &str) -> Result<Process, String> {
        self.expects(name);
        attempt(&format!("podman run -d --name {name} {arguments}"))?;
        Ok(self.process(name))
    }

    /// The first process of a container, now.
    #[track_caller]
    pub(crate) fn process(&self, name: &str) -> Process {
        let pid = run(&format!("podman inspect --format {{{{.State.Pid}}}} {name}"));
        let pid = pid.parse().ok().filter(|pid| *pid > 0);
        Process(pid.unwrap_or_else(|| panic!("container {name} does not run")))
    }

    /// What Podman knows of a container on a network.
    #[track_caller]
    pub(crate) fn endpoint(&self, name: &str, network: &str) -> Value {
        let known: Value =
            serde_json::from_str(&run(&format!("podman inspect {name}"))).expect("`podman inspect` prints JSON");
        let endpoint = known[0]["NetworkSettings"]["Networks"][network].clone();
        assert!(endpoint.is_object(), "container {name} is not on {network}");
        endpoint
    }

    /// The address of a container on a network, as Podman knows it.
    #[track_caller]
    pub(crate) fn address(&self, name: &str, network: &str) -> String {
        self.endpoint(name, network)["IPAddress"].as_str().unwrap_or_default().to_owned()
    }
}
