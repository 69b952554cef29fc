//! HTTP over a Unix socket: as much of it as it takes to talk to the plugin as Docker does, and to Docker.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Sends one request on a connection of its own: the status and the body of the answer.
///
/// A server may answer before it has read all of a body it does not want, so a failed write is not the end.
pub(crate) fn request(socket: &str, head: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_write_timeout(Some(Duration::from_secs(60)))?;
    let head = format!("{head}\r\nHost: lab\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = Vec::new();
    let received = stream.read_to_end(&mut answer);
    let Some(parsed) = parse(&answer) else {
        sent?;
        received?;
        return Err(std::io::Error::other(format!("no HTTP answer: {}", String::from_utf8_lossy(&answer))));
    };
    Ok(parsed)
}

fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer[end + 4..].to_vec()))
}
