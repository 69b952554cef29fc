//! The attachments that GC is to leave alone.

use serde::{Deserialize, Deserializer};

use super::{Configuration, parse, wrong};
use crate::cni::call::Attachment;
use crate::cni::failure::Failure;

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "cni.dev/valid-attachments", default, deserialize_with = "named")]
    valid: Option<Vec<WireAttachment>>,
    /// What the first releases of libcni called it (containernetworking/cni issue 1101).
    #[serde(rename = "cni.dev/attachments", default, deserialize_with = "named")]
    early: Option<Vec<WireAttachment>>,
}

#[derive(Deserialize)]
struct WireAttachment {
    #[serde(rename = "containerID")]
    container: String,
    ifname: String,
}

/// A list that is there and may be null, as Go writes an empty one.
fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<WireAttachment>>, D::Error> {
    Ok(Some(Option::deserialize(from)?.unwrap_or_default()))
}

impl Configuration<'_> {
    /// The attachments that are valid. An empty list says that none is; without a list nothing is said.
    ///
    /// # Errors
    /// Code 7 where there is no list, or what is no attachment in it.
    pub(crate) fn valid_attachments(&self) -> Result<Vec<Attachment>, Failure> {
        const KEY: &str = "cni.dev/valid-attachments";
        let wire: Wire = self.part()?;
        let Some(valid) = wire.valid.or(wire.early) else { return Err(wrong(KEY, "it is missing, and GC needs it")) };
        let read = |wire: &WireAttachment| {
            Ok(Attachment { container: parse(KEY, &wire.container)?, interface: parse(KEY, &wire.ifname)? })
        };
        valid.iter().map(read).collect()
    }
}
