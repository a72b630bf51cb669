//! Who comes in to a server as a user starts it? Keys of the command line, desks that never meet, tokens of a real identity provider.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::{Desk, Server, finish, root};

/// Status and body of an answer to who shows a key or token.
fn ask(address: &str, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let head = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, text) = send(address, method, path, &head, &body);
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// One request by hand; status and body.
fn send(address: &str, method: &str, path: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the server takes connections");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{head}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
}

/// A key that the command line made.
fn made(desk: &Desk, tenant: &str, arguments: &[&str]) -> String {
    let run = desk.run(["--tenant", tenant, "keys", "create"].iter().chain(arguments)).with_code(0);
    run.out.trim().to_owned()
}

fn serve(desk: &Desk, tenant: &str) -> Server {
    Server::start(desk.command(["--tenant", tenant, "serve", "--listen", "127.0.0.1:0"]))
}

fn is_told(value: &Value, word: &str) -> bool {
    value.to_string().contains(word)
}

#[test]
fn the_desks_of_two_tenants_never_meet() {
    let desk = Desk::new();
    for (tenant, word) in [("north", "walrus"), ("south", "penguin")] {
        let note = format!(
            "number,short_description,description\nINC1,The {word} printer is stuck,{word} paper jam\n"
        );
        let file = desk.file(&format!("{tenant}.csv"), note);
        let file = file.to_str().expect("a path");
        let _ = desk.run(["--tenant", tenant, "ingest", file, "--source", "snow"]).with_code(0);
    }
    let keys = [("north", "walrus"), ("south", "penguin")].map(|(tenant, word)| {
        (made(&desk, tenant, &["--name", "ada", "--role", "admin"]), serve(&desk, tenant), word)
    });
    let locked = desk.run(["--tenant", "north", "keys", "list"]).with_code(2);
    assert!(locked.err.contains("/v1/keys"), "it says what to do while the desk is served: {}", locked.err);

    for (own, other) in [(0, 1), (1, 0)] {
        let ((key, server, word), (foreign, _, others)) = (&keys[own], &keys[other]);
        let search = json!({"text": "walrus penguin printer is stuck"});
        let (status, found) = ask(server.address(), key, "POST", "/v1/search", &search);
        assert!(status == 200 && is_told(&found, word) && !is_told(&found, others), "{status} {found}");
        let record = found["hits"][0]["record"].as_str().expect("a hit").replace(':', "%3A");
        let bundle = json!({"about": {"text": "printer is stuck"}});
        let (_, bundle) = ask(server.address(), key, "POST", "/v1/bundles", &bundle);
        let bundle = format!("/v1/bundles/{}", bundle["id"].as_str().expect("a bundle"));

        let renamed = {
            let (tenants, secret) =
                (["tgk_north_", "tgk_south_"], foreign.rsplitn(3, '_').collect::<Vec<_>>());
            format!("{}{}_{}", tenants[own], secret[1], secret[0])
        };
        for wrong in [foreign.as_str(), renamed.as_str()] {
            for (method, path) in [
                ("POST", "/v1/search"),
                ("GET", "/sparql?query=ASK%7B%7D"),
                ("GET", "/v1/status"),
                ("GET", "/v1/audit/entries"),
                ("GET", &bundle),
                ("GET", &format!("/v1/records/{record}")),
                ("POST", "/v1/keys"),
            ] {
                let (status, problem) = ask(server.address(), wrong, method, path, &search);
                assert_eq!((status, &problem["code"]), (401, &json!("unauthorized")), "{method} {path}");
                assert!(!is_told(&problem, word), "{problem}");
            }
        }
        // What the one knows by its id, the other does not have.
        let (_, there, _) = &keys[other];
        assert_eq!(ask(there.address(), foreign, "GET", &bundle, &Value::Null).0, 404);
        let all = "/sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D";
        let (status, graph) = ask(there.address(), foreign, "GET", all, &Value::Null);
        assert!(status == 200 && is_told(&graph, others) && !is_told(&graph, word));
    }
}

