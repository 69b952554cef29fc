//! Whether Docker finds the driver: its socket, and who keeps it.

use std::fs;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use engine::Diagnosis;

/// How the driver's socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    /// Whether systemd runs this host (sd_booted(3)).
    systemd: bool,
    /// Whether it makes the socket at each boot.
    enabled: bool,
    socket: Socket,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Socket {
    /// There is none.
    None,
    /// There is a file, and nobody listens.
    Dead,
    /// Somebody listens.
    Listening,
}

impl Service {
    /// Looks how it is.
    pub(super) fn look(socket: &Path) -> Self {
        Self {
            systemd: Path::new("/run/systemd/system").is_dir(),
            enabled: fs::symlink_metadata("/etc/systemd/system/sockets.target.wants/ipvland.socket").is_ok(),
            socket: Socket::look(socket),
        }
    }

    /// What keeps Docker from finding the driver. Nobody else needs the socket.
    pub(super) fn judge(self, socket: &Path) -> Option<Diagnosis> {
        let socket = socket.display();
        let remedy = if self.systemd {
            "`systemctl enable --now ipvland.socket`"
        } else {
            "run `ipvland serve`, before Docker is started"
        };
        match self.socket {
            Socket::Dead => Some(Diagnosis::fault(
                "socket",
                format!(
                    "nobody listens at {socket}, and Docker waits for an answer there whenever it needs the driver"
                ),
                remedy,
            )),
            Socket::None => Some(Diagnosis::warning(
                "socket",
                format!("there is no {socket}, so that Docker has no driver `ipvland`"),
                remedy,
            )),
            Socket::Listening if self.systemd && !self.enabled => Some(Diagnosis::warning(
                "socket",
                format!("systemd does not make {socket} at the next boot, at which Docker will wait for it in vain"),
                remedy,
            )),
            Socket::Listening => None,
        }
    }
}

impl Socket {
    /// Looks whether somebody is behind a socket, by asking for one of another type there: the kernel looks for who has it
    /// first (`unix_find_bsd()` in `net/unix/af_unix.c`). A true connection would have systemd start the daemon.
    fn look(path: &Path) -> Self {
        match UnixDatagram::unbound().and_then(|other| other.connect(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Socket::None,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Socket::Dead,
            // Of the wrong type; or not permitted, and nobody is blamed for what was not seen.
            _ => Socket::Listening,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const SOCKET: &str = "/run/docker/plugins/ipvland.sock";

    fn judged(systemd: bool, enabled: bool, socket: Socket) -> Option<String> {
        let diagnosis = Service { systemd, enabled, socket }.judge(Path::new(SOCKET));
        diagnosis.map(|it| format!("{}: {}; {}", it.severity.as_str(), it.sentence, it.remedy))
    }

    #[test]
    fn a_socket_that_somebody_listens_at_now_and_after_a_boot_is_well() {
        assert_eq!(judged(true, true, Socket::Listening), None);
        assert_eq!(judged(false, false, Socket::Listening), None);
    }

    #[test]
    fn docker_without_its_driver_is_told() {
        assert_eq!(
            judged(true, false, Socket::None).unwrap(),
            "warning: there is no /run/docker/plugins/ipvland.sock, so that Docker has no driver `ipvland`; `systemctl enable \
             --now ipvland.socket`"
        );
        assert_eq!(
            judged(false, false, Socket::Dead).unwrap(),
            "fault: nobody listens at /run/docker/plugins/ipvland.sock, and Docker waits for an answer there whenever it needs \
             the driver; run `ipvland serve`, before Docker is started"
        );
        assert_eq!(
            judged(true, false, Socket::Listening).unwrap(),
            "warning: systemd does not make /run/docker/plugins/ipvland.sock at the next boot, at which Docker will wait for it \
             in vain; `systemctl enable --now ipvland.socket`"
        );
    }

    #[test]
    fn a_socket_is_looked_at_and_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ipvland.sock");
        let socket = || Socket::look(&path);
        assert_eq!(socket(), Socket::None);
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(socket(), Socket::Listening);
        assert!(listener.accept().is_err(), "nobody has called");
        drop(listener);
        assert_eq!(socket(), Socket::Dead);
    }
}
