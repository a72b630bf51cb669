//! Is a connection private when the server has a certificate, and refused when it is not?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::super::{Limits, acceptor};
use super::Server;

/// A certificate for `localhost` and 127.0.0.1, its key, and the authority that signed it; made with openssl, good for a hundred years.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/tests/tls").join(name)
}

/// What the server says to a client who trusts the authority, or that they could not speak.
fn asked(address: SocketAddr, name: &'static str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
    write!(stream, "GET /health/live HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

#[test]
fn connections_are_private_where_there_is_a_certificate() {
    let tls = acceptor(&fixture("server.pem"), &fixture("server.key")).unwrap();
    let server = Server::private(Limits { head: Duration::from_millis(500), ..Limits::default() }, tls);
    assert!(asked(server.address, "localhost").unwrap().starts_with("HTTP/1.1 200 OK"));
    assert!(asked(server.address, "desk.example").is_err(), "the certificate is of another name");

    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1"), "nothing is told in the open");
    let mut silent = TcpStream::connect(server.address).unwrap();
    assert_eq!(silent.read_to_end(&mut said).unwrap_or(0), 0, "who never greets is not waited for");
    server.stop().unwrap();
}

#[test]
fn files_that_make_no_certificate_are_told() {
    let check = |certificate: &str, key: &str, says: &str| {
        let error = acceptor(&fixture(certificate), &fixture(key)).err().unwrap();
        assert!(format!("{error:#}").contains(says), "{error:#}");
    };
    check("none.pem", "server.key", "none.pem holds no certificate");
    check("server.key", "server.key", "server.key holds no certificate");
    check("server.pem", "server.pem", "server.pem holds no private key");
    check("ca.pem", "server.key", "do not go together");
}
