//! Netlink attributes, walked without trust.
//!
//! The typed parser of `netlink-packet-route` is not used for reading: it refuses a whole message for one attribute it
//! cannot read, and a container may give its link an alias that is no UTF-8 and would so blind the host.

use std::net::IpAddr;

/// The attributes in `bytes`, each with its type and value. Ends at the first that is cut off.
///
/// Layout: `struct nlattr` in `include/uapi/linux/netlink.h`, length (header included) and type of 16 bits each, in
/// the host's byte order, the next at a multiple of four.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const HEADER: usize = 4;
    const NESTED_AND_BYTE_ORDER: u16 = 0xc000;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & !NESTED_AND_BYTE_ORDER;
        let value = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The number of 16 bits at `offset`, in the host's byte order.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(u16::from_ne_bytes)
}

/// The number of 32 bits at `offset`, in the host's byte order.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array_at(bytes, offset).map(u32::from_ne_bytes)
}

/// The signed number of 32 bits at `offset`, in the host's byte order.
pub(crate) fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    array_at(bytes, offset).map(i32::from_ne_bytes)
}

/// The bytes up to the first zero, which the kernel puts behind a text.
pub(crate) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The address that these bytes are, of either family, in the network's byte order.
pub(crate) fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An attribute as the kernel writes it.
    pub(crate) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn attributes_are_read_one_after_the_other() {
        let bytes = [attribute(3, b"eth0\0"), attribute(0x8012, &[1, 2]), attribute(4, &[])].concat();
        let read: Vec<_> = attributes(&bytes).collect();
        assert_eq!(read, [(3, &b"eth0\0"[..]), (0x12, &[1, 2]), (4, &[])]);
    }

    #[test]
    fn what_is_cut_off_ends_the_walk() {
        for broken in [&[][..], &[0, 0, 0, 0], &[3, 0, 1, 0], &[255, 0, 1, 0, 65], &[8, 0]] {
            assert_eq!(attributes(broken).count(), 0, "{broken:?}");
        }
        let last_unpadded = [&attribute(1, &[7])[..5]].concat();
        assert_eq!(attributes(&last_unpadded).count(), 1);
    }
}
