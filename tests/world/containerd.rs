//! containerd's containers, which `ctr` puts on their network by CNI.

use std::sync::Once;

use serde_json::Value;

use super::command::{attempt, run};
use super::engine::remark;
use super::scene::Scene;
use super::standpoint::Process;

const NETWORKS: &str = "/etc/cni/net.d";
const IMAGE: &str = "docker.io/library/alpine:latest";

impl Scene {
    /// As [`Scene::begin`], where `ctr` takes the containers off their network that it has put there. Elsewhere the scenario is
    /// skipped, with the reason.
    #[track_caller]
    pub(crate) fn where_ctr_takes_off() -> Option<Self> {
        // `containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+b2`
        let said = run("containerd --version");
        let version = said.split(' ').nth(2).expect("a version").trim_start_matches('v');
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        if (numbers.next(), numbers.next()) >= (Some(1), Some(7)) {
            return Some(Self::begin());
        }
        remark("skipped", "`ctr` before 1.7 takes no container off its network that runs detached");
        None
    }
}

/// containerd, for one scene, with one network for all its containers: what is made is gone when the scene is over.
pub(crate) struct Containerd<'s>(&'s Scene);

impl<'s> Containerd<'s> {
    /// Ready to run containers on the network of these plugins.
    #[track_caller]
    pub(crate) fn of(scene: &'s Scene, network: &Value) -> Self {
        static IMAGES: Once = Once::new();
        IMAGES.call_once(|| drop(run("engine images containerd")));
        std::fs::create_dir_all(NETWORKS).expect("/etc can be written");
        std::fs::write(format!("{NETWORKS}/00-scene.conflist"), network.to_string()).expect("a file in it");
        scene.afterwards(&format!("rm {NETWORKS}/00-scene.conflist"));
        Self(scene)
    }

    /// Removes containers when the scene is over that `ctr` is asked for by other means than these.
    pub(crate) fn expects(&self, names: &[String]) {
        let all = names.join(" ");
        self.0.afterwards(&format!("ctr container rm {all}"));
        self.0.afterwards(&format!("ctr task rm --force {all}"));
        for name in names {
            // This is what takes it off its network.
            self.0.afterwards(&format!("ctr task kill --signal SIGKILL {name}"));
        }
    }

    /// `ctr run -d --cni`: its process.
    #[track_caller]
    pub(crate) fn container(&self, name: &str) -> Process {
        self.containers(&[name.to_owned()])[0]
    }

    /// The same of many at once.
    #[track_caller]
    pub(crate) fn containers(&self, names: &[String]) -> Vec<Process> {
        self.expects(names);
        std::thread::scope(|scope| {
            let starting: Vec<_> = names.iter().map(|name| scope.spawn(move || start("", name))).collect();
            let started = starting.into_iter().map(|thread| thread.join().expect("its thread did not panic"));
            started.map(|started| started.unwrap_or_else(|error| panic!("`ctr run` failed: {error}"))).collect()
        })
    }

    /// The same, while the plugin is killed after so many changes in ledger and kernel: what `ctr` says.
    #[track_caller]
    pub(crate) fn container_of_dying_plugin(&self, name: &str, steps: u32) -> String {
        self.expects(&[name.to_owned()]);
        let started = start(&format!("env IPVLAND_KILL_AFTER={steps}"), name);
        started.expect_err("a container is not started whose plugin was killed")
    }

    /// `ctr task kill`, by which a container is taken off its network as well.
    #[track_caller]
    pub(crate) fn kill(&self, name: &str) {
        run(&format!("ctr task kill --signal SIGKILL {name}"));
    }

    /// `ctr run --rm --cni` of a command that ends by itself: what it says.
    #[track_caller]
    pub(crate) fn runs(&self, name: &str, command: &str) -> String {
        run(&format!("ctr run --rm --cni --runc-binary crun {IMAGE} {name} {command}"))
    }
}

/// Starts a container, with something before the command.
fn start(before: &str, name: &str) -> Result<Process, String> {
    let file = format!("/run/{name}.pid");
    attempt(&format!(
        "{before} ctr run -d --cni --null-io --runc-binary crun --pid-file {file} {IMAGE} {name} sleep 1d"
    ))?;
    let pid = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    Ok(Process(pid.trim().parse().expect("the file has the process's number")))
}
