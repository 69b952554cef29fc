//! A small synchronous client of rtnetlink.

use std::fmt;
use std::io;

use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// How often a dump is repeated that the kernel says was interrupted by a change (`NLM_F_DUMP_INTR`).
const DUMP_TRIES: usize = 10;

/// A conversation with the kernel, in the namespace in which it was opened.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// What the kernel answered instead of doing it.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The error number.
    pub(crate) errno: rustix::io::Errno,
    /// The text of the extended acknowledgement; empty where it has none.
    pub(crate) text: String,
}

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The kernel said no.
    Refused(Refusal),
    /// It did not come to that.
    Io(io::Error),
}

impl From<io::Error> for RequestError {
    fn from(error: io::Error) -> Self {
        RequestError::Io(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

impl Netlink {
    /// Opens a socket in the calling thread's namespace. It stays there, whoever uses it.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Has a change made, and waits for the acknowledgement.
    pub(crate) fn change(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<(), RequestError> {
        self.send(message, flags | NLM_F_ACK)?;
        self.receive(|_| {})?;
        Ok(())
    }

    /// Asks for one object.
    pub(crate) fn get(&mut self, message: RouteNetlinkMessage) -> Result<Option<RouteNetlinkMessage>, RequestError> {
        self.send(message, NLM_F_ACK)?;
        let mut answer = None;
        self.receive(|message| answer = Some(message))?;
        Ok(answer)
    }

    /// Asks for all objects of a kind.
    pub(crate) fn dump(&mut self, message: &RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, RequestError> {
        for _ in 0..DUMP_TRIES {
            self.send(message.clone(), NLM_F_DUMP)?;
            let mut objects = Vec::new();
            if self.receive(|message| objects.push(message))? == Whole::Yes {
                return Ok(objects);
            }
        }
        Err(io::Error::new(io::ErrorKind::Interrupted, "links change faster than they can be listed").into())
    }

    fn send(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        packet.finalize();
        let mut buffer = vec![0; packet.buffer_len()];
        packet.serialize(&mut buffer);
        let sent = self.socket.send(&buffer, 0)?;
        if sent == buffer.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Reads answers to the last request until it is acknowledged, refused or done.
    fn receive(&mut self, mut each: impl FnMut(RouteNetlinkMessage)) -> Result<Whole, RequestError> {
        let mut whole = Whole::Yes;
        loop {
            // Sized by the message: the kernel cuts off what does not fit.
            let (datagram, sender) = self.socket.recv_from_full()?;
            if sender.port_number() != 0 {
                continue; // another process, not the kernel
            }
            let mut rest = datagram.as_slice();
            while !rest.is_empty() {
                let packet = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
                let length = (packet.header.length as usize).next_multiple_of(4).min(rest.len());
                let bytes = &rest[..length];
                rest = &rest[length..];
                if packet.header.sequence_number != self.sequence {
                    continue; // left from a request that was given up
                }
                if packet.header.flags & NLM_F_DUMP_INTR != 0 {
                    whole = Whole::No;
                }
                match packet.payload {
                    NetlinkPayload::InnerMessage(message) => each(message),
                    NetlinkPayload::Done(_) => return Ok(whole),
                    NetlinkPayload::Error(ErrorMessage { code: None, .. }) => return Ok(whole),
                    NetlinkPayload::Error(ErrorMessage { code: Some(code), .. }) => {
                        return Err(RequestError::Refused(Refusal {
                            errno: rustix::io::Errno::from_raw_os_error(code.get().saturating_neg()),
                            text: extended_text(bytes),
                        }));
                    }
                    _ => {}
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// The text of an extended acknowledgement: attribute 1 (`NLMSGERR_ATTR_MSG`), behind the message's header, the error
/// number and, since acknowledgements are capped, the 16 bytes of the request's header.
fn extended_text(message: &[u8]) -> String {
    const HEADERS: usize = 16 + 4 + 16;
    const NLMSGERR_ATTR_MSG: u16 = 1;
    let mut rest = message.get(HEADERS..).unwrap_or_default();
    while let Some((length, kind)) = attribute_header(rest) {
        let Some(value) = rest.get(4..length) else { break };
        if kind == NLMSGERR_ATTR_MSG {
            return String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    String::new()
}

fn attribute_header(bytes: &[u8]) -> Option<(usize, u16)> {
    let number = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let (length, kind) = (number(0)?, number(2)?);
    (length >= 4).then_some((length.into(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_attributes(attributes: &[u8]) -> Vec<u8> {
        [vec![0; 36], attributes.to_vec()].concat()
    }

    #[test]
    fn the_kernels_sentence_is_found_behind_the_headers() {
        let text = [&[10, 0, 1, 0][..], b"Nope.\0", &[0, 0]].concat();
        assert_eq!(extended_text(&with_attributes(&text)), "Nope.");
        let offset_first = [&[8, 0, 2, 0, 9, 9, 9, 9][..], &text].concat();
        assert_eq!(extended_text(&with_attributes(&offset_first)), "Nope.");
    }

    #[test]
    fn a_message_without_or_with_broken_attributes_has_no_sentence() {
        for attributes in [&[][..], &[0, 0, 0, 0], &[3, 0, 1, 0], &[255, 0, 1, 0, 65], &[8, 0]] {
            assert_eq!(extended_text(&with_attributes(attributes)), "");
        }
        assert_eq!(extended_text(&[1, 2, 3]), "");
    }
}
