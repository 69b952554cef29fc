//! What it costs to put a container on a network by CNI, and to take it off: this plugin with its ledger, and the reference
//! plugins `ipvlan` and `host-local`, in turns.
//!
//! For the lab: it makes network namespaces, and links on `eth0` and `eth1`. A container stays on each network, as on one in use.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::Spread;
use serde_json::json;

const ROUNDS: usize = 60;
/// Before anything counts: what is run for the first time is read from the disk.
const WARM_UP: usize = 3;

const VERBS: [&str; 2] = ["ADD", "DEL"];

/// A plugin, and the network it is for.
struct Contender {
    name: &'static str,
    plugin: &'static str,
    configuration: String,
    times: [Vec<Duration>; 2],
}

fn main() -> Result<()> {
    let mut contenders = contenders();
    for contender in &contenders {
        let stays = format!("{}-stays", contender.name);
        run(&["netns", "add", &stays])?;
        contender.call("ADD", &stays)?;
    }
    println!("{ROUNDS} rounds");
    for round in 0..WARM_UP + ROUNDS {
        // Nobody is always first.
        for n in [round % 2, (round + 1) % 2] {
            let times = contenders[n].round()?;
            if round >= WARM_UP {
                contenders[n].times.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
            }
        }
    }
    print!("{}", Table(&contenders));
    Ok(())
}

fn contenders() -> [Contender; 2] {
    let range = |subnet: &str| json!([[{ "subnet": format!("{subnet}.0/24"), "gateway": format!("{subnet}.1") }]]);
    let routes = json!([{ "dst": "0.0.0.0/0" }]);
    let ipam = json!({ "type": "ipvland", "ranges": range("192.168.1"), "routes": routes });
    let ours = json!({ "type": "ipvland", "master": "eth0", "ipam": ipam });
    let ipam = json!({ "type": "host-local", "dataDir": "/run/bench", "ranges": range("192.168.3"), "routes": routes });
    let theirs = json!({ "type": "ipvlan", "master": "eth1", "mode": "l2", "ipam": ipam });
    let contender = |name, plugin, mut configuration: serde_json::Value| {
        configuration["cniVersion"] = json!("1.0.0");
        configuration["name"] = json!(name);
        Contender { name, plugin, configuration: configuration.to_string(), times: Default::default() }
    };
    [contender("ipvland", "/opt/ipvland/bin/ipvland", ours), contender("reference", "/usr/lib/cni/ipvlan", theirs)]
}

impl Contender {
    /// One container that comes and goes: what each verb took.
    fn round(&self) -> Result<[Duration; 2]> {
        let container = format!("{}-comes", self.name);
        run(&["netns", "add", &container])?;
        let times = [self.call("ADD", &container)?, self.call("DEL", &container)?];
        run(&["netns", "delete", &container])?;
        Ok(times)
    }

    /// A call, as a runtime makes it: from the start of the plugin to its end.
    fn call(&self, verb: &str, container: &str) -> Result<Duration> {
        let mut command = Command::new(self.plugin);
        command.envs([("CNI_COMMAND", verb), ("CNI_CONTAINERID", container), ("CNI_IFNAME", "eth0")]);
        command.env("CNI_NETNS", format!("/run/netns/{container}")).env("CNI_PATH", "/opt/ipvland/bin:/usr/lib/cni");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{} does not run", self.plugin))?;
        child.stdin.take().context("it is piped")?.write_all(self.configuration.as_bytes())?;
        let output = child.wait_with_output()?;
        let took = started.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{} refused {verb}: {said}", self.plugin);
        Ok(took)
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    let status = Command::new("ip").args(arguments).status().context("`ip` does not run")?;
    ensure!(status.success(), "`ip {}` failed", arguments.join(" "));
    Ok(())
}

/// What came of it.
struct Table<'a>(&'a [Contender; 2]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [ours, theirs] = self.0;
        writeln!(f, "microseconds: the median of {ROUNDS} rounds, and between what half of them are\n")?;
        writeln!(f, "verb  {:<32} {:<32} {}/{}", ours.name, theirs.name, ours.name, theirs.name)?;
        let mut ratios = Vec::new();
        for (n, verb) in VERBS.into_iter().enumerate() {
            let [one, other] = [ours, theirs].map(|contender| Spread::of(contender.times[n].clone()));
            writeln!(f, "{verb:<5} {one:<32} {other:<32} {:.2}", one.ratio(other))?;
            ratios.push(format!("{verb} {:.2}", one.ratio(other)));
        }
        writeln!(f, "\ncni: {}/{} ratio {}", ours.name, theirs.name, ratios.join(", "))
    }
}
