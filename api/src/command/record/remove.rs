//! `record delete` and `record purge`: how do records leave the desk?

use anyhow::ensure;
use engine::Desk;
use jiff::Timestamp;
use ontology::{RecordId, Scope};

use crate::cli::Outcome;
use crate::command::subject::named;
use crate::output::{self, ID, paint};
use crate::settings::Global;

/// Takes records out; their source may give them again.
pub(super) fn delete(
    global: &Global,
    desk: &Desk,
    scope: &Scope,
    names: &[String],
) -> anyhow::Result<Outcome> {
    let ids = names.iter().map(|name| named(desk, scope, name)).collect::<Result<Vec<_>, _>>()?;
    let now = Timestamp::now();
    for id in &ids {
        desk.delete(id, now)?;
        if !global.json {
            output::line(format!("deleted {}", paint(ID, id)));
        }
    }
    if global.json {
        output::json(&serde_json::json!({ "deleted": ids, "generation": desk.generation() }))?;
    }
    Ok(Outcome::Fine)
}

/// Erases records; all names are looked up before the first is erased.
pub(super) fn purge(
    global: &Global,
    desk: &Desk,
    scope: &Scope,
    names: &[String],
    yes: bool,
) -> anyhow::Result<Outcome> {
    let deleted_before = |name: &str| RecordId::new(name).ok().filter(|_| global.audience.is_empty());
    let id = |name: &String| named(desk, scope, name).or_else(|error| deleted_before(name).ok_or(error));
    let ids = names.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let listed = ids.iter().map(RecordId::as_str).collect::<Vec<_>>().join(", ");
    ensure!(yes, "this erases {listed} for good, every revision: say so with --yes");
    for id in &ids {
        ensure!(desk.purge(id, Timestamp::now())?, "there never was a record {id}: nothing of it is erased");
        if !global.json {
            output::line(format!("purged {}; earlier backups still hold it", paint(ID, id)));
        }
    }
    if global.json {
        output::json(&serde_json::json!({ "purged": ids, "generation": desk.generation() }))?;
    }
    Ok(Outcome::Fine)
}
