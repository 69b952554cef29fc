//! The texts that environment and configuration have in common.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads what the specification allows for the name of a network and the id of a container (section 1 and section 2,
/// "Parameters").
pub(super) fn word(text: &str, what: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let shown = cut(text);
    Err(format!("`{shown}` is no {what}: a letter or a digit was expected, and behind it these, `_`, `.` and `-`"))
}

/// An address that is asked for, with or without the length of its subnet's prefix: the pool knows that.
pub(super) fn asked_address(text: &str) -> Result<IpAddr, String> {
    let address = text.parse::<IpAddr>().ok().or_else(|| text.parse::<IpNet>().ok().map(|net| net.addr()));
    let address = address.map(|address| address.to_canonical());
    address.ok_or_else(|| format!("`{}` was given and ADDRESS or ADDRESS/LENGTH was expected", cut(text)))
}

/// As much of a text as an error shows.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
