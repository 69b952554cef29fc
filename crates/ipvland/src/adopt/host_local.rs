//! What CNI's host-local has given out: a folder for each network, with a file for each address in it.
//!
//! The file has the address for a name and holds the container's id and, below it, the interface's name; that of an
//! older release only the id (`plugins/ipam/host-local/backend/disk/backend.go` in containernetworking/plugins). A crash between
//! the making of a file and the writing leaves an empty one, and host-local takes its address for given out.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::Adopted;

/// More than an id and an interface's name, in bytes; what else a file may hold is not read.
const CONTENT_LIMIT: u64 = 1024;
/// More addresses than anybody gives out on one host.
const ADDRESS_LIMIT: usize = 1 << 20;

/// The addresses that stand in the folder where host-local keeps its networks. Without it there are none.
///
/// # Errors
/// When it cannot be read, or has more in it than can be.
pub(super) fn told(folder: &Path) -> Result<Vec<Adopted>> {
    let mut told = Vec::new();
    for network in entries(folder)? {
        if !is_folder(&network.path())? {
            continue;
        }
        for file in entries(&network.path())? {
            let content = content(&file).with_context(|| format!("{} cannot be read", file.path().display()))?;
            let Some(content) = content else { continue };
            told.extend(read(&network.file_name().to_string_lossy(), &file.file_name().to_string_lossy(), &content));
            ensure!(told.len() <= ADDRESS_LIMIT, "{} has more than {ADDRESS_LIMIT} addresses in it", folder.display());
        }
    }
    Ok(told)
}

/// What is in a folder, by name; nothing where it is not there.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let mut found = found.with_context(|| format!("{} cannot be read", folder.display()))?;
    found.sort_by_key(DirEntry::file_name);
    Ok(found)
}

/// Links count as what they lead to, if to anything.
fn is_folder(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => Ok(found.with_context(|| format!("{} cannot be read", path.display()))?.is_dir()),
    }
}

/// The beginning of a file; `None` where it is gone, which frees the address. What is no file has nothing in it: to open a pipe
/// would be to wait for its other end.
fn content(file: &DirEntry) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let read = file.file_type().and_then(|kind| match kind.is_file() {
        true => File::open(file.path())?.take(CONTENT_LIMIT).read_to_end(&mut content).map(drop),
        false => Ok(()),
    });
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(|()| Some(content)),
    }
}

/// Reads one file of a network; `None` where its name is no address, as that of the lock.
pub(crate) fn read(network: &str, name: &str, content: &[u8]) -> Option<Adopted> {
    let address: IpAddr = name.parse().ok()?;
    let content = String::from_utf8_lossy(content);
    let mut lines = content.lines().map(str::trim).filter(|line| !line.is_empty());
    let id: Option<String> = lines.next().map(|id| id.chars().take(12).collect());
    let holder = match (id, lines.next()) {
        (None, _) => format!("CNI network {network}, a container that is not named"),
        (Some(id), None) => format!("CNI network {network}, container {id}"),
        (Some(id), Some(interface)) => format!("CNI network {network}, container {id} {interface}"),
    };
    Some(Adopted::new(address, &holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_file_is_an_address_and_its_holder() {
        let check = |name: &str, content: &str, expected: Option<&str>| {
            let told = read("pods", name, content.as_bytes());
            assert_eq!(told.map(|it| format!("{} {}", it.address(), it.holder())).as_deref(), expected);
        };
        let whole = format!("{ID}\r\neth0");
        check("192.0.2.5", &whole, Some("192.0.2.5 CNI network pods, container 0123456789ab eth0"));
        check("2001:db8::5", &whole, Some("2001:db8::5 CNI network pods, container 0123456789ab eth0"));
        check("192.0.2.5", ID, Some("192.0.2.5 CNI network pods, container 0123456789ab"));
        check("192.0.2.5", "", Some("192.0.2.5 CNI network pods, a container that is not named"));
        check("192.0.2.5", "\0\r\n\u{1b}[2J", Some("192.0.2.5 CNI network pods, container ? ?[2J"));
        for other in ["lock", "last_reserved_ip.0", "192.0.2", "192.0.2.5.bak", ""] {
            check(other, &whole, None);
        }
    }

    #[test]
    fn a_folder_is_read_whatever_lies_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        assert_eq!(told(&at("none")).unwrap(), []);
        for (file, content) in [
            ("pods/192.0.2.9", format!("{ID}\r\neth0")),
            ("pods/last_reserved_ip.0", "192.0.2.9".into()),
            ("pods/lock", String::new()),
            ("pods/192.0.2.10", "x".repeat(1 << 20)),
            ("vms/2001:db8::9", String::new()),
            ("192.0.2.99", ID.into()),
        ] {
            fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            fs::write(at(file), content).unwrap();
        }
        // What is there and cannot be read is taken all the same.
        fs::create_dir(at("vms/192.0.2.11")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("vms/192.0.2.12")).unwrap();
        let told = told(folder.path()).unwrap();
        let addresses: Vec<String> = told.iter().map(|it| it.address().to_string()).collect();
        assert_eq!(addresses, ["192.0.2.10", "192.0.2.9", "192.0.2.11", "192.0.2.12", "2001:db8::9"]);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("networks");
        fs::write(&file, "").unwrap();
        assert_eq!(told(&file).unwrap_err().to_string(), format!("{} cannot be read", file.display()));
    }
}
