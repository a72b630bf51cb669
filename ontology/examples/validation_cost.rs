//! What does it cost to hold one record to its shapes? `cargo run -p ontology --example validation_cost` prints it.
#![expect(clippy::print_stdout, reason = "printing the figure is all that it is for")]

use std::hint::black_box;
use std::time::Instant;

use ontology::shapes::record_shapes;
use oxrdf::{Graph, Triple};
use oxttl::TurtleParser;

const RECORDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = record();
    let triples: Vec<Triple> = TurtleParser::new().for_slice(&text).collect::<Result<_, _>>()?;
    let data: Graph = triples.iter().collect();
    let started = Instant::now();
    assert!(record_shapes().validate(&data).conforms);
    println!("reading the shapes, and the first record: {:?}", started.elapsed());

    let started = Instant::now();
    for _ in 0..RECORDS {
        let _ = black_box(record_shapes().validate(black_box(&data)));
    }
    println!("validating a record of {} triples: {:?} each", triples.len(), started.elapsed() / RECORDS);

    let started = Instant::now();
    for _ in 0..RECORDS {
        black_box(black_box(&triples).iter().collect::<Graph>());
    }
    println!("making its graph from ready triples: {:?} each", started.elapsed() / RECORDS);
    Ok(())
}

/// An incident with links, ten sections and twenty passages with their spans.
fn record() -> String {
    let mut text = "@prefix tg: <urn:triagraph:ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> .
        @prefix oslc_cm: <http://open-services.net/ns/cm#> . @prefix oa: <http://www.w3.org/ns/oa#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix ex: <urn:ex:> .
        ex:inc a tg:Incident ; dcterms:identifier \"INC1\" ; dcterms:title \"VPN drops every hour\" ; tg:audience \"staff\" ;
            dcterms:created \"2026-01-01T10:00:00Z\"^^xsd:dateTime ; dcterms:modified \"2026-01-02T10:00:00Z\"^^xsd:dateTime ;
            oslc_cm:status \"open\" ; oslc_cm:priority 2 ; tg:impact 1 ; tg:urgency 3 ; tg:affects ex:vpn , ex:gate ;
            tg:assignedTo ex:network ; tg:reportedBy ex:ann ; tg:mentions ex:host1 , ex:host2 , ex:host3 .\n"
        .to_owned();
    for section in 0..10 {
        text += &format!("ex:inc tg:hasSection ex:s{section} . ex:s{section} a tg:Section ; ");
        text += &format!("tg:sectionKind \"work_note\" ; tg:sectionOrder {section} .\n");
        for passage in 0..2 {
            let name = format!("ex:p{section}_{passage}");
            text += &format!(
                "ex:s{section} tg:hasPassage {name} . {name} a tg:Passage ; oa:hasSelector {name}span . "
            );
            text += &format!("{name}span a oa:TextPositionSelector ; oa:start {passage} ; oa:end 400 .\n");
        }
    }
    text
}
