//! The plugin is killed in the middle: whoever comes next finds everything.

use serde_json::json;

use super::{addresses, give_up_claims, lan, ledger, network};
use crate::world::{
    Answer, Attachment, Namespace, Runtime, Scene, Standpoint, held_addresses, links_named, recorded_networks, run,
};

/// Calls the plugin again and again, each time to be killed one change later, and does after each death what is said; until it
/// lives to answer.
#[track_caller]
fn dies_after_each_step(mut call: impl FnMut(u32) -> Answer, mut after: impl FnMut(u32)) {
    let lived = (1..).find(|step| match call(*step) {
        Answer::Died => {
            after(*step);
            false
        }
        Answer::Done(_) => true,
        Answer::Refused(refusal) => panic!("to be killed after step {step}, it said {refusal:?}"),
    });
    assert!(lived.is_some_and(|steps| steps > 3), "that many steps there are at least");
}

/// The addresses that somebody has. What was dealt to one that died before it was on record is nobody's, for a minute.
fn owned_addresses() -> Vec<String> {
    let mut held = held_addresses();
    held.retain(|held| !held.ends_with(" claim"));
    held
}

/// Asserts that nothing is left that somebody has, and that a repair finds nothing either, after `step`.
#[track_caller]
fn is_as_new(sandbox: Namespace<'_>, step: u32) {
    assert_eq!(sandbox.interfaces(), ["lo"], "after step {step}");
    assert_eq!((owned_addresses(), recorded_networks()), (vec![], vec![]), "after step {step}");
    assert_eq!(links_named("ipl"), [""; 0], "after step {step}");
    assert_eq!(run("ipvland repair --dry-run"), "nothing to repair", "after step {step}");
}

#[test]
fn an_addition_that_was_cut_off_is_removed() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let attachment = Attachment::of("c1", one);
    let remove = |step| {
        attachment.call("DEL", &lan()).done();
        assert_eq!(one.interfaces(), ["lo"], "after step {step}");
        assert_eq!(owned_addresses().iter().filter(|held| held.ends_with(" endpoint")).count(), 0, "after step {step}");
        // A network that was made for it and that nobody was ever on.
        run("ipvland repair");
        is_as_new(one, step);
    };
    dies_after_each_step(|step| attachment.clone().dying_after(step).call("ADD", &lan()), remove);
    remove(0);
    give_up_claims();
}

#[test]
fn an_addition_that_was_cut_off_is_made_when_it_is_asked_for_again() {
    let scene = Scene::begin();
    let one = scene.namespace("one");
    let attachment = Attachment::of("c1", one);
    let add_again = |step| {
        let result = attachment.call("ADD", &lan()).done();
        assert_eq!(one.interface("eth0").addresses, addresses(&result), "after step {step}");
        assert_eq!(owned_addresses().len(), 2, "after step {step}: {:?}", owned_addresses());
        attachment.call("DEL", &lan()).done();
        is_as_new(one, step);
    };
    dies_after_each_step(|step| attachment.clone().dying_after(step).call("ADD", &lan()), add_again);
    add_again(0);
    give_up_claims();
}

#[test]
fn an_addition_that_was_cut_off_and_forgotten_is_repaired_away() {
    let scene = Scene::begin();
    let forget = |step| {
        run("ip netns delete one");
        run("ipvland repair");
        let one = scene.namespace("one");
        is_as_new(one, step);
    };
    let one = scene.namespace("one");
    dies_after_each_step(|step| Attachment::of("c1", one).dying_after(step).call("ADD", &lan()), forget);
    forget(0);
    give_up_claims();
}

#[test]
fn a_removal_that_was_cut_off_is_finished_by_the_next() {
    let scene = Scene::begin();
    let (runtime, one) = (Runtime::default(), scene.namespace("one"));
    let attachment = Attachment::of("c1", one);
    let finish = |step| {
        runtime.del(&attachment);
        run("ipvland repair");
        is_as_new(one, step);
    };
    let removal = |step| {
        runtime.add(&attachment, &lan());
        attachment.clone().dying_after(step).call("DEL", &lan())
    };
    dies_after_each_step(removal, finish);
    finish(0);
}

#[test]
fn a_removal_that_was_cut_off_holds_no_mode_against_the_next() {
    let scene = Scene::begin();
    let (runtime, one, two) = (Runtime::default(), scene.namespace("one"), scene.namespace("two"));
    let (first, second) = (Attachment::of("c1", one), Attachment::of("c2", two));
    let ranges = json!([[{ "subnet": "192.168.214.0/24" }]]);
    let routed = network("routed", &json!({ "master": "eth0", "mode": "l3", "ipam": ledger(&ranges) }));
    let other_mode = |step| {
        runtime.add(&second, &routed);
        two.interface("eth0").is_slave_on("eth0", "l3/bridge");
        runtime.del(&second);
        runtime.del(&first);
        is_as_new(one, step);
    };
    let removal = |step| {
        runtime.add(&first, &lan());
        first.clone().dying_after(step).call("DEL", &lan())
    };
    dies_after_each_step(removal, other_mode);
    other_mode(0);
}
