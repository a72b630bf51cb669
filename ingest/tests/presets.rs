//! What does each preset make of its system's files? Snapshots of small made-up exports.

#![expect(clippy::unwrap_used, reason = "tests")]

use ingest::{Item, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Everything that comes out of a folder of fixtures, in order, without what is the same everywhere.
fn read(folder: &str) -> Value {
    let request = Request {
        paths: vec![format!("tests/fixtures/{folder}").into()],
        source: None,
        mapping: None,
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    };
    let items = ingest::open(&request).unwrap().map(|item| match item {
        Item::Observation(observation) => {
            let lineage = &observation.lineage;
            let place = lineage.place.map(|place| place.to_string());
            json!({"record": observation.record, "from": [lineage.origin, place, lineage.mapping]})
        }
        Item::Rejected(rejected) => {
            let place = rejected.lineage.place.map(|place| place.to_string());
            json!({"rejected": rejected.reason, "from": [rejected.lineage.origin, place]})
        }
        Item::Skipped(skipped) => {
            let place = skipped.place.map(|place| place.to_string());
            json!({"skipped": skipped.reason, "from": [skipped.origin, place]})
        }
        Item::Quads(block) => {
            let quads: Vec<String> = block.quads.iter().map(ToString::to_string).collect();
            json!({"quads": quads, "source": block.source})
        }
    });
    items.collect()
}

macro_rules! presets {
    ($($name:ident: $folder:literal,)*) => {
        $(
            #[test]
            fn $name() {
                // Whether maps keep their order is up to what else is built along.
                insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(read($folder)) });
            }
        )*
    };
}

presets! {
    servicenow: "servicenow",
    jira: "jira",
    zendesk: "zendesk",
    request_tracker: "request-tracker",
    github: "github",
    netbox: "netbox",
    backstage: "backstage",
    prometheus: "prometheus",
    generic: "generic",
    markdown: "markdown",
    beir: "beir",
    rdf: "rdf",
}
