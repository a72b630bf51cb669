//! Is there anything of the name that a filter gives? A misspelt name admits nothing, and the answer has to say why.

use engine::{Desk, DeskError, Filters};
use ontology::Scope;

/// A warning for each name of a filter that nothing is called by, as far as the scope sees.
pub(crate) fn unknown_names(desk: &Desk, scope: &Scope, filters: &Filters) -> Result<Vec<String>, DeskError> {
    let named =
        [("service", &filters.service), ("configuration item", &filters.configuration_item)].into_iter();
    let mut warnings = Vec::new();
    for (what, name) in named.filter_map(|(what, name)| Some((what, name.as_ref()?))) {
        if desk.find(scope, name)?.is_empty() {
            warnings.push(format!("no {what} is called {name:?}: look for its name with `triagraph search`"));
        }
    }
    Ok(warnings)
}
