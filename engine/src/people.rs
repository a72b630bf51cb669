//! Which names does the desk know? Those of people, and those of hosts, to be hidden where a policy asks for it.

use std::collections::BTreeSet;

use ontology::{Kind, Relation, Scope};

use crate::desk::{Desk, DeskError};

impl Desk {
    /// The names of the people whom the scope's records are about or came from.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn people(&self, scope: &Scope) -> Result<BTreeSet<String>, DeskError> {
        self.known_names(scope, &[Kind::Person], &[Relation::ReportedBy])
    }

    /// The names of the configuration items that the scope sees, and their full domain names, in lower case.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn hosts(&self, scope: &Scope) -> Result<BTreeSet<String>, DeskError> {
        self.known_names(scope, &[Kind::ConfigurationItem], &[])
    }

    fn known_names(
        &self,
        scope: &Scope,
        kinds: &[Kind],
        relations: &[Relation],
    ) -> Result<BTreeSet<String>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let mut names = BTreeSet::new();
        for revision in snapshot.table.glance(&visible) {
            if kinds.contains(&revision.kind) {
                names.insert(revision.title.to_string());
                let other = revision.names.iter().map(|key| snapshot.table.key_text(*key));
                names.extend(other.filter(|name| is_domain_name(name)).map(str::to_owned));
            }
            let links = revision.links.iter().filter(|link| relations.contains(&link.relation));
            // One word alone is a login or a place, and stands for much else in text.
            names.extend(links.map(|link| link.label.to_string()).filter(|label| label.contains(' ')));
        }
        Ok(names)
    }
}

/// `db-1.example.org`, and not an address, a serial number or an alias in words.
fn is_domain_name(name: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let top = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && name.split('.').all(is_label) && top.chars().any(char::is_alphabetic)
}
