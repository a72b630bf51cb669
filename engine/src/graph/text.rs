//! Which triples hold a record's texts? Sections, steps and passages, made for exports only.
//!
//! The store never holds them: a literal stays in its dictionary after the last triple with it is gone.

use ontology::vocabulary::{dcterms, foaf, oa, prov, rdf, schema, tg};
use ontology::{Record, Span};
use oxigraph::model::{Literal, NamedNode, NamedNodeRef, Term, Triple};

use super::names::record_graph;
use super::render::{text, time};

/// The record's sections and steps, and its passages, each given as (index of the section, span in its text).
///
/// Passages say where they stand as Web Annotation does, in Unicode code points. A passage whose section or span does not
/// exist is left out.
pub(crate) fn text_triples(record: &Record, passages: &[(usize, Span)]) -> Vec<Triple> {
    let mut out = Vec::new();
    let subject = record_graph(&record.id);
    for (order, section) in record.sections.iter().enumerate() {
        let iri = part(&subject, &format!("section={order}"));
        let mut say = |property: NamedNodeRef<'_>, object: Term| {
            out.push(Triple::new(iri.clone(), property, object));
        };
        say(rdf::TYPE, tg::SECTION.into());
        say(tg::SECTION_KIND, text(section.kind.as_str()).into());
        say(tg::SECTION_ORDER, number(order));
        say(schema::TEXT, text(&section.text).into());
        if !section.heading.is_empty() {
            say(dcterms::TITLE, text(&section.heading).into());
        }
        if let Some(written) = section.written {
            say(dcterms::CREATED, time(written).into());
        }
        if let Some(author) = &section.author {
            let person = part(&subject, &format!("section={order}&author"));
            say(prov::WAS_ATTRIBUTED_TO, person.clone().into());
            out.push(Triple::new(person, foaf::NAME, text(author)));
        }
        for (place, step) in section.steps.iter().enumerate() {
            let Some(words) = step.of(&section.text) else { continue };
            let step = part(&subject, &format!("section={order}&step={place}"));
            out.push(Triple::new(iri.clone(), tg::HAS_STEP, step.clone()));
            out.push(Triple::new(step.clone(), rdf::TYPE, tg::STEP));
            out.push(Triple::new(step.clone(), tg::STEP_ORDER, number(place)));
            out.push(Triple::new(step, schema::TEXT, text(words)));
        }
        out.push(Triple::new(subject.clone(), tg::HAS_SECTION, iri));
    }
    for (section, span) in passages {
        passage(&mut out, record, *section, *span);
    }
    out
}

fn passage(out: &mut Vec<Triple>, record: &Record, order: usize, span: Span) {
    let Some(section) = record.sections.get(order) else { return };
    let Some(words) = span.of(&section.text) else { return };
    let start = section.text[..span.start as usize].chars().count();
    let end = start + words.chars().count();
    let subject = record_graph(&record.id);
    let source = part(&subject, &format!("section={order}"));
    let iri = part(&subject, &format!("section={order}&char={start},{end}"));
    let selector = part(&subject, &format!("section={order}&char={start},{end}&selector"));
    out.push(Triple::new(source.clone(), tg::HAS_PASSAGE, iri.clone()));
    out.push(Triple::new(iri.clone(), rdf::TYPE, tg::PASSAGE));
    out.push(Triple::new(iri.clone(), oa::HAS_SOURCE, source));
    out.push(Triple::new(iri, oa::HAS_SELECTOR, selector.clone()));
    out.push(Triple::new(selector.clone(), rdf::TYPE, oa::TEXT_POSITION_SELECTOR));
    out.push(Triple::new(selector.clone(), oa::START, number(start)));
    out.push(Triple::new(selector, oa::END, number(end)));
}

fn part(record: &NamedNode, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}#{name}", record.as_str()))
}

fn number(value: usize) -> Term {
    Literal::from(u64::try_from(value).unwrap_or(u64::MAX)).into()
}

#[cfg(test)]
mod tests {
    use ontology::vocabulary::xsd;
    use ontology::{Kind, RecordId, Section, SectionKind};

    use super::*;

    #[test]
    fn passages_count_characters_where_spans_count_bytes() {
        let mut record = Record::new(RecordId::new("kb:1").unwrap(), Kind::Runbook, "Router");
        let mut section = Section::new(SectionKind::Steps, "Gerät prüfen\nNeu starten");
        section.steps = vec![Span { start: 0, end: 14 }, Span { start: 15, end: 26 }];
        section.author = Some("Ann".into());
        record.sections.push(section);
        let triples =
            text_triples(&record, &[(0, Span { start: 15, end: 26 }), (4, Span { start: 0, end: 1 })]);
        let lines: Vec<String> = triples.iter().map(ToString::to_string).collect();
        let part = "urn:triagraph:record:kb:1#section=0";
        for expected in [
            format!("<{part}&char=13,24&selector> {} \"13\"^^{}", oa::START, xsd::INTEGER),
            format!("<{part}&char=13,24&selector> {} \"24\"^^{}", oa::END, xsd::INTEGER),
            format!("<{part}&step=1> {} \"Neu starten\"", schema::TEXT),
            format!("<{part}&author> {} \"Ann\"", foaf::NAME),
        ] {
            assert!(lines.contains(&expected), "{expected} is not in {lines:#?}");
        }
        assert_eq!(lines.iter().filter(|line| line.contains(tg::PASSAGE.as_str())).count(), 1);
    }
}
