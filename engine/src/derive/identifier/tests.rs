//! What is an identifier and what is not, by example.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::{Scheme, identifiers};

/// The keys found, each with the name of its scheme.
fn found(text: &str) -> Vec<(String, &'static str)> {
    identifiers(text).into_iter().map(|one| (one.key, one.scheme.as_str())).collect()
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let found = found(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(key, scheme)| (key.as_str(), *scheme)).collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn tickets_and_codes() {
    check(
        "INC0010023, (CHG0000047) and kb0012345!",
        &[("inc0010023", "ticket_number"), ("chg0000047", "ticket_number"), ("kb0012345", "ticket_number")],
    );
    check("Duplicate of HADOOP-1234.Thanks", &[("hadoop-1234", "ticket_number")]);
    check("HDFS-1/YARN-22:done", &[("hdfs-1", "ticket_number"), ("yarn-22", "ticket_number")]);
    check("Log4Shell (CVE-2021-44228)", &[("cve-2021-44228", "cve")]);
    check("CI APP000005 [WBS000292]", &[("app000005", "code"), ("wbs000292", "code")]);
    check("服务器INC0010023无法", &[("inc0010023", "ticket_number")]);
}

#[test]
fn errors() {
    check(
        "0x80070005 ORA-00600: SQL0911N AADSTS50076",
        &[
            ("0x80070005", "error_code"),
            ("ora-00600", "error_code"),
            ("sql0911n", "error_code"),
            ("aadsts50076", "error_code"),
        ],
    );
    check(
        "ERR_CONNECTION_RESET ECONNREFUSED NT_STATUS_LOGON_FAILURE",
        &[
            ("err_connection_reset", "error_code"),
            ("econnrefused", "error_code"),
            ("nt_status_logon_failure", "error_code"),
        ],
    );
    check(
        "HTTP 503, HTTP/1.1 502; status code: 404",
        &[("http 503", "error_code"), ("http 502", "error_code"), ("http 404", "error_code")],
    );
    check(
        "Event ID 4625 or EventID=4625",
        &[("event id 4625", "error_code"), ("event id 4625", "error_code")],
    );
    check(
        "exited with code 137, error 1603, exit status: 1",
        &[("exit code 137", "error_code"), ("error 1603", "error_code"), ("exit code 1", "error_code")],
    );
    check("HTTP 200, error 5 of 7, the event\n4625", &[]);
    check(
        "java.lang.NullPointerException: null",
        &[("java.lang.nullpointerexception", "exception"), ("nullpointerexception", "exception")],
    );
    check(
        "a FooException/BarError$1 and IOException",
        &[("fooexception", "exception"), ("barerror", "exception"), ("ioexception", "exception")],
    );
    check("    at org.apache.hadoop.ipc.Client.call(Client.java:100)", &[]);
}

#[test]
fn machines() {
    check("mail01.corp.example.com:25", &[("mail01.corp.example.com", "host"), ("mail01", "host")]);
    check(
        "node1/10.0.0.17:8020 srv-db-02 SRV007",
        &[("node1", "host"), ("10.0.0.17", "ip"), ("srv-db-02", "host"), ("srv007", "host")],
    );
    check("from fe80::1ff:fe23:4567:890a, not a::b or 12:30:45", &[("fe80::1ff:fe23:4567:890a", "ip")]);
    check("127.0.0.1 255.255.255.0 0.0.0.0 localhost", &[]);
    check("Mail a.b+c@corp.example.com", &[("a.b+c@corp.example.com", "email")]);
    check("windows10 server2019 db2 python3 utf8 office365", &[]);
}

#[test]
fn versions() {
    check(
        "v1.2.3 and 10.0.19045, 3.3.1-RC2, version 2.9 build 1.2.3.4",
        &[
            ("1.2.3", "version"),
            ("10.0.19045", "version"),
            ("3.3.1-rc2", "version"),
            ("2.9", "version"),
            ("1.2.3.4", "version"),
        ],
    );
    check("hadoop-2.7.3 release-2.7.3-RC2", &[("2.7.3", "version"), ("2.7.3-rc2", "version")]);
    check("30.09.2021 01.09.21 2021.09.30 1.234.567 2.5 1.5GB", &[]);
}

#[test]
fn names_of_things() {
    check(
        "KubePodCrashLooping etcdMembersDown TargetDown",
        &[
            ("kubepodcrashlooping", "alert_name"),
            ("etcdmembersdown", "alert_name"),
            ("targetdown", "alert_name"),
        ],
    );
    check(
        "container_memory_usage kube-state-metrics dfs.namenode.rpc-address",
        &[
            ("container_memory_usage", "symbol"),
            ("kube-state-metrics", "symbol"),
            ("dfs.namenode.rpc-address", "symbol"),
        ],
    );
    check(
        "/var/log/messages, C:\\Windows\\System32\\drivers\\etc\\hosts \\\\fs01\\share conf/hdfs-site.xml setup.exe",
        &[
            ("/var/log/messages", "path"),
            ("c:\\windows\\system32\\drivers\\etc\\hosts", "path"),
            ("\\\\fs01\\share", "path"),
            ("conf/hdfs-site.xml", "path"),
            ("setup.exe", "path"),
        ],
    );
    check(
        "see [it|https://jira.example.com/browse/HADOOP-1234?x=1].",
        &[("jira.example.com/browse/hadoop-1234", "url"), ("hadoop-1234", "ticket_number")],
    );
    check(
        "(https://srv-web01.corp.local/a/), hdfs://nn1:8020/tmp",
        &[
            ("srv-web01.corp.local/a", "url"),
            ("srv-web01.corp.local", "host"),
            ("srv-web01", "host"),
            ("hdfs://nn1:8020/tmp", "url"),
        ],
    );
}

#[test]
fn code_is_no_alert() {
    check(
        "setTimeout failNotEquals ITestClientDown {color:#FF0000} LOG.info java.io",
        &[("failnotequals", "symbol"), ("itestclientdown", "symbol")],
    );
    check(
        "DEFAULT_SOCKET_TIMEOUT part-1.orcjava.io.IOException",
        &[("default_socket_timeout", "symbol"), ("ioexception", "exception")],
    );
}

#[test]
fn ordinary_words_are_none() {
    check(
        "A follow-up e-mail, an end-to-end state-of-the-art check of the 3-node, 24-hour Wi-Fi and/or TCP/IP.",
        &[],
    );
    check("2021-09-08T00:21:11.596Z 08-Sep-2021 Sep-2021 08/09/21 17:20 UTF-8 SHA-256 tier-1", &[]);
    check("VPN-Verbindung, E-Mail-Adresse, JavaScript, PowerShell, VMs, i.e. the end.Next works.It", &[]);
    check("550e8400-e29b-41d4-a716-446655440000 aGVsbG8gd29ybGQhISE ___ -- :: // \\\\ @ ://", &[]);
    check("_emphasis_ and __bold__ and n/a w/o", &[]);
}

#[test]
fn every_scheme_has_its_own_name() {
    let all = [
        Scheme::TicketNumber,
        Scheme::Cve,
        Scheme::ErrorCode,
        Scheme::Exception,
        Scheme::Host,
        Scheme::Ip,
        Scheme::Version,
        Scheme::AlertName,
        Scheme::Code,
        Scheme::Path,
        Scheme::Url,
        Scheme::Email,
        Scheme::Symbol,
    ];
    let names: std::collections::BTreeSet<&str> = all.iter().map(|scheme| scheme.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

proptest! {
    #[test]
    fn places_fit_the_text(
        text in "(INC0012345|HTTP |503|://|https://|a\\.b\\.com|mail01|v1\\.2|Event ID |[a-zA-Z0-9./:@_ -]|ü|服|\\PC|\n){0,40}"
    ) {
        let mut last = 0;
        for one in identifiers(&text) {
            prop_assert_eq!(text.get(one.start..one.end), Some(one.value.as_str()));
            prop_assert!(!one.key.is_empty() && one.start >= last);
            last = one.start;
        }
    }
}
