//! The configurations that `docs/cni.md` shows, for people to copy.

use serde_json::{Value, json};

use super::{read, with};
use crate::cni::wire::{Dealer, Role};

/// Every JSON object of the documentation that has a name, those in YAML among them.
fn documented() -> Vec<Value> {
    let page = include_str!("../../../../../../docs/cni.md");
    let lines: Vec<&str> = page.lines().collect();
    let object = |from: usize| {
        let indent = lines[from].len() - 1;
        let length = lines[from..].iter().position(|line| line.len() == indent + 1 && line.ends_with('}'))?;
        serde_json::from_str(&lines[from..=from + length].join("\n")).ok()
    };
    let begins = |line: &str| line.trim() == "{" && line.trim_start().len() == 1;
    let objects = (0..lines.len()).filter(|at| begins(lines[*at])).filter_map(object);
    objects.filter(|object: &Value| object["name"].is_string()).collect()
}

#[test]
fn the_documented_configurations_are_read() {
    let documented = documented();
    assert_eq!(documented.len(), 3, "{documented:?}");
    for object in documented {
        let plugins = object["plugins"].as_array().cloned().unwrap_or_else(|| vec![object.clone()]);
        for plugin in plugins {
            // A runtime puts these of the list into each plugin's configuration.
            let keys = json!({ "cniVersion": object["cniVersion"], "name": object["name"] });
            let text = with(&plugin.to_string(), &keys);
            let configuration = read(&text).unwrap();
            assert_eq!(configuration.dealer, Dealer::Ledger, "{text}");
            assert!(!configuration.ledger(None).unwrap().sets.is_empty(), "{text}");
            assert!(configuration.role == Role::Ipam || configuration.link().unwrap().options.parent.is_some());
        }
    }
}
