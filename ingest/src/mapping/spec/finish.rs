//! Is a mapping whole? What is common goes into each `[[record]]`, and what the types cannot check is checked.

use std::collections::BTreeSet;

use ontology::{Kind, Relation};

use super::{FOLDER, RecordSpec, SectionSpec, Spec};
use crate::mapping::pick::Pick;

impl RecordSpec {
    /// The paths of which at least one must be in an item: those of title and text, of a thing's names too.
    pub(in crate::mapping) fn telling_paths(&self) -> Vec<&str> {
        let of_sections = self.section.iter().flat_map(|section| match &section.each {
            Some(path) => vec![path.as_str()],
            None => section.from.paths().collect(),
        });
        let is_text = self.kind.is_some_and(|kind| kind.is_ticket() || kind.is_knowledge());
        let of_names = self.names.paths().chain(self.subject.paths()).chain(self.subject_by_id.paths());
        self.title.paths().chain(of_sections).chain(of_names.filter(|_| !is_text)).collect()
    }
}

impl Spec {
    /// Gives every record what is common, and checks what the types cannot.
    pub(in crate::mapping) fn finish(&mut self) -> Result<(), String> {
        if self.record.is_empty() {
            return Err("there is no [[record]]: say what records are made of".to_owned());
        }
        if let Some(source) = self.source.as_deref().filter(|source| *source != FOLDER) {
            ontology::SourceId::new(source).map_err(|error| error.to_string())?;
        }
        let common = self.common.take().unwrap_or_default();
        common.check_as_common()?;
        common.check_links()?;
        for (number, record) in self.record.iter_mut().enumerate() {
            record.inherit(&common);
            record.taken = record.paths();
            record.check_links()?;
            let Some(kind) = record.kind else {
                return Err(format!("[[record]] number {} has no kind", number + 1));
            };
            let has_subject = !record.subject.is_empty() || !record.subject_by_id.is_empty();
            if (kind == Kind::Relationship) != has_subject {
                let number = number + 1;
                return Err(format!("[[record]] number {number}: kind relationship and subject go together"));
            }
        }
        let of_records = self.record.iter().flat_map(|record| {
            let of_sections = record.section.iter().filter(|section| section.each.is_none());
            let of_sections = of_sections.flat_map(SectionSpec::paths);
            record.taken.iter().map(String::as_str).chain(of_sections)
        });
        let of_skips = self.skip.iter().flat_map(|skip| skip.when.paths());
        let around = of_records.chain(of_skips).filter(|path| path.starts_with("$up"));
        self.around = around.map(str::to_owned).collect();
        Ok(())
    }
}

impl SectionSpec {
    pub(in crate::mapping) fn paths(&self) -> impl Iterator<Item = &str> {
        let picks = [&self.from, &self.author, &self.written];
        picks.into_iter().flat_map(Pick::paths).chain(self.when.paths())
    }
}

impl RecordSpec {
    fn check_as_common(&self) -> Result<(), String> {
        let own = [
            ("when", self.when.paths().next().is_some()),
            ("subject", self.subject.is_given()),
            ("subject_by_id", self.subject_by_id.is_given()),
        ];
        match own.into_iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => Err(format!("[common] has no `{key}`: say it in each [[record]]")),
            None => Ok(()),
        }
    }

    fn check_links(&self) -> Result<(), String> {
        let mut relations = self.links.keys().chain(self.links_by_id.keys());
        match relations.find(|relation| **relation == Relation::Mentions) {
            Some(_) => {
                Err("`mentions` is no link of a source: it is found in texts; take related_to".to_owned())
            }
            None => Ok(()),
        }
    }

    fn inherit(&mut self, common: &Self) {
        let is_relationship = self.kind == Some(Kind::Relationship);
        let own_names = std::mem::take(&mut self.names);
        let own = [
            &mut self.id,
            &mut self.title,
            &mut self.state,
            &mut self.priority,
            &mut self.impact,
            &mut self.urgency,
            &mut self.category,
            &mut self.created,
            &mut self.modified,
            &mut self.resolved,
            &mut self.valid_until,
            &mut self.valid_from,
            &mut self.audience,
            &mut self.url,
            &mut self.revision,
        ];
        let theirs = [
            &common.id,
            &common.title,
            &common.state,
            &common.priority,
            &common.impact,
            &common.urgency,
            &common.category,
            &common.created,
            &common.modified,
            &common.resolved,
            &common.valid_until,
            &common.valid_from,
            &common.audience,
            &common.url,
            &common.revision,
        ];
        for (own, common) in own.into_iter().zip(theirs) {
            if !own.is_given() {
                own.clone_from(common);
            }
        }
        self.names = if own_names.is_given() || is_relationship { own_names } else { common.names.clone() };
        if is_relationship {
            return;
        }
        for (relation, pick) in &common.links {
            self.links.entry(*relation).or_insert_with(|| pick.clone());
        }
        for (relation, pick) in &common.links_by_id {
            self.links_by_id.entry(*relation).or_insert_with(|| pick.clone());
        }
        for (name, pick) in &common.attributes {
            self.attributes.entry(name.clone()).or_insert_with(|| pick.clone());
        }
        if self.section.is_empty() {
            self.section.clone_from(&common.section);
        }
        self.kind = self.kind.or(common.kind);
        self.valid_days = self.valid_days.or(common.valid_days);
        self.keep_rest = self.keep_rest.or(common.keep_rest);
        self.repeats = self.repeats.or(common.repeats);
    }

    fn picks(&self) -> impl Iterator<Item = &Pick> {
        [
            &self.id,
            &self.title,
            &self.names,
            &self.subject,
            &self.subject_by_id,
            &self.state,
            &self.priority,
            &self.impact,
            &self.urgency,
            &self.category,
            &self.created,
            &self.modified,
            &self.resolved,
            &self.valid_until,
            &self.valid_from,
            &self.audience,
            &self.url,
            &self.revision,
        ]
        .into_iter()
        .chain(self.links.values())
        .chain(self.links_by_id.values())
        .chain(self.attributes.values())
    }

    /// The paths that it reads, without the places of elements in lists.
    fn paths(&self) -> BTreeSet<String> {
        let mut paths: BTreeSet<String> = self.picks().flat_map(Pick::paths).map(str::to_owned).collect();
        paths.extend(self.when.paths().map(str::to_owned));
        for section in &self.section {
            match &section.each {
                Some(each) => drop(paths.insert(each.clone())),
                None => paths.extend(section.from.paths().map(str::to_owned)),
            }
        }
        paths.iter().map(|path| without_places(path)).collect()
    }
}

/// A path without the numbers that take one element of a list.
fn without_places(path: &str) -> String {
    path.split('.').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join(".")
}
