//! What the model decides, without a kernel: which steps it plans, that plans hold what they promise on a simulated
//! kernel, and that no text makes a parser panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod case;
mod kernel;
mod parsers;
mod plans;
mod scene;
mod steps;
mod texts;