#[test]
fn keys_of_the_command_line_open_the_server_until_they_are_revoked() {
    let desk = Desk::new();
    let _ = desk.run(["init"]).with_code(0);
    let run = |arguments: &[&str]| desk.run(arguments.iter().copied());
    for wrong in [
        &["keys", "create", "--name", "mia"][..],
        &["keys", "create", "--name", "mia", "--role", "king"],
        &["keys", "create", "--name", "mia", "--role", "agent", "--expires", "soon"],
        &["keys", "create", "--name", "operator", "--role", "agent"],
        &["keys", "create", "--name", "mia", "--role", "agent", "--expires", "0d"],
    ] {
        let _ = run(wrong).with_code(2);
    }
    let mia =
        made(&desk, "main", &["--name", "mia", "--role", "agent,knowledge-manager", "--audience", "staff"]);
    let ada = made(&desk, "main", &["--name", "ada", "--role", "admin", "--expires", "never"]);
    let listed = run(&["keys", "list", "--json"]).with_code(0);
    assert!(!listed.out.contains("tgk_"));
    let listed = listed.json();
    let of = |name: &str| {
        let keys = listed.as_array().expect("a list");
        keys.iter().find(|key| key["name"] == name).cloned().expect("the key")
    };
    assert_eq!(
        (&of("mia")["roles"], &of("mia")["audiences"]),
        (&json!(["agent", "knowledge_manager"]), &json!(["staff"]))
    );
    assert!(of("mia")["expires"].is_string() && of("ada")["expires"].is_null());
    // Neither the key nor its secret is in any file of the desk.
    for entry in fs::read_dir(desk.main()).expect("the desk's folder") {
        let path = entry.expect("an entry").path();
        let bytes = if path.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
        let secret = ada.rsplit('_').next().expect("a secret").as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
    }

    let mut server = serve(&desk, "main");
    let status =
        |server: &Server, key: &str, path: &str| ask(server.address(), key, "GET", path, &Value::Null).0;
    assert_eq!([&mia, &ada, "nobody"].map(|key| status(&server, key, "/v1/articles")), [200, 200, 401]);
    assert_eq!([&mia, &ada].map(|key| status(&server, key, "/v1/keys")), [403, 200]);
    server.kill();
    let _ = run(&["keys", "revoke", of("mia")["id"].as_str().expect("an id")]).with_code(0);
    let server = serve(&desk, "main");
    assert_eq!([&mia, &ada].map(|key| status(&server, key, "/v1/articles")), [401, 200]);
}

#[test]
fn other_machines_are_served_only_where_there_is_a_key() {
    let desk = Desk::new();
    let _ = desk.run(["init"]).with_code(0);
    let refused = desk.run(["serve", "--listen", "0.0.0.0:0"]).with_code(2);
    assert!(refused.err.contains("keys create"), "{}", refused.err);
    let ada = made(&desk, "main", &["--name", "ada", "--role", "admin"]);
    let server = Server::start(desk.command(["serve", "--listen", "0.0.0.0:0"]));
    let address = server.address().replace("0.0.0.0", "127.0.0.1");
    assert_eq!(ask(&address, &ada, "GET", "/v1/status", &Value::Null).0, 200);
    assert_eq!(send(&address, "GET", "/v1/status", "", "").0, 401);
}

/// The identity provider of the tests, which ends with the test.
struct Provider {
    child: Child,
    port: u16,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Provider {
    /// Starts it on a port, with new keys.
    fn start(modules: &PathBuf, port: u16) -> Self {
        let mut child = Command::new("node")
            .arg(root().join("tests/provider.mjs"))
            .arg(port.to_string())
            .env("NODE_PATH", modules)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        let is_ready = said.lines().map_while(Result::ok).any(|line| line == "ready");
        let provider = Self { child, port };
        assert!(is_ready, "the identity provider did not come up: see tests/provider.mjs");
        provider
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A token for somebody, meant for an audience.
    fn token(&self, who: &str, audience: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={who}&client_secret={who}-secret&resource={audience}"
        );
        let head = "content-type: application/x-www-form-urlencoded\r\n";
        let (status, answer) = send(&format!("127.0.0.1:{}", self.port), "POST", "/token", head, &form);
        let answer: Value =
            serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{status} {error}: {answer}"));
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{status} {answer}")).to_owned()
    }
}

/// The folder of node modules with `oidc-provider`, installed into the cache where it is missing; none where there is no npm. An npm that cannot
/// install it is a failure if `TRIAGRAPH_REQUIRE_TOOLS` is set.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn modules() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let folder = cache.join("triagraph/oidc-provider-9");
    let modules = folder.join("node_modules");
    let is_there = || modules.join("oidc-provider/package.json").is_file();
    for _attempt in 0..2 {
        if is_there() {
            return Some(modules);
        }
        fs::create_dir_all(&folder).expect("the cache can be written");
        let mut install = Command::new("npm");
        install
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&folder)
            .arg("oidc-provider@9");
        // Without npm there is nothing to install with: `make test` promises no more than Python's tools.
        if install.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no npm to install an identity provider with");
            return None;
        }
    }
    let told = "there is no identity provider to test with: install Node.js 20 or newer with npm, and let it reach its registry";
    assert!(is_there() || std::env::var_os("TRIAGRAPH_REQUIRE_TOOLS").is_none(), "{told}");
    eprintln!("skipped: {told}");
    is_there().then_some(modules)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

