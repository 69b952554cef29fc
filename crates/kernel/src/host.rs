//! What of this host, beside its links, decides how containers on it fare: modules, settings of IP, file systems.
//!
//! Read from `/proc`, `/sys` and `/lib/modules`. Nothing is loaded or changed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use model::InterfaceName;
use rustix::fs::statfs;
use rustix::process::geteuid;

/// This host, apart from its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Whether this process is root's. Others do not see into namespaces.
    pub root: bool,
    /// The module for slaves; `None` where it cannot be told.
    pub ipvlan: Option<Module>,
    /// The module for VLAN links.
    pub vlan: Option<Module>,
    /// The module for dummies.
    pub dummy: Option<Module>,
    /// Whether the kernel has IPv6.
    pub ipv6: bool,
    /// Whether it passes on IPv4 packets (`net.ipv4.ip_forward`).
    pub forwards_v4: bool,
    /// Whether it passes on IPv6 packets (`net.ipv6.conf.all.forwarding`).
    pub forwards_v6: bool,
    /// `rp_filter` of interfaces that are still to be made: the larger of `all` and `default`. A new namespace takes both from the
    /// host's (`devinet_init_net()` in `net/ipv4/devinet.c`).
    pub rp_filter: u32,
}

/// Whether the kernel has what a module brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// It has.
    Present,
    /// It will, as soon as somebody needs it.
    OnDemand,
    /// It has not, and nothing brings it.
    Missing,
}

/// Settings of one link that no dump of links tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkSettings {
    /// Whether it is Wi-Fi.
    pub wireless: bool,
    /// Whether IPv6 is switched off on it.
    pub ipv6_disabled: bool,
    /// Whether what it receives by IPv6 is passed on.
    pub forwards_v6: bool,
    /// Whether the kernel takes its default route from routers that advertise themselves: 0 never, 1 unless it forwards, 2 always.
    pub accept_ra: u32,
}

/// The file system that a folder is on, or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Where its files are kept.
    pub medium: Medium,
    /// How much room is left, in bytes.
    pub free: u64,
}

/// Where files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// On a disk of this host's.
    Disk,
    /// In memory: they do not survive a reboot.
    Memory,
    /// On another host.
    Network,
}

/// Looks at this host. What cannot be read counts as zero, which is what a kernel without the setting does.
pub fn host() -> Host {
    let uname = rustix::system::uname();
    read_host(Path::new("/"), &uname.release().to_string_lossy(), geteuid().is_root())
}

/// Looks at the settings of a link of the host's.
pub fn link_settings(link: &InterfaceName) -> LinkSettings {
    read_link_settings(Path::new("/"), link)
}

/// The file system of a folder, or, where that is not there yet, of the one that it will be in.
///
/// # Errors
/// When nothing on the way to it can be looked at.
pub fn file_system(folder: &Path) -> io::Result<FileSystem> {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let found = statfs(there)?;
    let room = found.f_bavail.saturating_mul(u64::try_from(found.f_bsize).unwrap_or_default());
    // `include/uapi/linux/magic.h`: numbers of 32 bits, in a field whose size is the architecture's.
    let medium = match found.f_type as u32 {
        0x0102_1994 | 0x8584_58f6 => Medium::Memory, // tmpfs, ramfs
        0x0000_6969 | 0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 | 0x0102_1997 | 0x00c3_6400 => Medium::Network, // NFS, SMB, CIFS, SMB2, 9p, Ceph
        _ => Medium::Disk,
    };
    Ok(FileSystem { medium, free: room })
}

fn read_host(root: &Path, release: &str, is_root: bool) -> Host {
    let sysctl = |name: &str| sysctl(root, name);
    let module = |name, symbol| module(root, release, name, symbol);
    Host {
        root: is_root,
        ipvlan: module("ipvlan", "ipvlan_link_new"),
        vlan: module("8021q", "register_vlan_dev"),
        dummy: module("dummy", "dummy_setup"),
        ipv6: root.join("proc/sys/net/ipv6").exists(),
        forwards_v4: sysctl("ipv4/ip_forward") == 1,
        forwards_v6: sysctl("ipv6/conf/all/forwarding") == 1,
        rp_filter: sysctl("ipv4/conf/all/rp_filter").max(sysctl("ipv4/conf/default/rp_filter")),
    }
}

fn read_link_settings(root: &Path, link: &InterfaceName) -> LinkSettings {
    let sysctl = |leaf: &str| sysctl(root, &format!("ipv6/conf/{link}/{leaf}"));
    LinkSettings {
        // `wireless_group` in `net/core/net-sysfs.c`.
        wireless: root.join(format!("sys/class/net/{link}/phy80211")).exists(),
        ipv6_disabled: sysctl("disable_ipv6") == 1,
        forwards_v6: sysctl("forwarding") == 1,
        accept_ra: sysctl("accept_ra"),
    }
}

fn sysctl(root: &Path, name: &str) -> u32 {
    let text = fs::read_to_string(root.join("proc/sys/net").join(name)).unwrap_or_default();
    text.trim().parse().unwrap_or_default()
}

