//! What every plan holds, whatever the records say and the kernel shows.

use std::collections::{BTreeMap, BTreeSet};

use model::{Kind, Link, LinkIntent, Mark, Observed, Parent, Place, Presence, Shape, Step, converge};
use proptest::prelude::*;

use crate::case::{Case, Spot, case};
use crate::kernel::Kernel;

/// Every link by where it is.
fn by_spot(links: &Observed) -> BTreeMap<Spot, Link> {
    links.all().map(|(place, link)| ((place, link.index), link.clone())).collect()
}

/// What the port's parent is called on the host, and whether it is there.
fn parent_link<'o>(case: &Case, links: &'o Observed) -> Option<&'o Link> {
    links.host_link(case.parent().name())
}

fn slaves_on<'o>(parent: &Link, links: &'o Observed) -> impl Iterator<Item = (Place, &'o Link)> {
    let parent = parent.index;
    links.all().filter(move |(_, link)| matches!(link.kind, Kind::Slave(_)) && link.on == Some(parent))
}

/// Plans, and takes the steps. `None` where the kernel refused one: the engine reports that and leaves the rest.
fn settled(case: &Case) -> Option<(Vec<Step>, Kernel)> {
    let mut kernel = case.kernel.clone();
    let steps = converge(&case.intents(), &kernel.links);
    kernel.take(&steps).ok().map(|()| (steps, kernel))
}

/// Whether the port shows other settings than its networks need, so that nothing is made on it.
fn port_disagrees(case: &Case) -> bool {
    let shown = parent_link(case, &case.kernel.links)
        .is_some_and(|parent| slaves_on(parent, &case.kernel.links).next().is_some());
    let wants = |shape: &Shape| matches!(shape, Shape::Slave { settings, .. } if *settings != case.shown);
    shown && case.intents().iter().any(|intent| intent.presence == Presence::Present && wants(&intent.shape))
}

