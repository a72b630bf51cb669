//! Is a line read as it was meant, and refused where it is not exactly right?

use proptest::prelude::*;

use super::*;

fn hit() -> Hit {
    Hit {
        ticket: "INC9".to_owned(),
        items: ["prt-01".to_owned()].into(),
        services: ["Printing".to_owned(), "Mail".to_owned()].into(),
    }
}

fn call(action: &str, arguments: &[(&str, &str)]) -> Call {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Call { action: action.to_owned(), arguments: arguments.iter().map(owned).collect() }
}

fn fault(line: &str) -> String {
    read(line).unwrap_or_else(|| panic!("{line:?} is a line")).unwrap_err()
}

#[test]
fn an_action_with_its_undoing_is_read_however_the_line_is_listed() {
    let written = "Run: restart-service service=print-spooler host={ci}; undo: start-service service=print-spooler note=\"Tray \\\"2\\\"; a\\\\b = {ci}\"";
    for line in
        [written.to_owned(), format!("   3. {written}  "), format!("- {written}"), format!("12) `{written}`")]
    {
        let read = read(&line).unwrap().unwrap();
        let service = ("service", "print-spooler");
        assert_eq!(read.call.fill(&hit()).unwrap(), call("restart-service", &[service, ("host", "prt-01")]));
        let undo = read.undo.unwrap().fill(&hit()).unwrap();
        assert_eq!(undo, call("start-service", &[service, ("note", "Tray \"2\"; a\\b = {ci}")]));
    }
    let bare = read("Run: flush-cache").unwrap().unwrap();
    assert_eq!((bare.call.fill(&hit()).unwrap(), bare.undo), (call("flush-cache", &[]), None));
}

#[test]
fn other_lines_are_for_people() {
    for line in ["", "Run the job again.", "run: x", "Then Run: x", "`cmd` Run: x", "1.Run: x", "> Run: x"] {
        assert_eq!(read(line), None, "{line:?}");
    }
}

#[test]
fn what_is_not_exactly_right_is_refused_with_its_reason() {
    assert!(fault("Run:").contains("the name of an action"));
    assert!(fault("Run: The nightly job again").contains("before \"The\""));
    assert!(fault("Run: a b").contains("b has no value"));
    assert!(fault("Run: a b=").contains("no value"));
    assert!(fault("Run: a b=\"c").contains("not closed"));
    assert!(fault("Run: a b=\"c\\n\"").contains("backslash"));
    assert!(fault("Run: a b=\"\"").contains("1 to 256"));
    assert!(fault("Run: a b=\u{201c}c\u{201d}").contains("straight quotes"));
    assert!(fault("Run: a b=\"c\u{202e}d\"").contains("visible"));
    assert!(fault("Run: a b={host}").contains("{ci}"));
    assert!(fault("Run: a b=x{ci}").contains("a space"));
    assert!(fault("Run: a b=\"c\"d=e").contains("a space"));
    assert!(fault("Run: a b=$(reboot)").contains("straight quotes"));
    assert!(fault("Run: a b=1 b=2").contains("twice"));
    assert!(fault("Run: a; then: b").contains("undo:"));
    assert!(fault("Run: a; undo: b; undo: c").contains("';'"));
    assert!(fault("Run: a; undo:").contains("the name of an action"));
    assert!(fault(&format!("Run: a b={}", "x".repeat(257))).contains("256"));
    assert!(fault(&format!("Run: {}", "a".repeat(2000))).contains("1000"));
    let many: String = (0..17).map(|number| format!(" a{number}=1")).collect();
    assert!(fault(&format!("Run: a{many}")).contains("16 arguments"));
}

#[test]
fn a_placeholder_stands_for_one_thing_or_for_nothing() {
    let fill = |line: &str, hit: &Hit| read(line).unwrap().unwrap().call.fill(hit);
    assert_eq!(fill("Run: a b={ticket}", &hit()).unwrap(), call("a", &[("b", "INC9")]));
    assert!(fill("Run: a b={service}", &hit()).unwrap_err().contains("2 of the ticket's services"));
    assert!(fill("Run: a b={ci}", &Hit::default()).unwrap_err().contains("name no configuration item"));
}

proptest! {
    #[test]
    fn reading_never_panics(line in ".{0,80}", call in "[ -~]{0,60}") {
        let _ = read(&line);
        let _ = read(&format!("Run: {call}"));
        let _ = read(&format!("Run: a b=\"{call}"));
    }

    #[test]
    fn what_is_written_in_quotes_is_read_as_it_was(value in "[ -~]{1,60}") {
        prop_assume!(!value.trim().is_empty());
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let read = read(&format!("Run: a b=\"{quoted}\"")).unwrap().unwrap();
        prop_assert_eq!(read.call.arguments, vec![("b".to_owned(), Value::Text(value))]);
    }
}
