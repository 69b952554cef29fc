//! What the benchmarks have in common.

use std::fmt;
use std::time::Duration;

/// The middle of many times, and between what half of them are; in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Spread {
    /// Of these times, of which there is one at least.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |quarter: usize| times[(times.len() - 1) * quarter / 4].as_secs_f64() * 1e6;
        Self { lower: at(1), median: at(2), upper: at(3) }
    }

    /// How much more the middle is than that of another.
    pub fn ratio(self, to: Self) -> f64 {
        self.median / to.median
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.1} ({:.1} to {:.1})", self.median, self.lower, self.upper))
    }
}
