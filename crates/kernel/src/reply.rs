//! What the kernel answers: objects, an acknowledgement, or a refusal with a sentence.

use std::io;

use netlink_packet_core::{NLM_F_CAPPED, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN};
use rustix::io::Errno;

use crate::attributes::{attributes, i32_at, u16_at, u32_at, until_zero};

/// `sizeof(struct nlmsghdr)`: length and type and flags, sequence number, port.
const HEADER: usize = 16;

/// One message of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply<'a> {
    /// The number of the request it answers.
    pub(crate) sequence: u32,
    /// A dump met a change halfway, so what it told may not fit together.
    pub(crate) interrupted: bool,
    /// What it says.
    pub(crate) content: Content<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    /// An object, with the type of its message (`RTM_NEWLINK`, ...).
    Object(u16, &'a [u8]),
    /// The end, and all went well.
    Done,
    /// The end, and it did not.
    Refused(Refusal),
}

/// The kernel's no.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The error number.
    pub(crate) errno: Errno,
    /// The sentence of the extended acknowledgement, where there is one.
    pub(crate) said: Option<String>,
}

/// Splits a datagram.
///
/// # Errors
/// When a message claims to be longer than what is there, or some were lost.
pub(crate) fn replies(datagram: &[u8]) -> io::Result<Vec<Reply<'_>>> {
    let mut rest = datagram;
    let mut replies = Vec::new();
    while !rest.is_empty() {
        let (reply, length) = reply(rest).ok_or_else(|| io::Error::other("a netlink message is cut off"))?;
        replies.extend(reply?);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(replies)
}

fn reply(bytes: &[u8]) -> Option<(io::Result<Option<Reply<'_>>>, usize)> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let (kind, flags, sequence) = (u16_at(bytes, 4)?, u16_at(bytes, 6)?, u32_at(bytes, 8)?);
    let body = bytes.get(HEADER..length)?;
    let content = match kind {
        NLMSG_ERROR => verdict(i32_at(body, 0)?, || sentence(body, flags)),
        // A dump that fails halfway says so in its last message; 0 or the number of objects otherwise.
        NLMSG_DONE => verdict(i32_at(body, 0).unwrap_or_default(), || None),
        NLMSG_OVERRUN => Err(io::Error::other("netlink messages were lost")),
        below_the_first_object if below_the_first_object < 16 => return Some((Ok(None), length)),
        object => Ok(Content::Object(object, body)),
    };
    let interrupted = flags & NLM_F_DUMP_INTR != 0;
    Some((content.map(|content| Some(Reply { sequence, interrupted, content })), length))
}

/// An error number is negative and at most 4095 (`MAX_ERRNO`, `include/linux/err.h`).
fn verdict<'a>(code: i32, said: impl FnOnce() -> Option<String>) -> io::Result<Content<'a>> {
    match code.checked_neg() {
        Some(number @ 1..=4095) => {
            Ok(Content::Refused(Refusal { errno: Errno::from_raw_os_error(number), said: said() }))
        }
        Some(..=0) => Ok(Content::Done),
        _ => Err(io::Error::other("a netlink message has an error number that does not exist")),
    }
}

/// The sentence in an extended acknowledgement: `netlink_ack()` in `net/netlink/af_netlink.c` puts attributes behind
/// the error number and the request, of which only the header is repeated once acknowledgements are capped.
fn sentence(body: &[u8], flags: u16) -> Option<String> {
    const ERROR_NUMBER: usize = 4;
    const NLMSGERR_ATTR_MSG: u16 = 1;
    let repeated = if flags & NLM_F_CAPPED != 0 { HEADER } else { u32_at(body, ERROR_NUMBER)?.try_into().ok()? };
    let tail = body.get(ERROR_NUMBER.checked_add(repeated)?.checked_next_multiple_of(4)?..)?;
    let text = attributes(tail).find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?.1;
    Some(String::from_utf8_lossy(until_zero(text)).into_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::NLM_F_ACK_TLVS;

    use super::*;
    use crate::attributes::tests::attribute;

    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes()].concat();
        bytes.extend([sequence.to_ne_bytes(), [0; 4]].concat());
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A refusal of a request of `request` bytes, of which the kernel repeats all or, capped, the header.
    fn refusal(capped: bool, request: u32, tail: &[u8]) -> Vec<u8> {
        let repeated = if capped { HEADER } else { request as usize };
        let mut body = [&(-17i32).to_ne_bytes()[..], &request.to_ne_bytes()].concat();
        body.resize(4 + repeated, 0);
        body.extend(tail);
        message(NLMSG_ERROR, NLM_F_ACK_TLVS | if capped { NLM_F_CAPPED } else { 0 }, 1, &body)
    }

    fn said(bytes: &[u8]) -> Option<String> {
        match replies(bytes).unwrap().remove(0).content {
            Content::Refused(Refusal { errno: Errno::EXIST, said }) => said,
            other => panic!("a refusal was expected: {other:?}"),
        }
    }

    #[test]
    fn the_kernels_sentence_is_found_behind_whatever_it_repeats() {
        let text = attribute(1, b"VLAN device already exists\0");
        for tail in [text.clone(), [attribute(2, &[9; 4]), text].concat()] {
            assert_eq!(said(&refusal(true, 72, &tail)).as_deref(), Some("VLAN device already exists"));
            assert_eq!(said(&refusal(false, 72, &tail)).as_deref(), Some("VLAN device already exists"));
        }
    }

    /// As kernel 6.12 answered `ip link add link d0 name v1 type vlan id 10`, the tag being taken; `ip` does not ask
    /// for capped acknowledgements.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_sentence_of_a_real_kernel_is_read() {
        let bytes = include_bytes!("../fixtures/vlan-exists.bin");
        assert_eq!(said(bytes).as_deref(), Some("8021q: VLAN device already exists"));
    }

    #[test]
    fn a_refusal_without_a_sentence_is_one_nevertheless() {
        for tail in [&[][..], &attribute(2, &[0; 4]), &attribute(1, b"\0"), &[255, 0, 1, 0]] {
            assert_eq!(said(&refusal(true, 40, tail)), None, "{tail:?}");
        }
    }

    #[test]
    fn a_datagram_of_several_messages_is_split() {
        let bytes = [
            message(16, 2, 7, &[1; 5]),
            message(1, 0, 7, &[]),
            message(NLMSG_DONE, 2 | NLM_F_DUMP_INTR, 7, &[0; 4]),
            message(NLMSG_ERROR, 0, 8, &[0; 20]),
        ]
        .concat();
        let read = replies(&bytes).unwrap();
        let expected = [
            Reply { sequence: 7, interrupted: false, content: Content::Object(16, &[1; 5]) },
            Reply { sequence: 7, interrupted: true, content: Content::Done },
            Reply { sequence: 8, interrupted: false, content: Content::Done },
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_dump_that_failed_halfway_is_no_success() {
        let bytes = message(NLMSG_DONE, 2, 1, &(-12i32).to_ne_bytes());
        let Content::Refused(refusal) = &replies(&bytes).unwrap()[0].content else { panic!("a refusal was expected") };
        assert_eq!(refusal.errno, Errno::NOMEM);
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_no_panic() {
        let whole = message(16, 2, 7, &[1; 8]);
        for length in 1..whole.len() {
            assert!(replies(&whole[..length]).is_err(), "{length}");
        }
        assert!(replies(&message(NLMSG_OVERRUN, 0, 1, &[])).is_err());
        assert!(replies(&message(NLMSG_ERROR, 0, 1, &[])).is_err());
    }
}
