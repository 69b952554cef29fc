//! A small synchronous client of rtnetlink.

use std::io;
use std::time::Duration;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::KernelError;
use crate::reply::{Content, Refusal, replies};

/// How often a dump is asked for again that met a change halfway (`NLM_F_DUMP_INTR`).
const DUMP_TRIES: usize = 20;

/// The kernel answers before it returns from the request; only an answer that was lost is waited for this long.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Where a message of several in one datagram may begin (`NLMSG_ALIGNTO` in `include/uapi/linux/netlink.h`), in bytes.
const ALIGNMENT: usize = 4;

/// A conversation with the kernel about the namespace in which it was opened.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The kernel said no.
    Refused(Refusal),
    /// It did not come to that.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl Failure {
    /// What the failure means where the error number has no special meaning.
    pub(crate) fn while_trying_to(self, doing: impl Into<String>) -> KernelError {
        let (said, source) = match self {
            Failure::Refused(Refusal { errno, said }) => (Some(said), io::Error::from(errno)),
            Failure::Io(source) => (None, source),
        };
        let doing = doing.into();
        match said {
            _ if source.kind() == io::ErrorKind::PermissionDenied => KernelError::NotPermitted { doing },
            Some(said) => KernelError::Refused { doing, said, source },
            None => KernelError::Io { doing, source },
        }
    }
}

/// The objects of a dump.
pub(crate) struct Dump {
    /// The body of each message.
    pub(crate) objects: Vec<Vec<u8>>,
    /// Nothing changed while they were listed. Otherwise one that came or went, or its neighbour, may be missing.
    pub(crate) whole: bool,
}

impl Netlink {
    /// Opens a socket in the calling thread's namespace. It stays there, whoever uses it.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // Both came after the oldest kernel that has ipvlan (4.12 and 4.3); without them there is just no sentence.
        for (option, answer) in [("ext_ack", socket.set_ext_ack(true)), ("cap_ack", socket.set_cap_ack(true))] {
            if let Err(error) = answer {
                tracing::debug!(option, %error, "a netlink option is not available");
            }
        }
        set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_LIMIT))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Has something changed, and waits for the acknowledgement.
    pub(crate) fn change(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<(), Failure> {
        let answers = self.change_all(vec![(message, flags)])?;
        answers.into_iter().try_for_each(|answer| answer.map_err(Failure::Refused))
    }

    /// Has several things changed in one go, and waits for all acknowledgements: the answers, in the order of the requests. Those
    /// behind one that is refused are done all the same (`netlink_rcv_skb()` in `net/netlink/af_netlink.c`).
    pub(crate) fn change_all(
        &mut self,
        requests: Vec<(RouteNetlinkMessage, u16)>,
    ) -> io::Result<Vec<Result<(), Refusal>>> {
        let first = self.sequence.wrapping_add(1);
        let mut answers: Vec<Option<Result<(), Refusal>>> = requests.iter().map(|_| None).collect();
        self.send(requests.into_iter().map(|(message, flags)| (message, flags | NLM_F_ACK)))?;
        while answers.iter().any(Option::is_none) {
            for reply in replies(&self.datagram()?)? {
                let number = usize::try_from(reply.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
                let Some(answer) = answers.get_mut(number) else { continue }; // to a request that was given up
                match reply.content {
                    Content::Object(..) => {}
                    Content::Done => *answer = Some(Ok(())),
                    Content::Refused(refusal) => *answer = Some(Err(refusal)),
                }
            }
        }
        killpoint::step_taken();
        Ok(answers.into_iter().flatten().collect())
    }

    /// Asks for one object; `None` where there is none (ENODEV).
    pub(crate) fn get(&mut self, message: RouteNetlinkMessage) -> Result<Option<Vec<u8>>, Failure> {
        self.send([(message, NLM_F_ACK)])?;
        let mut answer = None;
        match self.receive(|_, body| answer = Some(body.to_vec())) {
            Err(Failure::Refused(refusal)) if refusal.errno == Errno::NODEV => Ok(None),
            ended => ended.map(|_| answer),
        }
    }

    /// Asks for all objects whose messages are of the type `wanted`.
    ///
    /// A list that met a change is asked for again, but not for ever: a container that keeps changing its links must
    /// not keep the host from looking elsewhere.
    pub(crate) fn dump(&mut self, message: &RouteNetlinkMessage, wanted: u16) -> Result<Dump, Failure> {
        let mut last = Dump { objects: Vec::new(), whole: false };
        for _ in 0..DUMP_TRIES {
            self.send([(message.clone(), NLM_F_DUMP)])?;
            let mut objects = Vec::new();
            let whole = self.receive(|kind, body| {
                if kind == wanted {
                    objects.push(body.to_vec());
                }
            })?;
            last = Dump { objects, whole };
            if whole {
                break;
            }
        }
        Ok(last)
    }

    /// Sends requests in one datagram, numbered one after the other.
    fn send(&mut self, requests: impl IntoIterator<Item = (RouteNetlinkMessage, u16)>) -> io::Result<()> {
        let mut buffer = Vec::new();
        for (message, flags) in requests {
            self.sequence = self.sequence.wrapping_add(1);
            let mut header = NetlinkHeader::default();
            header.flags = NLM_F_REQUEST | flags;
            header.sequence_number = self.sequence;
            let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
            packet.finalize();
            let start = buffer.len();
            buffer.resize(start + packet.buffer_len().next_multiple_of(ALIGNMENT), 0);
            packet.serialize(&mut buffer[start..]);
        }
        let sent = retried(|| self.socket.send(&buffer, 0))?;
        if sent == buffer.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Reads the answers to the last request up to its end. Tells whether no change came in between.
    fn receive(&mut self, mut each: impl FnMut(u16, &[u8])) -> Result<bool, Failure> {
        let mut whole = true;
        loop {
            for reply in replies(&self.datagram()?)? {
                if reply.sequence != self.sequence {
                    continue; // the answer to a request that was given up
                }
                whole &= !reply.interrupted;
                match reply.content {
                    Content::Object(kind, body) => each(kind, body),
                    Content::Done => return Ok(whole),
                    Content::Refused(refusal) => return Err(Failure::Refused(refusal)),
                }
            }
        }
    }

    /// The next datagram of the kernel's.
    fn datagram(&self) -> io::Result<Vec<u8>> {
        loop {
            // Sized by the message: the kernel cuts off what does not fit.
            let (datagram, sender) = retried(|| self.socket.recv_from_full())?;
            if sender.port_number() == 0 {
                return Ok(datagram); // from the kernel, not from a process
            }
        }
    }
}

fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}
