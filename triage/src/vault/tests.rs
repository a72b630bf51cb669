//! Does a seal open for its own ticket, tenant and key, and for nothing else?

use engine::Desk;
use models::{RedactionPolicy, Redactor};
use ontology::{Kind, Lineage, Observation, Record};
use proptest::prelude::{any, prop_assert, proptest};

use super::*;

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// Nonces for tests: each its own.
fn drawn() -> Option<[u8; NONCE_BYTES]> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Some(nonce)
}

fn vault(name: &str, key: u8) -> Vault {
    Vault::new(tenant(name), &[key; KEY_BYTES], drawn)
}

fn withheld(text: &str) -> Withheld {
    let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    let session = redactor.session();
    let _ = session.redact(text);
    Withheld { values: session.hidden(), about: [id("sn:1"), id("sn:neighbour")].into() }
}

struct Made {
    _folder: tempfile::TempDir,
    desk: Desk,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::open(folder.path(), &tenant("main"), None).unwrap();
        let lineage = || Lineage {
            origin: "test".to_owned(),
            place: None,
            mapping: "test".to_owned(),
            observed: "2026-11-01T08:00:00Z".parse().unwrap(),
        };
        let record =
            |name: &str| Observation::unversioned(Record::new(id(name), Kind::Incident, "Mail"), lineage());
        desk.apply(vec![record("sn:1"), record("sn:2"), record("sn:neighbour")]).unwrap();
        Self { _folder: folder, desk }
    }

    fn seal(&self, vault: &Vault, ticket: &str, text: &str) {
        self.desk.store().write(|batch| vault.seal(batch, &id(ticket), &withheld(text))).unwrap();
    }

    fn kept(&self, ticket: &str) -> Item {
        self.desk.store().item(HIDDEN, ticket).unwrap().unwrap()
    }

    fn put(&self, item: &Item) {
        self.desk.store().write(|batch| batch.put(item)).unwrap();
    }
}

#[test]
fn what_was_sealed_is_given_back_and_stands_nowhere_in_the_open() {
    let (made, vault) = (Made::new(), vault("main", 1));
    assert!(!Vault::has_sealed(&made.desk.store()).unwrap());
    made.seal(&vault, "sn:1", "nothing to hide");
    assert!(!Vault::has_sealed(&made.desk.store()).unwrap());
    made.seal(&vault, "sn:1", "ann@example.org at 10.1.2.3");
    assert!(Vault::has_sealed(&made.desk.store()).unwrap());
    let kept = made.kept("sn:1");
    let body = String::from_utf8(kept.body.clone()).unwrap();
    assert!(!body.contains("ann") && !body.contains("EMAIL") && body.contains("sn:neighbour"), "{body}");
    let opened = vault.open(&made.desk.store(), &id("sn:1")).unwrap();
    let expected = [("[EMAIL_1]", "ann@example.org"), ("[IP_1]", "10.1.2.3")];
    assert_eq!(opened, expected.map(|(at, value)| (at.to_owned(), value.to_owned())).into());
    assert_eq!(vault.open(&made.desk.store(), &id("sn:2")).unwrap(), BTreeMap::new());

    made.seal(&vault, "sn:1", "ann@example.org at 10.1.2.3");
    assert_ne!(made.kept("sn:1").body, kept.body, "each seal has a nonce of its own");
    made.seal(&vault, "sn:1", "nothing to hide");
    assert_eq!(
        vault.open(&made.desk.store(), &id("sn:1")).unwrap(),
        BTreeMap::new(),
        "the latest triage counts"
    );
}

#[test]
fn another_key_is_named_and_another_tenant_or_ticket_opens_nothing() {
    let made = Made::new();
    made.seal(&vault("main", 1), "sn:1", "ann@example.org");
    let store = made.desk.store();
    let error = vault("main", 2).open(&store, &id("sn:1")).unwrap_err();
    let (sealed, here) = (vault("main", 1).key, vault("main", 2).key);
    let said = error.to_string();
    assert!(error.code() == "vault-key" && said.contains(&sealed) && said.contains(&here), "{said}");
    assert_eq!(vault("other", 1).open(&store, &id("sn:1")).unwrap_err().code(), "vault-broken");
    made.put(&Item { key: "sn:2".to_owned(), ..made.kept("sn:1") });
    assert_eq!(vault("main", 1).open(&store, &id("sn:2")).unwrap_err().code(), "vault-broken");
}

#[test]
fn a_purge_of_the_ticket_or_of_what_was_at_hand_empties_the_seal() {
    for purged in ["sn:1", "sn:neighbour"] {
        let (made, vault) = (Made::new(), vault("main", 1));
        made.seal(&vault, "sn:1", "ann@example.org");
        assert!(made.desk.purge(&id(purged), "2026-11-01T09:00:00Z".parse().unwrap()).unwrap());
        assert!(made.kept("sn:1").body.is_empty(), "{purged}");
        assert_eq!(vault.open(&made.desk.store(), &id("sn:1")).unwrap(), BTreeMap::new());
    }
}

proptest! {
    #[test]
    fn a_seal_that_was_changed_never_opens(at in any::<proptest::sample::Index>(), bit in 0..8_u32) {
        let (made, vault) = (Made::new(), vault("main", 1));
        made.seal(&vault, "sn:1", "ann@example.org");
        let mut kept = made.kept("sn:1");
        let mut seal: Seal = serde_json::from_slice(&kept.body).unwrap();
        let mut bytes = STANDARD.decode(&seal.nonce).unwrap();
        bytes.extend(STANDARD.decode(&seal.sealed).unwrap());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        seal.nonce = STANDARD.encode(&bytes[..NONCE_BYTES]);
        seal.sealed = STANDARD.encode(&bytes[NONCE_BYTES..]);
        kept.body = serde_json::to_vec(&seal).unwrap();
        made.put(&kept);
        let opened = vault.open(&made.desk.store(), &id("sn:1"));
        prop_assert!(matches!(opened, Err(VaultError::Broken { .. })), "{opened:?}");
    }
}
