//! Is only done what the operator listed, and are faults told with their line?

use super::*;

const DESK: &str = r#"
    [webhook]
    url = "https://automation.example.com/triagraph"
    [[action]]
    name = "restart-service"
    timeout_seconds = 60
    [action.arguments]
    service = { one_of = ["print-spooler", "wms"] }
    host = { is = "ci" }
    [[action]]
    name = "set-batch"
    dry_run = false
    arguments = { job = { pattern = "[A-Z_]{3,20}" }, size = { least = 1, most = 5000 } }
"#;

fn call(action: &str, arguments: &[(&str, &str)]) -> Call {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Call { action: action.to_owned(), arguments: arguments.iter().map(owned).collect() }
}

#[test]
fn only_what_is_listed_may_be_done_and_only_with_what_fits() {
    let executor = Executor::parse("executor.toml", DESK).unwrap();
    let hit = Hit { items: ["prt-01".to_owned()].into(), ..Hit::default() };
    let check = |action: &str, arguments: &[(&str, &str)]| {
        executor.check(&call(action, arguments), &hit).map(|action| action.timeout_seconds)
    };
    let spooler = ("service", "print-spooler");
    assert_eq!(check("restart-service", &[spooler, ("host", "prt-01")]), Ok(60));
    assert_eq!(check("set-batch", &[("job", "REPL_NIGHT"), ("size", "2000")]), Ok(SECONDS));
    assert!(!executor.actions()["set-batch"].has_dry_run);
    let refused = |action: &str, arguments: &[(&str, &str)], says: &str| {
        let problem = check(action, arguments).unwrap_err();
        assert!(problem.contains(says), "{says:?} in {problem:?}");
    };
    refused("reboot", &[], "no action reboot");
    refused("restart-service", &[spooler], "wants host");
    refused("restart-service", &[spooler, ("host", "prt-02")], "configuration item");
    refused("restart-service", &[("service", "sshd"), ("host", "prt-01")], "one of print-spooler, wms");
    refused("restart-service", &[spooler, ("host", "prt-01"), ("force", "1")], "no argument force");
    for job in ["REPL_NIGHT; reboot", "REPL_NIGHT\n", "AB", "", " REPL"] {
        refused("set-batch", &[("job", job), ("size", "1")], "its pattern");
    }
    for size in ["0", "5001", "+5", "05", "1e3", ""] {
        refused("set-batch", &[("job", "REPL_NIGHT"), ("size", size)], "from 1 to 5000");
    }
}

#[test]
fn faults_name_their_line() {
    let fault = |text: &str| Executor::parse("executor.toml", text).unwrap_err();
    assert_eq!(fault("").code(), "executor-invalid");
    let of_action = |rest: &str| {
        fault(&format!("[webhook]\nurl = \"https://a.example\"\n[[action]]\n{rest}")).to_string()
    };
    assert!(of_action("name = \"Reboot\"").contains("executor.toml, line 3: \"Reboot\" is no name"));
    assert!(of_action("name = \"a\"\ntimeout_seconds = 0").contains("1 to 600"));
    assert!(of_action("name = \"a\"\nshell = \"rm\"").contains("unknown field `shell`"));
    assert!(
        of_action("name = \"a\"\n[[action]]\nname = \"a\"").contains("line 5: the action a is there twice")
    );
    assert!(of_action("name = \"a\"\narguments = { b = { pattern = \"(\" } }").contains("no pattern"));
    assert!(of_action("name = \"a\"\narguments = { b = { least = 1 } }").contains("write one_of"));
    assert!(of_action("name = \"a\"\narguments = { b = { one_of = [] } }").contains("write one_of"));
    assert!(of_action("name = \"a\"\narguments = { B = { least = 1, most = 2 } }").contains("no name of an"));
}

#[test]
fn the_executor_is_reached_in_private_or_on_this_machine() {
    let url = |url: &str| Executor::parse("executor.toml", &format!("[webhook]\nurl = {url:?}")).is_ok();
    for good in ["https://a.example/x?y=1", "http://127.0.0.1:9000/", "http://localhost", "http://[::1]:8/"] {
        assert!(url(good), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://localhost.a.example",
        "http://127.0.0.1@a.example",
        "http://127.0.0.1.a.example",
        "ftp://127.0.0.1",
        "https://",
        "https:///x",
        "https://a.example/ x",
        "a.example",
        "",
    ] {
        assert!(!url(bad), "{bad}");
    }
}

#[test]
fn the_pattern_that_is_shipped_is_one() {
    let shipped = Executor::parse("executor.toml", include_str!("../../../policy/executor.toml")).unwrap();
    let actions: Vec<&str> = shipped.actions().keys().map(String::as_str).collect();
    assert_eq!(actions, ["restart-service", "set-batch-size", "start-service"]);
}
