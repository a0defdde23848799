//! Servers as they show themselves: chains that lack a certificate, authorities of their own, certificates that are over.

use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    IsCa, KeyPair,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82][..], &length, content].concat()
}

/// The extension that says where the issuer's certificate lies (RFC 5280, section 4.2.2.1).
fn access(address: &str) -> CustomExtension {
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let description = der(
        0x30,
        &[&method[..], &der(0x86, address.as_bytes())].concat(),
    );
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der(0x30, &description))
}

/// A bundle as authorities publish it: `SignedData` without signers (RFC 5652).
fn bundle(certificates: &[&Certificate]) -> Vec<u8> {
    let signed_data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let all: Vec<u8> = certificates
        .iter()
        .flat_map(|one| one.der().to_vec())
        .collect();
    let fields = [
        vec![2, 1, 1],
        der(0x31, &[]),
        der(0x30, &data),
        der(0xa0, &all),
        der(0x31, &[]),
    ];
    let content = der(0xa0, &der(0x30, &fields.concat()));
    der(0x30, &[&signed_data[..], &content].concat())
}

fn params(name: &str, address: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.custom_extensions = address.map(access).into_iter().collect();
    params
}

fn authority(name: &str, address: Option<&str>, issuer: Option<&Authority>) -> Authority {
    let mut params = params(name, address);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    match issuer {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

/// A server's certificate with its key.
struct Leaf {
    certificate: Certificate,
    key: KeyPair,
}

fn leaf(name: &str, address: Option<&str>, issuer: &Authority) -> Leaf {
    leaf_of(params(name, address), name, issuer)
}

fn leaf_of(mut params: CertificateParams, name: &str, issuer: &Authority) -> Leaf {
    let named = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.subject_alt_names = named.subject_alt_names;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    Leaf { certificate, key }
}

impl Leaf {
    /// As it is written under `tls:`.
    fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.certificate.der());
        let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", digits.concat())
    }

    /// A server that shows this and `others`.
    async fn serve(&self, others: &[&Certificate]) -> Server {
        self.answer(others, |_, _| answer(200, &[], "1")).await
    }

    async fn answer(
        &self,
        others: &[&Certificate],
        script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let own = [&self.certificate];
        let chain = own.iter().chain(others).map(|one| one.der().clone());
        let chain: Vec<CertificateDer<'static>> = chain.collect();
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Server::over_tls(config, script).await
    }
}

/// A client that trusts the authority in a file of `dir`.
fn trusting(dir: &Path, authority: &Authority) -> Bench {
    let file = dir.join("ca.pem");
    std::fs::write(&file, authority.as_ref().pem()).unwrap();
    bench(json!({ "allow_private": true, "tls": { "ca": file.display().to_string() } }))
}

/// What is said of an error, without the digits of the certificate that was shown.
fn told(error: &ConnectorError, server: &Server, leaf: &Leaf) -> String {
    said(error, server).replace(&leaf.fingerprint(), "sha256:SHOWN")
}

fn https(server: &Server) -> String {
    format!("https://localhost:{}/a", server.port)
}

/// A server of authorities' certificates.
async fn published(body: Arc<std::sync::Mutex<Vec<u8>>>) -> Server {
    Server::start(move |_, asked| match asked.target() {
        "/none" => answer(404, &[], ""),
        _ => answer(200, &[], body.lock().unwrap().as_slice()),
    })
    .await
}