/// The links on the host's link of that index that are not ours.
fn strangers_on(case: &Case, index: u32) -> bool {
    case.kernel.links.all().any(|(place, link)| link.on == Some(index) && case.foreign.contains(&(place, link.index)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_a_plan_there_is_nothing_left_to_do(case in case()) {
        let Some((_, mut kernel)) = settled(&case) else { return Ok(()) };
        let mut again = converge(&case.intents(), &kernel.links);
        if port_disagrees(&case) {
            // Slaves that the first plan removed may have held the port in the other mode. The next look sees it
            // free; a plan that counted on it would flip the slaves of a removal that failed.
            if kernel.take(&again).is_err() {
                return Ok(());
            }
            again = converge(&case.intents(), &kernel.links);
        }
        prop_assert_eq!(again, vec![]);
    }

    #[test]
    fn what_should_be_is_there_and_what_should_not_is_gone(case in case()) {
        let Some((_, kernel)) = settled(&case) else { return Ok(()) };
        let before = &case.kernel.links;
        for intent in case.intents() {
            let found = intent.find(&kernel.links);
            match (intent.presence, &intent.mark) {
                (Presence::Absent, Mark::Parent(_)) => {
                    for (_, link) in found {
                        prop_assert!(strangers_on(&case, link.index), "{:?} carries nobody else's links", link.name);
                    }
                }
                (Presence::Kept, _) => {
                    let kept = |links: &Observed| intent.find(links).into_iter().map(|(at, link)| (at, link.index)).collect::<Vec<_>>();
                    prop_assert_eq!(kept(before), kept(&kernel.links));
                }
                (Presence::Absent, _) => prop_assert_eq!(found, vec![]),
                (Presence::Present, Mark::Parent(name)) => {
                    let below = match case.networks.iter().map(|network| &network.parent).find(|p| !matches!(p, Parent::Link(_))) {
                        Some(Parent::Vlan { on, .. }) => before.host_link(on).is_some(),
                        _ => true,
                    };
                    let taken = before.host_link(name).is_some_and(|link| case.foreign.contains(&(Place::Host, link.index)));
                    if !taken && below {
                        let whole = found.iter().find(|(_, link)| link.name == *name && link.up);
                        prop_assert!(whole.is_some_and(|(_, link)| link.alias == Some(intent.mark.to_string())), "{:?}", found);
                    }
                }
                (Presence::Present, mark) => {
                    let there = !intent.find(before).is_empty();
                    let parent = parent_link(&case, &kernel.links);
                    let name_taken = !there && before.host_link(&mark.birth_name()).is_some();
                    let home = intent.sandbox.as_ref().is_some_and(|key| before.sandboxes.contains_key(key));
                    let possible = there
                        || parent.is_some() && !port_disagrees(&case) && !name_taken && (intent.set_up.is_none() || home);
                    prop_assert_eq!(!found.is_empty(), possible, "{}", mark);
                    if let (Shape::Slave { settings, .. }, false, Some((place, link))) = (&intent.shape, there, found.first()) {
                        let (home, called) = match (&intent.set_up, &intent.sandbox) {
                            (Some(set_up), Some(key)) => (Place::Sandbox(key.clone()), set_up.name.clone()),
                            _ => (Place::Host, mark.birth_name()),
                        };
                        prop_assert_eq!((place, &link.name, &link.kind), (&home, &called, &Kind::Slave(*settings)));
                        prop_assert_eq!(link.alias.clone(), Some(mark.to_string()));
                    }
                    // In its sandbox it is whole if it is ours to set up, and else as the engine left it or will make it.
                    for (place, link) in &found {
                        let at_home = matches!((place, &intent.sandbox), (Place::Sandbox(at), Some(key)) if at == key);
                        if !there {
                            prop_assert_eq!(link.up, intent.set_up.is_some());
                        }
                        if intent.set_up.is_some() && at_home {
                            prop_assert!(link.up && intent.addresses.iter().all(|held| link.addresses.contains(&held)));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn links_of_others_are_left_as_they_are(case in case(), refused in any::<u32>()) {
        let before = by_spot(&case.kernel.links);
        let mut kernel = case.kernel.clone();
        take_some(&mut kernel, &converge(&case.intents(), &case.kernel.links), refused);
        let after = by_spot(&kernel.links);
        for spot in &case.foreign {
            prop_assert_eq!(before.get(spot), after.get(spot));
        }
    }

    #[test]
    fn only_what_is_ours_and_should_go_or_move_leaves_its_place(case in case()) {
        let moves = |intent: &&LinkIntent| intent.presence == Presence::Absent || intent.set_up.is_some();
        let may_go: BTreeSet<Spot> = case.intents().iter().filter(moves)
            .flat_map(|intent| intent.find(&case.kernel.links).into_iter()
                .filter(|(place, _)| intent.presence == Presence::Absent || *place == Place::Host))
            .map(|(place, link)| (place, link.index)).collect();
        let mut kernel = case.kernel.clone();
        take_some(&mut kernel, &converge(&case.intents(), &case.kernel.links), 0);
        let after = by_spot(&kernel.links);
        for spot in by_spot(&case.kernel.links).keys().filter(|spot| !after.contains_key(spot)) {
            prop_assert!(may_go.contains(spot) && !case.foreign.contains(spot), "{:?}", spot);
        }
    }

    #[test]
    fn no_slave_changes_its_mode_or_flag_whichever_steps_fail(case in case(), refused in any::<u32>()) {
        let before = by_spot(&case.kernel.links);
        let mut kernel = case.kernel.clone();
        take_some(&mut kernel, &converge(&case.intents(), &case.kernel.links), refused);
        for (spot, link) in by_spot(&kernel.links) {
            if let Some(earlier) = before.get(&spot) {
                prop_assert_eq!(&earlier.kind, &link.kind, "{:?}", spot);
            }
        }
    }
}

/// Takes all steps but those whose bit is set, and goes on after a refusal, as repair does.
fn take_some(kernel: &mut Kernel, steps: &[Step], refused: u32) {
    for (number, step) in steps.iter().enumerate() {
        if refused.checked_shr(u32::try_from(number).unwrap()).unwrap_or(0) & 1 == 0 {
            let _ = kernel.apply(step);
        }
    }
}
