//! Does the command line take what it is given, and say what it did, in words and in JSON?

use std::fs::OpenOptions;
use std::process::Stdio;

use serde_json::{Value, json};
use tests::Desk;

const TABLE: &str =
    "number,short_description,description\nINC1,Mail is slow,since noon\nINC2,Disk is full,on fs-01\n";

/// A small desk with a service and two tickets.
fn small() -> Desk {
    let desk = Desk::new();
    let records = desk.file(
        "records.jsonl",
        "{\"id\": \"S-1\", \"title\": \"Mail is slow\", \"description\": \"since the update\"}\n\
         {\"id\": \"S-2\", \"title\": \"Disk is full\", \"description\": \"on fs-01\"}\n",
    );
    let _ = desk.json(&["ingest", records.to_str().expect("UTF-8")]);
    desk
}

fn titles(triaged: &Value) -> Vec<&str> {
    let list = triaged.as_array().expect("a list");
    list.iter().map(|one| one["title"].as_str().expect("a title")).collect()
}

fn triaged(desk: &Desk, arguments: &[&str], input: &str) -> Value {
    let run = desk.run_with([&["triage", "--json"], arguments].concat(), input);
    assert!(run.code < 2, "{arguments:?}: {}", run.err);
    run.json()
}

#[test]
fn tickets_on_standard_input_are_read_for_what_they_are() {
    let desk = small();
    for arguments in [&[][..], &["-"], &["--file", "-"]] {
        assert_eq!(titles(&triaged(&desk, arguments, TABLE)), ["Mail is slow", "Disk is full"]);
    }
    let plain = triaged(&desk, &["-"], "\u{feff}Mail is slow, and nobody knows why\nIt began at noon.");
    assert_eq!(plain["title"], "Mail is slow, and nobody knows why");
    let cut_off = "{\"id\": \"a\", \"title\": \"Mail";
    for arguments in [&["triage"][..], &["related", "--ticket", "-"], &["bundle", "make", "--ticket", "-"]] {
        let run = desk.run_with(arguments, cut_off).with_code(2);
        assert!(
            run.err.contains("standard input") && run.err.contains("cut off"),
            "{arguments:?}: {}",
            run.err
        );
        assert!(!run.err.contains("/tmp"), "{}", run.err);
    }
    for arguments in
        [&["related", "--ticket", "-", "--json"][..], &["bundle", "make", "--ticket", "-", "--json"]]
    {
        let run = desk.run_with(arguments, "Mail is slow\nsince the update").with_code(0);
        assert_eq!(run.json()["generation"], 2, "{}", run.out);
    }
}

#[test]
fn a_file_of_plain_text_is_a_ticket_and_a_named_ticket_is_one_object() {
    let desk = small();
    let note = desk.file("note.txt", "Mail is slow\nsince the update");
    let note = note.to_str().expect("UTF-8");
    assert_eq!(titles(&triaged(&desk, &["--file", note], "")), ["Mail is slow"]);
    assert_eq!(desk.json(&["related", "--ticket", note])["generation"], 2);
    assert_eq!(triaged(&desk, &["S-1"], "")["title"], "Mail is slow");
    let empty = desk.file("empty.txt", "\n");
    let run = desk.run(["triage", "--file", empty.to_str().expect("UTF-8")]).with_code(2);
    assert!(run.err.contains("empty.txt"), "{}", run.err);
}

