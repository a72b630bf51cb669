//! By which normal form do names meet? Keys of names, of link targets and of records.

mod unwrap;

use ontology::{Kind, Record};

use unwrap::unwrapped;

/// Endings of pages, which a link has and the name of the page has not.
const PAGE_ENDINGS: [&str; 7] = [".md", ".markdown", ".html", ".htm", ".adoc", ".asciidoc", ".rst"];

/// Pages that stand for the folder they are in.
const FOLDER_PAGES: [&str; 3] = ["index", "_index", "readme"];

/// Fewest characters of a value in a URL's query that is tried as a name: `sys_id` and numbers are longer, page numbers shorter.
const QUERY_VALUE_CHARS: usize = 6;
/// Most of such values that are tried.
const QUERY_VALUES: usize = 16;

/// The normal form of a name: lower case, white space collapsed, outer quotes, brackets and trailing punctuation off; a
/// web address is its host and path alone. Nothing when shorter than two characters or without a letter or digit.
pub(crate) fn key(name: &str) -> Option<String> {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        match fold(c) {
            Folded::Nothing => {}
            Folded::Space if folded.is_empty() || folded.ends_with(' ') => {}
            Folded::Space => folded.push(' '),
            Folded::Letters(letters) => folded.extend(letters),
        }
    }
    let rest = unwrapped(&folded);
    let speaks = rest.chars().any(char::is_alphanumeric) && rest.chars().nth(1).is_some();
    speaks.then(|| rest.to_owned())
}

/// The keys to try in order for the target of a link: the whole; of an address or file also its last segment without the
/// ending of a page, so that `https://wiki/runbooks/etcdMembersDown.md` meets the record named `etcdMembersDown`. Values in
/// the query of an address come first: `kb_view.do?sysparm_article=KB0010001` differs from other articles in nothing else.
pub(crate) fn reference_keys(reference: &str) -> Vec<String> {
    let reference = reference.trim();
    let mut keys = Vec::new();
    let mut add = |candidate: Option<String>| {
        if let Some(candidate) = candidate.filter(|candidate| !keys.contains(candidate)) {
            keys.push(candidate);
        }
    };
    for value in query_values(reference).take(QUERY_VALUES) {
        add(key(value));
    }
    let whole = key(reference);
    add(whole.clone());
    let path = match &whole {
        Some(whole) if is_url(reference) => whole.split_once('/').map(|(_, path)| path),
        Some(whole) if is_file(whole) => Some(whole.as_str()),
        _ => None,
    };
    if let Some(path) = path {
        add(last_name(path).and_then(key));
    }
    keys
}

