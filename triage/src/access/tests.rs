//! Do keys open what they are for, as long as they are for it, and nothing else?

use engine::{Desk, Store};
use jiff::{Timestamp, ToSpan};
use ontology::{Audience, Audiences, TenantId};

use super::{AccessError, Grant, Keys, NewKey, RANDOM_BYTES, Secret, permit};
use crate::audit;
use crate::policy::{Action, PersonId, Policies, Role};

fn now() -> Timestamp {
    "2026-11-01T08:00:00Z".parse().unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// A desk's store in a folder of its own.
fn store(folder: &tempfile::TempDir, name: &str) -> Store {
    Desk::open(folder.path(), &tenant(name), None).unwrap().store()
}

fn wanted(name: &str, role: Role) -> NewKey {
    NewKey { name: name.to_owned(), roles: [role].into(), audiences: Audiences::All, expires: None }
}

fn make(keys: &Keys, wanted: NewKey, random: u8) -> (super::Key, Secret) {
    keys.create(wanted, &[random; RANDOM_BYTES], &PersonId::new("operator"), now()).unwrap()
}

#[test]
fn a_key_opens_the_desk_that_it_was_made_for_and_is_kept_as_a_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (store(&folder, "one"), store(&folder, "other"));
    let keys = Keys::open(one.clone(), tenant("one")).unwrap();
    assert!(!keys.has_any());
    let security = Audiences::Only([Audience::new("security").unwrap()].into());
    let (key, secret) = make(&keys, NewKey { audiences: security.clone(), ..wanted("mia", Role::Agent) }, 7);
    let shown = secret.reveal();
    let grant = Grant {
        person: PersonId::new("mia"),
        roles: [Role::Agent].into(),
        audiences: security,
        key: Some(key.id.clone()),
        until: None,
    };
    assert_eq!(keys.admit(&shown, now()).unwrap(), grant);

    let again = Keys::open(one.clone(), tenant("one")).unwrap();
    assert_eq!(again.admit(&shown, now()).unwrap(), grant, "it is kept");
    assert_eq!(again.list(), [key]);
    let others = Keys::open(other, tenant("other")).unwrap();
    assert!(matches!(others.admit(&shown, now()), Err(AccessError::OtherTenant { .. })));
    let renamed = shown.replace("tgk_one_", "tgk_other_");
    assert!(matches!(others.admit(&renamed, now()), Err(AccessError::Unknown)), "nor under its name");

    let body = one.items("key", None, "", 10).unwrap().remove(0).body;
    let kept = String::from_utf8(body).unwrap();
    let random = shown.rsplit('_').next().unwrap();
    assert!(!kept.contains(random) && !format!("{secret:?}").contains(random));
    let told = one.journal(audit::STREAM, 0, 10).unwrap();
    assert!(told.len() == 1 && !String::from_utf8_lossy(&told[0].body).contains(random));
}

#[test]
fn what_is_not_the_whole_key_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(store(&folder, "my_desk"), tenant("my_desk")).unwrap();
    let shown = make(&keys, wanted("mia", Role::Agent), 7).1.reveal();
    assert!(keys.admit(&shown, now()).is_ok(), "also where the tenant has a _ in its name");
    let last = shown.len() - 1;
    for wrong in [
        String::new(),
        "tgk_my_desk".to_owned(),
        shown[..last].to_owned(),
        format!("{}0", &shown[..last]),
        shown.to_uppercase(),
        format!("{shown} "),
        shown.replacen("0707", "0708", 1),
    ] {
        assert!(matches!(keys.admit(&wrong, now()), Err(AccessError::Unknown)), "{wrong:?}");
    }
}

#[test]
fn keys_expire_and_are_revoked_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, "main");
    let keys = Keys::open(store.clone(), tenant("main")).unwrap();
    let expires = Some(now() + 1.hour());
    let (_, short) = make(&keys, NewKey { expires, ..wanted("mia", Role::Agent) }, 1);
    let (taken, long) = make(&keys, wanted("ben", Role::Lead), 2);
    let later = now() + 1.hour();
    assert!(keys.admit(&short.reveal(), later - 1.second()).is_ok());
    assert!(matches!(keys.admit(&short.reveal(), later), Err(AccessError::Expired { .. })));

    let admin = PersonId::new("fay");
    keys.revoke(taken.id.as_str(), &admin, now()).unwrap();
    assert!(matches!(keys.admit(&long.reveal(), now()), Err(AccessError::Revoked { .. })));
    assert!(!keys.is_good(&taken.id, now()));
    let first = keys.revoke(taken.id.as_str(), &admin, later).unwrap().revoked;
    assert_eq!(first, Some(now()), "a second time changes nothing");
    assert!(matches!(keys.revoke("000000000000", &admin, now()), Err(AccessError::NoSuchKey { .. })));
    let again = Keys::open(store, tenant("main")).unwrap();
    assert!(matches!(again.admit(&long.reveal(), now()), Err(AccessError::Revoked { .. })));
    assert!(again.has_any(), "the door stays shut when no key is good any more");
}

#[test]
fn keys_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(store(&folder, "main"), tenant("main")).unwrap();
    let mia = || wanted("mia", Role::Agent);
    for wrong in [
        wanted("", Role::Agent),
        wanted("mia jones", Role::Agent),
        wanted("oidc:mia", Role::Agent),
        wanted("operator", Role::Agent),
        NewKey { roles: [].into(), ..mia() },
        NewKey { audiences: Audiences::Only([].into()), ..mia() },
        NewKey { expires: Some(now()), ..mia() },
    ] {
        let refused = keys.create(wrong.clone(), &[7; RANDOM_BYTES], &PersonId::new("fay"), now());
        assert!(matches!(refused, Err(AccessError::Wanted { .. })), "{wrong:?}");
    }
    assert!(!keys.has_any());
}

#[test]
fn who_may_not_is_told_who_may() {
    let policies = Policies::built_in().unwrap();
    let grant = |role| Grant { roles: [role].into(), person: PersonId::new("kim"), ..Grant::operator() };
    assert!(permit(&policies, &grant(Role::Auditor), Action::ReadAudit, false).is_ok());
    let denied = permit(&policies, &grant(Role::Agent), Action::WriteRecords, false).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "kim (agent) may not write_records: it takes the role knowledge_manager, service or admin"
    );
    for action in Action::ALL.iter().copied().filter(|action| action.is_of_desk()) {
        assert!(permit(&policies, &Grant::operator(), action, false).is_ok(), "{action}");
    }
}