#[test]
fn people_are_told_names_and_what_was_left_out() {
    let desk = Desk::demo();
    let run = desk.run(["triage", "INC0041216"]);
    assert!(run.out.contains("concerns "), "{run:?}");
    let late = desk.run(["triage", "INC0041216", "--deadline-millis", "0"]);
    assert!(late.err.contains("without the dense leg"), "{late:?}");
    let is_key = |word: &str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let keys: Vec<&str> = run.out.split([' ', ',', '\n', ';']).filter(|word| is_key(word)).collect();
    assert!(keys.is_empty(), "{keys:?} in {}", run.out);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure_and_a_reader_that_left_is_none() {
    let desk = small();
    for arguments in [
        &["search", "mail", "--json"][..],
        &["completions", "bash"],
        &["status"],
        &["sparql", "--json", "ASK { ?s ?p ?o }"],
        &["export"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let mut command = desk.command(arguments);
        let ended = command.stdout(full).output().expect("the binary starts");
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
        let mut command = desk.command(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("the binary ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(0) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let desk = Desk::new();
    let error = |arguments: &[&str]| -> Value {
        let run = desk.run(arguments).with_code(2);
        let last = run.err.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {}", run.err))
    };
    assert_eq!(error(&["ingest", "never.json", "--json"])["code"], "unreadable-path");
    assert!(
        error(&["search", "x", "--json"])["message"]
            .as_str()
            .is_some_and(|text| text.contains("triagraph init"))
    );
    assert_eq!(error(&["search", "x", "--json", "--limit", "0"])["code"], "invalid-arguments");
    assert!(desk.run(["triage", "x", "--budget-tokens", "10"]).with_code(2).err.contains("200"));
}

#[test]
fn a_plan_needs_no_desk_and_leaves_none() {
    let desk = Desk::new();
    let table = desk.file("tickets.csv", TABLE);
    let plan = desk.json(&["ingest", "--plan", table.to_str().expect("UTF-8")]);
    assert_eq!((plan["planned"].as_bool(), plan["new"].as_u64()), (Some(true), Some(2)));
    assert!(!desk.data().exists(), "the plan made a desk");
    let made = desk.json(&["init"]);
    assert_eq!(made["tenant"], "main");
    assert!(made["embedder"].as_str().is_some_and(|id| id.starts_with("hash-")), "{made}");
    let shown = desk.json(&["mapping", "show", "servicenow"]);
    assert!(shown["text"].as_str().is_some_and(|text| text.contains("[[detect]]")));
    let told = desk.run(["ingest", "--plan", table.to_str().expect("UTF-8")]).with_code(0);
    assert!(!told.err.contains("embedder"), "{}", told.err);
}

#[test]
fn a_mapping_that_takes_ids_from_nowhere_is_said_and_dates_and_people_are_shown() {
    let desk = Desk::new();
    let table = desk.file(
        "t.csv",
        "no,head,urgent,opened,said,by\nA-1,Mail is slow,2,2026-11-02 08:00:00,It is,Ann Lee\n",
    );
    let check = |id: &str, code: i32| {
        let text = format!(
            "name = \"mine\"\n[[record]]\nkind = \"incident\"\nid = \"{id}\"\ntitle = \"head\"\nurgency = \"urgent\"\n\
             created = \"opened\"\n[[record.section]]\nkind = \"work_note\"\nfrom = \"said\"\nauthor = \"by\"\n"
        );
        let mapping = desk.file("mine.toml", &text);
        let [mapping, table] = [&mapping, &table].map(|path| path.to_str().expect("UTF-8"));
        desk.run(["mapping", "check", mapping, table]).with_code(code).out
    };
    let right = check("no", 0);
    assert!(!right.contains("reads nowhere"), "{right}");
    for told in ["urgency 2", "created 2026-11-02 08:00", "work note by Ann Lee"] {
        assert!(right.contains(told), "{told} is missing in {right}");
    }
    let wrong = check("number", 1);
    assert!(wrong.contains("id of each incident: no item has number"), "{wrong}");
}

#[test]
fn names_that_nothing_has_and_runs_that_ended_are_said() {
    let desk = small();
    let found = desk.json(&["search", "mail", "--service", "Warehous"]);
    assert!(found["warnings"].to_string().contains("no service is called"), "{found}");
    let shown = desk.run(["status"]).with_code(0).out;
    assert!(shown.contains("ingest of ") && shown.contains("done: 2 new"), "{shown}");
    let prompt = desk.json(&["bundle", "make", "mail is slow", "--prompt"]);
    assert!(prompt["prompt"].as_str().is_some_and(|text| text.starts_with("[S1] ")), "{prompt}");
}

#[test]
fn several_records_are_purged_together_or_none() {
    let desk = small();
    let run = desk.run(["record", "purge", "--yes", "S-1", "S-9"]).with_code(2);
    assert!(run.err.contains("S-9") && desk.search(&["mail"]).len() == 1, "{}", run.err);
    let purged = desk.json(&["record", "purge", "--yes", "S-1", "S-2"]);
    assert_eq!(purged["purged"].as_array().map(Vec::len), Some(2));
    assert!(desk.search(&["mail disk"]).is_empty());
}

#[test]
fn a_measurement_of_nothing_is_an_error() {
    let desk = Desk::new();
    let folder = desk.beside("set");
    std::fs::create_dir_all(folder.join("qrels")).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("corpus.jsonl", "{\"_id\": \"d1\", \"title\": \"Mail\", \"text\": \"slow mail\"}\n");
    write("queries.jsonl", "{\"_id\": \"q1\", \"text\": \"mail\"}\n");
    write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq2\td1\t1\n");
    let set = folder.to_str().expect("UTF-8");
    assert!(desk.run(["eval", set]).with_code(2).err.contains("nothing can be measured"));
    write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
    assert_eq!(desk.json(&["eval", set])[0]["legs"]["lexical"]["hit_at_1"], json!(1.0));
}

#[test]
fn what_is_hidden_can_be_chosen() {
    let desk = small();
    let wrong = desk.file("wrong.toml", "email = false\n");
    let run = desk.run(["triage", "S-1", "--redaction", wrong.to_str().expect("UTF-8")]).with_code(2);
    assert!(run.err.contains("wrong.toml") && run.err.contains("email"), "{}", run.err);
    let hidden = |policy: &str| {
        let policy = desk.file("policy.toml", policy);
        let arguments = ["--redaction", policy.to_str().expect("UTF-8")];
        let input = "Mail is slow\nWrite to ada@example.org please.";
        triaged(&desk, &arguments, input)["steps"].to_string()
    };
    assert!(hidden("").contains("1 places of the ticket are hidden"));
    assert!(hidden("emails = false").contains("0 places of the ticket are hidden"));
}