#[tokio::test]
async fn a_missing_intermediate_is_taken_from_where_the_certificate_says() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority("Root", None, None);
    let body = Arc::new(std::sync::Mutex::new(Vec::new()));
    let publisher = published(Arc::clone(&body)).await;
    let middle = authority("Middle", None, Some(&root));
    let other = authority("Other", None, Some(&root));
    let kinds = [
        middle.as_ref().der().to_vec(),
        middle.as_ref().pem().into_bytes(),
        bundle(&[other.as_ref(), middle.as_ref()]),
    ];
    for (index, kind) in kinds.into_iter().enumerate() {
        *body.lock().unwrap() = kind;
        let leaf = leaf("localhost", Some(&publisher.url("/middle")), &middle);
        let server = leaf.serve(&[]).await;
        let bench = trusting(dir.path(), &root);
        for _ in 0..2 {
            assert_eq!(bench.read(&https(&server)).await.unwrap(), "1");
        }
        // Fetched once, told once.
        assert_eq!(publisher.asked().len(), index + 1);
        let notes = bench
            .http
            .take_notes()
            .join("\n")
            .replace(&publisher.place, "AIA");
        assert_eq!(
            notes,
            "localhost leaves out the certificate of its issuer (CN=Middle): taken from http://AIA/middle and verified"
        );
        // Another source's client of the same process knows it.
        let config = Arc::clone(&bench.http.inner.config);
        let again = bench.http.configured(&config).unwrap();
        let again = Bench {
            http: again,
            pace: bench.pace,
        };
        again.read(&https(&server)).await.unwrap();
        assert_eq!(publisher.asked().len(), index + 1);
    }
}

#[tokio::test]
async fn two_missing_certificates_are_taken_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority("Root", None, None);
    let upper_body = Arc::new(std::sync::Mutex::new(Vec::new()));
    let upper_publisher = published(Arc::clone(&upper_body)).await;
    let upper = authority("Upper", None, Some(&root));
    *upper_body.lock().unwrap() = upper.as_ref().der().to_vec();
    let lower = authority("Lower", Some(&upper_publisher.url("/upper")), Some(&upper));
    let lower_body = Arc::new(std::sync::Mutex::new(lower.as_ref().der().to_vec()));
    let lower_publisher = published(lower_body).await;
    let leaf = leaf("localhost", Some(&lower_publisher.url("/lower")), &lower);
    let server = leaf.serve(&[]).await;
    trusting(dir.path(), &root)
        .read(&https(&server))
        .await
        .unwrap();
    assert_eq!(
        (lower_publisher.asked().len(), upper_publisher.asked().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn what_is_found_there_is_verified_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let (root, foreign_root) = (authority("Root", None, None), authority("Root", None, None));
    let middle = authority("Middle", None, Some(&foreign_root));
    let same_name = authority("Middle", None, Some(&root));
    let body = Arc::new(std::sync::Mutex::new(Vec::new()));
    let publisher = published(Arc::clone(&body)).await;
    let mut all = Vec::new();
    for (path, found) in [
        // The issuer is there, but nobody trusts it.
        ("/a", middle.as_ref().der().to_vec()),
        // A certificate of the same name with another key.
        ("/a", same_name.as_ref().der().to_vec()),
        ("/a", root.as_ref().der().to_vec()),
        ("/a", b"<html>".to_vec()),
        ("/a", vec![0x30; 300_000]),
        ("/none", Vec::new()),
    ] {
        *body.lock().unwrap() = found;
        let leaf = leaf("localhost", Some(&publisher.url(path)), &middle);
        let server = leaf.serve(&[]).await;
        let error = trusting(dir.path(), &root).fails(&https(&server)).await;
        assert!(!error.retryable, "{error}");
        assert_eq!(server.asked().len(), 0);
        all.push(format!(
            "{:?} {}",
            error.kind,
            told(&error, &server, &leaf).replace(&publisher.place, "AIA")
        ));
    }
    // What did not help is forgotten: the next connection looks anew.
    let leaf = leaf("localhost", Some(&publisher.url("/a")), &same_name);
    let server = leaf.serve(&[]).await;
    let bench = trusting(dir.path(), &root);
    *body.lock().unwrap() = middle.as_ref().der().to_vec();
    bench.fails(&https(&server)).await;
    assert_eq!(bench.http.take_notes(), [""; 0]);
    *body.lock().unwrap() = same_name.as_ref().der().to_vec();
    bench.read(&https(&server)).await.unwrap();
    insta::assert_snapshot!(all.join("\n"), @r#"
    Untrusted https://localhost:PORT/a: a certificate of the server's chain is not signed by whom it names / ask the publisher; if the certificate is theirs all the same, write `tls: { ca: FILE }` with its issuer's PEM file, or `tls: { fingerprint: "sha256:SHOWN" }`, under `source:`
    Untrusted https://localhost:PORT/a: a certificate of the server's chain is not signed by whom it names / ask the publisher; if the certificate is theirs all the same, write `tls: { ca: FILE }` with its issuer's PEM file, or `tls: { fingerprint: "sha256:SHOWN" }`, under `source:`
    Untrusted https://localhost:PORT/a: leaves out the certificate of its issuer (CN=Middle), and it is not to be had: http://AIA/a: holds another certificate, or none / save the issuer's certificates as a PEM file and write `tls: { ca: FILE }` under `source:`
    Untrusted https://localhost:PORT/a: leaves out the certificate of its issuer (CN=Middle), and it is not to be had: http://AIA/a: holds another certificate, or none / save the issuer's certificates as a PEM file and write `tls: { ca: FILE }` under `source:`
    Untrusted https://localhost:PORT/a: leaves out the certificate of its issuer (CN=Middle), and it is not to be had: http://AIA/a: the answer is larger than 262144 bytes / save the issuer's certificates as a PEM file and write `tls: { ca: FILE }` under `source:`
    Untrusted https://localhost:PORT/a: leaves out the certificate of its issuer (CN=Middle), and it is not to be had: http://AIA/none: HTTP 404 / save the issuer's certificates as a PEM file and write `tls: { ca: FILE }` under `source:`
    "#);
}

#[tokio::test]
async fn a_certificate_steers_us_into_no_private_network() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority("Root", None, None);
    let middle = authority("Middle", None, Some(&root));
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, root.as_ref().pem()).unwrap();
    let ca = file.display().to_string();
    for address in [
        "http://169.254.169.254/ca",
        "http://10.0.0.1/ca",
        "http://127.0.0.2:9/ca",
        "https://10.0.0.1/ca",
        "file:///etc/passwd",
        "http://x/${file:/etc/passwd}",
    ] {
        let server = leaf("localhost", Some(address), &middle).serve(&[]).await;
        let bench = bench(json!({ "allow_private": ["localhost"], "tls": { "ca": ca } }));
        let error = bench.fails(&https(&server)).await;
        assert_eq!(error.kind, ErrorKind::Untrusted, "{address}");
        let message = error.to_string();
        let is_refused =
            message.contains("in a private network") || message.contains("does not trust");
        assert!(is_refused || address.starts_with("http://x/"), "{message}");
        assert!(!message.contains("root:"), "{message}");
    }
}

