//! Is a node an instance of a class? `rdf:type`, then `rdfs:subClassOf` as far as it goes.

use std::collections::{HashMap, HashSet};

use oxrdf::{Graph, NamedNode, NamedNodeRef, TermRef};

use super::path::as_subject;
use crate::vocabulary::{rdf, rdfs};

/// Sub-class axioms known beside those of the data: a record's graph need not repeat the ontology.
#[derive(Debug, Default)]
pub(super) struct Classes {
    above: HashMap<String, Vec<NamedNode>>,
    below: HashMap<String, Vec<NamedNode>>,
}

impl Classes {
    /// Adds the sub-class axioms of a graph; those about blank nodes say nothing about a named class and are left out.
    pub(super) fn learn(&mut self, ontology: &Graph) {
        for axiom in ontology.triples_for_predicate(rdfs::SUB_CLASS_OF) {
            let (TermRef::NamedNode(sub), TermRef::NamedNode(class)) = (axiom.subject.into(), axiom.object)
            else {
                continue;
            };
            self.above.entry(sub.as_str().to_owned()).or_default().push(class.into_owned());
            self.below.entry(class.as_str().to_owned()).or_default().push(sub.into_owned());
        }
    }

    /// Whether `node` is an instance of `class`.
    pub(super) fn is_instance<'a>(
        &'a self,
        data: &'a Graph,
        node: TermRef<'a>,
        class: NamedNodeRef<'a>,
    ) -> bool {
        let Some(subject) = as_subject(node) else {
            return false;
        };
        let types: Vec<TermRef<'a>> = data.objects_for_subject_predicate(subject, rdf::TYPE).collect();
        let wanted = TermRef::from(class);
        types.contains(&wanted)
            || closure(types, |above| {
                let known = known(&self.above, above);
                let said = as_subject(above)
                    .into_iter()
                    .flat_map(|sub| data.objects_for_subject_predicate(sub, rdfs::SUB_CLASS_OF));
                known.chain(said).collect()
            })
            .contains(&wanted)
    }

    /// Every instance of `class`.
    pub(super) fn instances<'a>(&'a self, data: &'a Graph, class: NamedNodeRef<'a>) -> Vec<TermRef<'a>> {
        let classes = closure(vec![class.into()], |class| {
            let said = data.subjects_for_predicate_object(rdfs::SUB_CLASS_OF, class).map(TermRef::from);
            known(&self.below, class).chain(said).collect()
        });
        let instances =
            classes.into_iter().flat_map(|class| data.subjects_for_predicate_object(rdf::TYPE, class));
        instances.map(TermRef::from).collect()
    }
}

fn known<'a>(
    axioms: &'a HashMap<String, Vec<NamedNode>>,
    class: TermRef<'a>,
) -> impl Iterator<Item = TermRef<'a>> + use<'a> {
    let listed = match class {
        TermRef::NamedNode(class) => axioms.get(class.as_str()),
        _ => None,
    };
    listed.into_iter().flatten().map(|class| class.as_ref().into())
}

/// `found` and whatever follows from it, each once.
fn closure<'a>(
    mut found: Vec<TermRef<'a>>,
    follow: impl Fn(TermRef<'a>) -> Vec<TermRef<'a>>,
) -> Vec<TermRef<'a>> {
    let mut seen: HashSet<TermRef<'a>> = found.iter().copied().collect();
    let mut next = 0;
    while let Some(&class) = found.get(next) {
        found.extend(follow(class).into_iter().filter(|above| seen.insert(*above)));
        next += 1;
    }
    found
}
