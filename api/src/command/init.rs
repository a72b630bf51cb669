//! `init`: an empty desk, made on purpose.

use crate::cli::Outcome;
use crate::output;
use crate::settings::Global;

/// Makes the desk's folder; one that is there already is left as it is.
pub(crate) fn init(global: &Global) -> anyhow::Result<Outcome> {
    let desk = global.open_or_create()?;
    if desk.embedder().is_none() {
        output::note(format!("{}: retrieval is by words only until then", global.why_no_embedder()));
    }
    if global.json {
        output::json(&serde_json::json!({
            "tenant": desk.tenant(), "data": global.data, "embedder": desk.embedder().map(|one| one.id().as_str()),
        }))?;
        return Ok(Outcome::Fine);
    }
    output::line(format!("the desk of tenant {} is in {}", desk.tenant(), global.data.display()));
    Ok(Outcome::Fine)
}