/// Whether the kernel has a module; `symbol` is a function of it, by which one shows that is built in and in no list.
fn module(root: &Path, release: &str, name: &str, symbol: &str) -> Option<Module> {
    if root.join("sys/module").join(name).exists() {
        return Some(Module::Present);
    }
    let folder = root.join("lib/modules").join(release);
    // Both lists have a path at the beginning of a line (modules.dep(5), modules.builtin in depmod(8)).
    let file = format!("/{name}.ko");
    let listed = |list: &str| {
        any_line(&folder.join(list), |line| line.split(':').next().is_some_and(|path| path.contains(&file)))
    };
    let on_demand = listed("modules.dep").unwrap_or(false);
    let built_in =
        || any_line(&root.join("proc/kallsyms"), |line| line.split_ascii_whitespace().nth(2) == Some(symbol));
    match listed("modules.builtin") {
        _ if on_demand => Some(Module::OnDemand),
        Some(true) => Some(Module::Present),
        Some(false) => Some(Module::Missing),
        None => built_in().map(|built_in| if built_in { Module::Present } else { Module::Missing }),
    }
}

/// Whether a line of a file is one that is looked for; `None` where there is no such file.
fn any_line(path: &Path, wanted: impl Fn(&str) -> bool) -> Option<bool> {
    let lines = BufReader::new(File::open(path).ok()?).lines();
    Some(lines.map_while(Result::ok).any(|line| wanted(&line)))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const RELEASE: &str = "6.12.48+deb13-amd64";

    /// A host with these files on it.
    fn with(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn ipvlan(files: &[(&str, &str)]) -> Option<Module> {
        read_host(with(files).path(), RELEASE, true).ipvlan
    }

    #[test]
    fn a_module_is_looked_for_where_it_may_be() {
        let dep = "lib/modules/6.12.48+deb13-amd64/modules.dep";
        let builtin = "lib/modules/6.12.48+deb13-amd64/modules.builtin";
        let kallsyms = "proc/kallsyms";
        let line = "kernel/drivers/net/ipvlan/ipvlan.ko.xz: kernel/net/l3mdev.ko.xz\n";
        let other = "kernel/drivers/net/ipvlan/ipvtap.ko.xz: kernel/drivers/net/ipvlan/ipvlan.ko.xz\n";
        assert_eq!(ipvlan(&[("sys/module/ipvlan/refcnt", "0\n")]), Some(Module::Present));
        assert_eq!(ipvlan(&[(dep, line), (builtin, "")]), Some(Module::OnDemand));
        assert_eq!(ipvlan(&[(dep, other), (builtin, "")]), Some(Module::Missing));
        assert_eq!(ipvlan(&[(dep, ""), (builtin, "kernel/drivers/net/ipvlan/ipvlan.ko\n")]), Some(Module::Present));
        assert_eq!(ipvlan(&[("lib/modules/5.0/modules.dep", line)]), None, "of another kernel");
        assert_eq!(ipvlan(&[(kallsyms, "0000 T ipvlan_link_new\n")]), Some(Module::Present));
        assert_eq!(ipvlan(&[(kallsyms, "0000 T ipvlan_link_newer\n")]), Some(Module::Missing));
        assert_eq!(ipvlan(&[]), None);
    }

    #[test]
    fn settings_are_those_that_new_interfaces_get() {
        let bare = read_host(with(&[]).path(), RELEASE, false);
        assert_eq!(
            (bare.root, bare.ipv6, bare.forwards_v4, bare.forwards_v6, bare.rp_filter),
            (false, false, false, false, 0)
        );
        let root = with(&[
            ("proc/sys/net/ipv4/ip_forward", "1\n"),
            ("proc/sys/net/ipv4/conf/all/rp_filter", "0\n"),
            ("proc/sys/net/ipv4/conf/default/rp_filter", "2\n"),
            ("proc/sys/net/ipv6/conf/all/forwarding", "1\n"),
        ]);
        let host = read_host(root.path(), RELEASE, true);
        assert_eq!(
            (host.root, host.ipv6, host.forwards_v4, host.forwards_v6, host.rp_filter),
            (true, true, true, true, 2)
        );
    }

    #[test]
    fn a_link_is_known_by_its_folder() {
        let root = with(&[
            ("sys/class/net/wlan0.10/phy80211/name", "phy0\n"),
            ("proc/sys/net/ipv6/conf/wlan0.10/disable_ipv6", "1\n"),
            ("proc/sys/net/ipv6/conf/wlan0.10/forwarding", "1\n"),
            ("proc/sys/net/ipv6/conf/wlan0.10/accept_ra", "2\n"),
        ]);
        let settings = |name: &str| read_link_settings(root.path(), &name.parse().unwrap());
        let expected = LinkSettings { wireless: true, ipv6_disabled: true, forwards_v6: true, accept_ra: 2 };
        assert_eq!((settings("wlan0.10"), settings("eth0")), (expected, LinkSettings::default()));
    }

    #[test]
    fn a_folder_that_is_still_to_be_made_is_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let found = file_system(&folder.path().join("state/deep")).unwrap();
        assert_eq!(found.medium, file_system(folder.path()).unwrap().medium);
        assert_eq!(file_system(Path::new("/dev/shm")).unwrap().medium, Medium::Memory);
        assert!(found.free > 0);
    }
}