#[tokio::test]
async fn certificates_that_are_not_right_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority("Root", None, None);
    let mut over = params("localhost", None);
    over.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let mut early = params("localhost", None);
    early.not_before = rcgen::date_time_ymd(2999, 1, 1);
    let foreign = authority("Foreign", None, None);
    let mut all = Vec::new();
    for leaf in [
        leaf_of(over, "localhost", &root),
        leaf_of(early, "localhost", &root),
        leaf("other.example", None, &root),
        leaf("localhost", None, &foreign),
    ] {
        let server = leaf.serve(&[]).await;
        let error = trusting(dir.path(), &root).fails(&https(&server)).await;
        assert_eq!((error.kind, error.retryable), (ErrorKind::Untrusted, false));
        all.push(told(&error, &server, &leaf));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    https://localhost:PORT/a: the server's certificate has expired / ask the publisher to renew it; until then write `tls: { fingerprint: "sha256:SHOWN" }` under `source:`
    https://localhost:PORT/a: the server's certificate is not valid yet / check this machine's clock
    https://localhost:PORT/a: the server's certificate is for another host / check the host's name; the certificate may be for another spelling of it, with or without www.
    https://localhost:PORT/a: the server's certificate is issued by someone whom this machine does not trust / ask the publisher; if the certificate is theirs all the same, write `tls: { ca: FILE }` with its issuer's PEM file, or `tls: { fingerprint: "sha256:SHOWN" }`, under `source:`
    "#);
    // Neither does the system trust them.
    let server = leaf("localhost", None, &root).serve(&[]).await;
    assert_eq!(
        plain().fails(&https(&server)).await.kind,
        ErrorKind::Untrusted
    );
}

