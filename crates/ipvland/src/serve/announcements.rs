//! Announcements in the background: a call must be answered while they still go on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use engine::Announced;
use model::EndpointId;

use crate::sentence;
use crate::standby::{Attached, Standby};

/// How long an engine may take to set up a slave that it was handed, where it does not say when it is done.
const GRACE: Duration = Duration::from_secs(2);
/// How often a slave that is not up yet is looked at in vain.
const PATIENCE: u8 = 10;

/// Announces the addresses of endpoints that were attached, for as long as the process lives. What is due when it ends
/// is lost: the neighbours then learn the address as they would without announcements.
pub(super) fn begin(standby: Arc<Standby>, attached: Receiver<Attached>) -> io::Result<()> {
    let announcing = move || {
        let mut schedule = Schedule::default();
        while let Some(news) = next(&attached, &schedule) {
            schedule.note(news, Instant::now());
            for endpoint in schedule.due(Instant::now()) {
                let outcome = catch_unwind(AssertUnwindSafe(|| announce(&standby, &endpoint)));
                schedule.done(&endpoint, outcome.unwrap_or(Announced::Over), Instant::now());
            }
        }
    };
    thread::Builder::new().name("announce".into()).spawn(announcing)?;
    Ok(())
}

/// Waits for news or until something is due. `None` when there will be no more news.
fn next(attached: &Receiver<Attached>, schedule: &Schedule) -> Option<Option<Attached>> {
    let Some(due) = schedule.next() else { return attached.recv().ok().map(Some) };
    match attached.recv_timeout(due.saturating_duration_since(Instant::now())) {
        Ok(news) => Some(Some(news)),
        Err(RecvTimeoutError::Timeout) => Some(None),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn announce(standby: &Standby, endpoint: &EndpointId) -> Announced {
    let _span = tracing::error_span!("announce", endpoint = endpoint.short()).entered();
    let outcome = standby.engine().and_then(|engine| engine.announce(endpoint));
    match &outcome {
        Ok(announced) => tracing::debug!(?announced, "addresses"),
        Err(error) => tracing::warn!("not possible: {}", sentence::in_full(error)),
    }
    outcome.unwrap_or(Announced::NotYet)
}

/// What is to be announced, and when.
#[derive(Default)]
struct Schedule(Vec<Pending>);

struct Pending {
    endpoint: EndpointId,
    interval: Duration,
    left: u8,
    patience: u8,
    next: Instant,
}

impl Schedule {
    fn note(&mut self, news: Option<Attached>, now: Instant) {
        match news {
            None => {}
            Some(Attached::Handed(endpoint, announcements)) => {
                self.0.retain(|pending| pending.endpoint != endpoint);
                self.0.push(Pending {
                    endpoint,
                    interval: Duration::from_millis(announcements.interval_ms().into()),
                    left: announcements.count(),
                    patience: PATIENCE,
                    next: now + GRACE,
                });
            }
            Some(Attached::SetUp(endpoint)) => {
                let pending = self.0.iter_mut().find(|pending| pending.endpoint == endpoint);
                if let Some(pending) = pending {
                    pending.next = pending.next.min(now);
                }
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        self.0.iter().map(|pending| pending.next).min()
    }

    fn due(&self, now: Instant) -> Vec<EndpointId> {
        let due = self.0.iter().filter(|pending| pending.next <= now);
        due.map(|pending| pending.endpoint.clone()).collect()
    }

    fn done(&mut self, endpoint: &EndpointId, announced: Announced, now: Instant) {
        let Some(at) = self.0.iter().position(|pending| pending.endpoint == *endpoint) else { return };
        let pending = &mut self.0[at];
        let budget = match announced {
            Announced::Sent => &mut pending.left,
            Announced::NotYet => &mut pending.patience,
            Announced::Over => &mut 0,
        };
        *budget = budget.saturating_sub(1);
        if *budget == 0 {
            self.0.swap_remove(at);
        } else {
            pending.next = now + pending.interval;
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Announcements;

    use super::*;

    /// The times, in ms after the Join, at which an endpoint is announced that becomes ready after `ready` ms and whose
    /// engine says so after `told` ms.
    fn times(announcements: Announcements, told: Option<u64>, ready: u64) -> Vec<u64> {
        let (start, one) = (Instant::now(), "one".parse::<EndpointId>().unwrap());
        let mut schedule = Schedule::default();
        schedule.note(Some(Attached::Handed(one.clone(), announcements)), start);
        let mut sent = Vec::new();
        for ms in 0..60_000 {
            let now = start + Duration::from_millis(ms);
            if told == Some(ms) {
                schedule.note(Some(Attached::SetUp(one.clone())), now);
            }
            for endpoint in schedule.due(now) {
                let outcome = if ms < ready { Announced::NotYet } else { Announced::Sent };
                if outcome == Announced::Sent {
                    sent.push(ms);
                }
                schedule.done(&endpoint, outcome, now);
            }
        }
        assert_eq!(schedule.next(), None, "it comes to an end");
        sent
    }

    #[test]
    fn as_often_and_as_far_apart_as_asked_for_from_when_the_engine_is_done() {
        let quick = Announcements::new(2, 100).unwrap();
        assert_eq!(times(Announcements::default(), Some(300), 0), [300, 1300, 2300]);
        assert_eq!(times(quick, Some(300), 0), [300, 400]);
    }

    #[test]
    fn without_word_from_the_engine_after_a_while_and_only_what_is_there() {
        assert_eq!(times(Announcements::default(), None, 0), [2000, 3000, 4000]);
        assert_eq!(times(Announcements::default(), Some(0), 2500), [3000, 4000, 5000]);
        assert_eq!(times(Announcements::default(), Some(0), 50_000), [0; 0]);
    }

    #[test]
    fn what_is_gone_is_not_looked_at_again() {
        let (now, one) = (Instant::now(), "one".parse::<EndpointId>().unwrap());
        let mut schedule = Schedule::default();
        schedule.note(Some(Attached::Handed(one.clone(), Announcements::default())), now);
        schedule.done(&one, Announced::Over, now);
        assert_eq!(schedule.next(), None);
    }
}
