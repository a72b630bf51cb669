//! Does a file that is posted come in as one that is ingested does?

use serde_json::json;

use super::super::{jobs, schema};
use super::{Server, fits, problem};

const TABLE: &str = "number,short_description,sys_created_on\nINC7,Printer jam,2026-11-02 08:00:00\n    INC8,Mail is slow,2026-11-02 09:00:00\nINC9\n";

#[test]
fn a_posted_file_is_taken_in_once_and_keeps_its_name() {
    let server = Server::start();
    let post = |query: &str, body: &str| {
        server.ask("POST", &format!("/v1/files?{query}")).body("text/csv", body).send()
    };
    let job = server.job(&post("name=incidents.csv&source=desk", TABLE));
    fits::<jobs::Job>(&job);
    let counts = |job: &serde_json::Value| {
        ["total", "done", "new", "changed", "unchanged", "quarantined", "skipped"]
            .map(|name| job["counts"][name].as_u64().unwrap())
    };
    assert_eq!((&job["kind"], &job["state"]), (&json!("file"), &json!("done")), "{job}");
    assert_eq!(counts(&job), [3, 3, 2, 0, 0, 1, 0]);
    assert_eq!(job["refused"][0]["place"], "row 3", "{job}");
    let again = server.job(&post("name=incidents.csv&source=desk", TABLE));
    assert_eq!(counts(&again), [3, 3, 0, 0, 2, 1, 0]);
    let shown = server.get("/v1/records/desk%3AINC7");
    fits::<schema::Observation>(&shown.value());
    assert_eq!(shown.value()["lineage"]["origin"], "incidents.csv");

    let facts = "<urn:a> <urn:b> <urn:c> .\n";
    for new in [1, 0] {
        assert_eq!(
            counts(&server.job(&post("name=facts.nq", facts)))[2],
            new,
            "the same RDF is the same record"
        );
    }
    let page =
        server.job(&post("name=vpn.md&source=kb&mapping=markdown", "# VPN\n\n## Steps\n\n1. Restart it.\n"));
    assert_eq!(counts(&page)[2], 1, "{page}");
    assert_eq!(server.get("/v1/records/kb%3Avpn.md").status, 200);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_before_there_is_a_job() {
    let server = Server::start();
    let check = |query: &str, body: &str, status: u16, code: &str| {
        let answer = server.ask("POST", &format!("/v1/files{query}")).body("text/plain", body).send();
        assert_eq!((answer.status, problem(&answer).as_str()), (status, code), "{query}: {}", answer.text());
        assert!(!answer.text().contains("posted"), "{}", answer.text());
    };
    check("", TABLE, 400, "invalid-query");
    check("?name=a.csv&colour=red", TABLE, 400, "invalid-query");
    check("?name=a.csv&source=a%20b", TABLE, 400, "invalid-query");
    for name in ["", ".", "..", "a%2Fb.csv", "%2Fetc%2Fa.csv", "a%5Cb.csv", "a%00.csv", "a.csv%2F"] {
        check(&format!("?name={name}"), TABLE, 422, "invalid-request");
    }
    check("?name=a.ZIP", "PK", 422, "invalid-request");
    check("?name=a.csv&mapping=none", TABLE, 422, "unknown-mapping");
    check("?name=a.csv", "", 422, "nothing-to-read");
    check("?name=a.exe", "MZ", 422, "nothing-to-read");
    check("?name=a.csv&mapping=beir", TABLE, 422, "nothing-to-read");
    assert_eq!(server.get("/v1/jobs").value(), json!([]));
    assert_eq!(server.get("/v1/status").value()["quarantined"], 0);
}