#[tokio::test]
async fn one_certificate_may_be_trusted_and_no_other() {
    let root = authority("Root", None, None);
    let mut over = params("elsewhere.example", None);
    over.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let leaf = leaf_of(over, "elsewhere.example", &root);
    let server = leaf.serve(&[]).await;
    let pinned = |digits: &str| {
        bench(
            json!({ "allow_private": true, "tls": { "fingerprint": format!("sha256:{digits}") } }),
        )
    };
    // As openssl prints it.
    let digits = leaf
        .fingerprint()
        .replace("sha256:", "")
        .to_ascii_uppercase();
    let pairs: Vec<&str> = (0..64).step_by(2).map(|at| &digits[at..at + 2]).collect();
    pinned(&pairs.join(":"))
        .read(&https(&server))
        .await
        .unwrap();
    let error = pinned(&"ab".repeat(32)).fails(&https(&server)).await;
    assert_eq!(error.kind, ErrorKind::Untrusted);
    insta::assert_snapshot!(told(&error, &server, &leaf));
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_told_with_its_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    // As `openssl req -x509` makes it: signed by itself, and an authority (CA:TRUE).
    let mut own = params("localhost", None);
    own.subject_alt_names = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .subject_alt_names;
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = own.self_signed(&key).unwrap();
    let file = dir.path().join("own.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let leaf = Leaf { certificate, key };
    let server = leaf.serve(&[]).await;
    let trusting = |tls| bench(json!({ "allow_private": true, "tls": tls }));
    let error = trusting(json!({ "ca": file.display().to_string() }))
        .fails(&https(&server))
        .await;
    assert_eq!((error.kind, error.retryable), (ErrorKind::Untrusted, false));
    insta::assert_snapshot!(told(&error, &server, &leaf));
    // The mend does mend it.
    let mended = trusting(json!({ "fingerprint": leaf.fingerprint() }));
    assert_eq!(mended.read(&https(&server)).await.unwrap(), "1");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // As web servers answer a greeting that is no request.
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
            stream.write_all(head).await.unwrap();
        }
    });
    let bench = plain();
    let error = bench.fails(&format!("https://127.0.0.1:{port}/a")).await;
    task.abort();
    assert!(bench.pace.slept().is_empty(), "asked again");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    let said = format!("{error} / {}", error.help.as_deref().unwrap_or_default());
    insta::assert_snapshot!(said.replace(&port.to_string(), "PORT"));
}

#[tokio::test]
async fn a_redirect_leads_out_of_no_encryption() {
    let dir = tempfile::tempdir().unwrap();
    let root = authority("Root", None, None);
    let plain = Server::start(|_, _| answer(200, &[], "1")).await;
    let line = format!("Location: {}", plain.url("/a?token=s3cr3t"));
    let server = leaf("localhost", None, &root)
        .answer(&[], move |_, _| answer(302, &[&line], ""))
        .await;
    let error = trusting(dir.path(), &root).fails(&https(&server)).await;
    assert_eq!(error.kind, ErrorKind::Redirect);
    let told = said(&error, &server).replace(&plain.place, "PLAIN");
    insta::assert_snapshot!(told, @"https://localhost:PORT/a: redirects from https to http://PLAIN/a?token=***, which is not encrypted / write the http:// address itself if you trust it");
    assert_eq!(plain.asked().len(), 0);
}

#[test]
fn a_file_of_authorities_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
    let mut all = Vec::new();
    for (name, content) in [
        ("none.pem", None),
        ("empty.pem", Some("")),
        (
            "bad.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ),
    ] {
        let file = dir.path().join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let config = config(json!({ "tls": { "ca": file.display().to_string() } })).unwrap();
        let error = http.configured(&Arc::new(config)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Local);
        let said = format!("{error} / {}", error.help.as_deref().unwrap_or_default());
        all.push(said.replace(&dir.path().display().to_string(), "DIR"));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    DIR/none.pem: cannot be read: I/O error: No such file or directory (os error 2) / `tls: { ca: … }` names a PEM file with one or more BEGIN CERTIFICATE blocks
    DIR/empty.pem: holds no certificate: no root trust anchors were provided / `tls: { ca: … }` names a PEM file with one or more BEGIN CERTIFICATE blocks
    DIR/bad.pem: holds a broken certificate: invalid peer certificate: BadEncoding / `tls: { ca: … }` names a PEM file with one or more BEGIN CERTIFICATE blocks
    "#);
}