#[test]
fn tokens_of_an_identity_provider_let_people_in_as_what_they_say() {
    let Some(modules) = modules() else { return };
    let desk = Desk::new();
    let secret =
        json!([{"id": "sec:9", "kind": "incident", "title": "Key leaked", "audience": ["security"]}]);
    let _ = desk.run(["init"]).with_code(0);
    let provider = Provider::start(&modules, free_port());
    let issuer = provider.issuer();
    let serve = |more: &[&str]| {
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--oidc-issuer", &issuer, "--oidc-audience", "urn:desk"];
        Server::start(desk.command(arguments.iter().chain(more)))
    };
    let server = serve(&[]);
    let get =
        |server: &Server, token: &str, path: &str| ask(server.address(), token, "GET", path, &Value::Null);
    let [mia, ben, ada, eve] = ["mia", "ben", "ada", "eve"].map(|who| provider.token(who, "urn:desk"));
    let statuses = |path: &str| [&mia, &ben, &ada, &eve].map(|token| get(&server, token, path).0);
    assert_eq!(statuses("/v1/articles"), [200, 200, 200, 403], "RS256, ES256, EdDSA; eve has no role");
    assert_eq!(statuses("/v1/keys"), [403, 403, 200, 403]);
    assert_eq!(statuses("/v1/audit/entries"), [403, 200, 200, 403]);
    assert!(is_told(&get(&server, &eve, "/v1/articles").1, "no role"));
    assert_eq!(
        send(server.address(), "GET", "/v1/articles", "", "").0,
        401,
        "nobody comes in without a token"
    );

    let (_, refused) = get(&server, &provider.token("ada", "urn:other"), "/v1/articles");
    assert_eq!((&refused["status"], &refused["code"]), (&json!(401), &json!("unauthorized")), "{refused}");
    assert!(is_told(&refused, "InvalidAudience"), "{refused}");
    let parts: Vec<&str> = ada.split('.').collect();
    let bent = format!("{}.{}.{}", parts[0], parts[1], mia.rsplit('.').next().expect("a signature"));
    let swapped = format!("{}.{}.{}", parts[0], mia.split('.').nth(1).expect("claims"), parts[2]);
    // {"alg":"none","typ":"JWT"} and {"alg":"HS256","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]);
    let shared = format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{}.{}", parts[1], parts[2]);
    for wrong in [&bent, &swapped, &unsigned, &shared, "a.b.c", "a.b", &ada[1..]] {
        let (status, problem) = get(&server, wrong, "/v1/articles");
        assert_eq!((status, &problem["code"]), (401, &json!("unauthorized")), "{wrong}");
    }
    let (status, written) = ask(server.address(), &ada, "POST", "/v1/records", &secret);
    assert_eq!(status, 202, "{written}");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while get(&server, &ada, "/v1/records/sec%3A9").0 != 200 {
        assert!(std::time::Instant::now() < until, "the record was not taken in");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(server);

    let server = serve(&["--oidc-audiences-claim", "groups"]);
    let sol = provider.token("sol", "urn:desk");
    let seen = [&sol, &mia].map(|token| get(&server, token, "/v1/records/sec%3A9").0);
    assert_eq!(seen, [200, 404], "sol (PS256) is in the group security, mia in none");

    // The provider goes: its keys hold. It comes back with others: new tokens are good, old ones are not.
    let port = provider.port;
    drop(provider);
    assert_eq!(get(&server, &sol, "/v1/records/sec%3A9").0, 200);
    let provider = Provider::start(&modules, port);
    let again = provider.token("sol", "urn:desk");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while get(&server, &again, "/v1/records/sec%3A9").0 != 200 {
        assert!(std::time::Instant::now() < until, "the new keys were not fetched");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    assert_eq!(get(&server, &sol, "/v1/records/sec%3A9").0, 401, "a key that is not published any more");
}

#[test]
fn a_provider_that_is_not_there_is_told_and_keys_open_all_the_same() {
    let desk = Desk::new();
    let _ = desk.run(["init"]).with_code(0);
    let ada = made(&desk, "main", &["--name", "ada", "--role", "admin"]);
    let issuer = format!("http://127.0.0.1:{}", free_port());
    let server = Server::start(desk.command([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--oidc-issuer",
        &issuer,
        "--oidc-audience",
        "urn:desk",
    ]));
    // {"alg":"RS256","kid":"a"}
    let (status, problem) = ask(
        server.address(),
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA",
        "GET",
        "/v1/status",
        &Value::Null,
    );
    assert_eq!((status, &problem["code"]), (503, &json!("provider-unreachable")), "{problem}");
    assert_eq!(ask(server.address(), &ada, "GET", "/v1/status", &Value::Null).0, 200);
    let mut unsafe_address =
        desk.command(["serve", "--oidc-issuer", "http://id.example.org", "--oidc-audience", "a"]);
    assert!(finish(&mut unsafe_address, "").with_code(2).err.contains("https://"));
}