/// Every key that leads to a record, sorted and without repeats: the source's own id, its names, its address, and its
/// title where the title is a name.
pub(crate) fn owned_keys(record: &Record) -> Vec<String> {
    let mut names: Vec<&str> = record.names.iter().map(String::as_str).collect();
    names.push(record.id.external());
    if matches!(
        record.kind,
        Kind::ConfigurationItem | Kind::Service | Kind::Team | Kind::Alert | Kind::Person
    ) {
        names.push(&record.title);
    }
    // An address with a query differs from its neighbours only in the query, which the key leaves out.
    names.extend(record.url.as_deref().filter(|url| !url.contains('?')));

    let mut keys: Vec<String> = names.into_iter().filter_map(key).collect();
    if record.kind == Kind::ConfigurationItem {
        let labels: Vec<String> = keys.iter().filter_map(|name| first_label(name)).filter_map(key).collect();
        keys.extend(labels);
    }
    if record.kind.is_knowledge() {
        keys.extend(
            key(record.id.external()).filter(|file| is_file(file)).and_then(|file| key(last_name(&file)?)),
        );
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What one character becomes in a key. Names in running text are folded by the same rule.
pub(super) enum Folded {
    /// Invisible; left out.
    Nothing,
    /// White space or a control character; a run of them is one space.
    Space,
    /// Lower case, with the hyphens and apostrophes of word processors made plain.
    Letters(std::char::ToLowercase),
}

/// Folds one character, without regard to its neighbours.
pub(super) fn fold(c: char) -> Folded {
    match c {
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => Folded::Nothing,
        _ if c.is_whitespace() || c.is_control() => Folded::Space,
        'ς' => Folded::Letters('σ'.to_lowercase()),
        '‐' | '‑' => Folded::Letters('-'.to_lowercase()),
        '’' => Folded::Letters('\''.to_lowercase()),
        _ => Folded::Letters(c.to_lowercase()),
    }
}

/// The first label of a fully qualified host name, as `mail01` of `mail01.corp.example.com`.
pub(super) fn first_label(host: &str) -> Option<&str> {
    let (first, rest) = host.split_once('.')?;
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let top = rest.rsplit('.').next()?;
    let is_name = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    let has_letter = first.bytes().any(|b| b.is_ascii_alphabetic());
    (is_name && has_letter && is_label(first) && rest.split('.').all(is_label)).then_some(first)
}

fn is_url(text: &str) -> bool {
    let starts =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// Whether a key is the path of a file: rooted, relative by dots, or with the ending of a page.
fn is_file(key: &str) -> bool {
    key.starts_with(['/', '~', '\\'])
        || key.starts_with("./")
        || key.starts_with("../")
        || key.get(1..3) == Some(":\\")
        || PAGE_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// The last segment of a path without the ending of a page; of a folder's own page the folder.
fn last_name(path: &str) -> Option<&str> {
    let mut segments = path.rsplit(['/', '\\']).filter(|segment| !segment.is_empty()).map(|segment| {
        PAGE_ENDINGS.iter().find_map(|ending| segment.strip_suffix(ending)).unwrap_or(segment)
    });
    segments.find(|segment| !FOLDER_PAGES.contains(segment) && !segment.chars().all(|c| c == '.'))
}

/// Values in the query of an address that can name one record.
fn query_values(reference: &str) -> impl Iterator<Item = &str> {
    let query = reference.split_once('?').filter(|_| is_url(reference)).map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split(['&', '=', '?']).filter(|value| {
        value.chars().count() >= QUERY_VALUE_CHARS
            && value.bytes().any(|b| b.is_ascii_digit())
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use ontology::RecordId;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{key, owned_keys, reference_keys};
    use ontology::{Kind, Record};

    #[test]
    fn names_meet_in_their_key() {
        let check = |name: &str, expected: &str| assert_eq!(key(name).as_deref(), Some(expected), "{name:?}");
        check("  INC0010023 ", "inc0010023");
        check("Exchange\u{a0}\n Server", "exchange server");
        check("\u{201c}VPN Gateway\u{201d},", "vpn gateway");
        check("[WBS000292]", "wbs000292");
        check("(mail01):", "mail01");
        check("Exchange (prod)", "exchange (prod)");
        check("(a1) and (b2)", "(a1) and (b2)");
        check("mail01)", "mail01");
        check(".NET", ".net");
        check("C++", "c++");
        check("ÜBERGABE", "übergabe");
        check("ΟΔΟΣ", "οδοσ");
        check("Wi\u{2011}Fi", "wi-fi");
        check("so\u{ad}ap", "soap");
        check("HTTPS://Wiki.example/Run/Books/?a=1#top", "wiki.example/run/books");
        check("<https://wiki.example/a.>", "wiki.example/a");
        check("/var/log/messages", "/var/log/messages");
    }

    #[test]
    fn what_names_nothing_has_no_key() {
        for name in ["", " ", "x", "--", "\"\"", "?!", "https://", "()", "\u{200b}a"] {
            assert_eq!(key(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_reference_is_tried_whole_then_by_its_last_segment() {
        let check = |reference: &str, expected: &[&str]| {
            assert_eq!(reference_keys(reference), expected, "{reference}")
        };
        check(
            "https://runbooks.example/runbooks/etcd/etcdmembersdown",
            &["runbooks.example/runbooks/etcd/etcdmembersdown", "etcdmembersdown"],
        );
        check("../etcd/etcdMembersDown.md", &["../etcd/etcdmembersdown.md", "etcdmembersdown"]);
        check("https://git.example/a/VpnDown.html#fix", &["git.example/a/vpndown.html", "vpndown"]);
        check("content/etcd/_index.md", &["content/etcd/_index.md", "etcd"]);
        check("https://wiki.example/", &["wiki.example"]);
        check("TCP/IP", &["tcp/ip"]);
        check("Mail Service", &["mail service"]);
        check(
            "https://desk.example/kb_view.do?sysparm_article=KB0010001&page=2",
            &["kb0010001", "desk.example/kb_view.do", "kb_view.do"],
        );
        check(
            "https://issues.example/browse/HADOOP-1234",
            &["issues.example/browse/hadoop-1234", "hadoop-1234"],
        );
        check("??", &[]);
    }

    #[test]
    fn a_record_owns_its_names() {
        let record = |id: &str, kind, title: &str| Record::new(RecordId::new(id).unwrap(), kind, title);
        let mut host = record("cmdb:1f9e", Kind::ConfigurationItem, "Mail01.corp.example.com");
        host.names = vec!["Outlook Server".into(), "mail01".into(), "10.0.0.7".into()];
        host.url = Some("https://desk.example/ci/mail01/".into());
        assert_eq!(
            owned_keys(&host),
            [
                "10.0.0.7",
                "1f9e",
                "desk.example/ci/mail01",
                "mail01",
                "mail01.corp.example.com",
                "outlook server"
            ]
        );
        let mut incident = record("snow:INC0010023", Kind::Incident, "Printer on fire");
        incident.url = Some("https://desk.example/incident.do?sys_id=1".into());
        assert_eq!(owned_keys(&incident), ["inc0010023"]);
        let runbook = record("runbooks:etcd/etcdMembersDown.md", Kind::Runbook, "Members are down");
        assert_eq!(owned_keys(&runbook), ["etcd/etcdmembersdown.md", "etcdmembersdown"]);
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,40}|[ -~\u{a0}\u{130}Σς’…]{0,20}|https?://[a-z./?#()\"\\[\\]]{0,20}") {
            if let Some(once) = key(&name) {
                prop_assert_eq!(key(&once), Some(once));
            }
        }
    }
}
