//! Do roots and proofs agree with the known answers of Certificate Transparency and with `ct-merkle`?

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::Sha256;

use super::super::{AuditError, Consistency, Hash, Inclusion, ProofError, Tree, TreeHead, leaf};
use super::{Book, entry};

/// The leaves, roots and proofs that the tests of Certificate Transparency have used from the beginning.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const INCLUSION_5_OF_8: [&str; 3] = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];
const CONSISTENCY_6_TO_8: [&str; 3] = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];
/// Sizes that the proofs are tried at: past 64, so with ragged edges of every depth below.
const SIZES: u64 = 70;

fn hex(hash: &Hash) -> String {
    hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hexes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(hex).collect()
}

fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[test]
fn roots_and_proofs_are_the_known_ones() {
    let mut tree = Tree::default();
    for leaf in LEAVES {
        tree.push(Hash::of_leaf(leaf));
    }
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&tree.head(size as u64).unwrap().root), *root);
    }
    assert_eq!(hexes(&tree.inclusion(5, 8).unwrap().audit_path), INCLUSION_5_OF_8);
    assert_eq!(hexes(&tree.consistency(6, 8).unwrap().consistency), CONSISTENCY_6_TO_8);
}

#[test]
fn every_proof_is_that_of_the_crate_and_holds() {
    let book = Book::of(SIZES);
    let tree = book.tree();
    let mut peer = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=SIZES {
        peer.push(leaf(&entry(size)));
        let head = tree.head(size).unwrap();
        assert_eq!(head.root.as_bytes(), &<[u8; 32]>::from(*peer.root().as_bytes()));
        for index in 0..size {
            let proof = tree.inclusion(index, size).unwrap();
            assert_eq!(bytes(&proof.audit_path), peer.prove_inclusion(index as usize).as_bytes());
            proof.verify(&leaf(&entry(index + 1)), &head).unwrap();
            assert_eq!(proof.verify(&leaf(&entry(index + 2)), &head), Err(ProofError::Leaf));
        }
        for first in 1..=size {
            let proof = tree.consistency(first, size).unwrap();
            assert_eq!(bytes(&proof.consistency), peer.prove_consistency((size - first) as usize).as_bytes());
            proof.verify(&tree.head(first).unwrap(), &head).unwrap();
        }
    }
}

#[test]
fn what_the_tree_does_not_have_is_refused() {
    let mut tree = Book::of(9).tree();
    for refused in [tree.inclusion(3, 10), tree.inclusion(3, 3), tree.inclusion(0, 0)] {
        assert!(matches!(refused, Err(AuditError::Size { size: 9 })));
    }
    for refused in [tree.consistency(0, 5), tree.consistency(6, 5), tree.consistency(5, 10)] {
        assert!(matches!(refused, Err(AuditError::Size { size: 9 })));
    }
    assert!(matches!(tree.head(10), Err(AuditError::Size { size: 9 })));
    assert!(matches!(tree.catch_up(&Book::of(8)), Err(AuditError::Truncated { found: 8, known: 9 })));
    assert_eq!(tree.catch_up(&Book::of(2500)).unwrap(), 2491);
    assert_eq!(tree.head(2500).unwrap(), Book::of(2500).tree().head(2500).unwrap());
}

#[test]
fn a_proof_of_a_size_that_no_log_has_is_refused() {
    let size = u64::MAX;
    let head = TreeHead { size, root: Hash::of_leaf(b"a") };
    let hash = Hash::of_leaf(b"a");
    let inclusion =
        Inclusion { leaf_index: size - 1, tree_size: size, leaf_hash: hash, audit_path: vec![hash] };
    assert!(matches!(inclusion.verify(b"a", &head), Err(ProofError::Size { .. })));
    let consistency = Consistency { first: size - 1, second: size, consistency: vec![hash] };
    let old = TreeHead { size: size - 1, ..head };
    assert!(matches!(consistency.verify(&old, &head), Err(ProofError::Size { .. })));
    let nothing = TreeHead { size: 0, root: Hash::of_nothing() };
    let consistency = Consistency { first: 0, second: 1, consistency: vec![] };
    assert_eq!(consistency.verify(&nothing, &TreeHead { size: 1, root: hash }), Err(ProofError::Root));
}

#[test]
fn proofs_go_over_the_wire_as_rfc_6962_names_them() {
    let tree = Book::of(3).tree();
    let inclusion = serde_json::to_value(tree.inclusion(2, 3).unwrap()).unwrap();
    assert_eq!(inclusion["leaf_index"], 2);
    assert_eq!(inclusion["tree_size"], 3);
    assert_eq!(inclusion["audit_path"][0].as_str().unwrap().len(), 44);
    let back: Inclusion = serde_json::from_value(inclusion).unwrap();
    back.verify(&leaf(&entry(3)), &tree.head(3).unwrap()).unwrap();
    let consistency = serde_json::to_string(&tree.consistency(2, 3).unwrap()).unwrap();
    assert!(consistency.starts_with(r#"{"first":2,"second":3,"consistency":[""#), "{consistency}");
    let back: Consistency = serde_json::from_str(&consistency).unwrap();
    back.verify(&tree.head(2).unwrap(), &tree.head(3).unwrap()).unwrap();
}

fn flipped(hash: &mut Hash, bit: usize) {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    *hash = bytes.into();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_inclusion_proof_with_any_bit_flipped_is_refused(
        size in 1..=SIZES,
        place in any::<Index>(),
        part in any::<Index>(),
        bit in 0..256_usize,
    ) {
        let tree = Book::of(SIZES).tree();
        let index = place.index(size as usize) as u64;
        let mut proof = tree.inclusion(index, size).unwrap();
        let (mut head, mut leaf) = (tree.head(size).unwrap(), leaf(&entry(index + 1)));
        proof.verify(&leaf, &head).unwrap();
        match part.index(7) {
            0 => proof.leaf_index ^= 1 << (bit % 64),
            1 => proof.tree_size ^= 1 << (bit % 64),
            2 => flipped(&mut proof.leaf_hash, bit),
            3 => flipped(&mut head.root, bit),
            4 => { let byte = bit % leaf.len(); leaf[byte] ^= 1 << (bit % 8); }
            5 => proof.audit_path.push(head.root),
            _ if proof.audit_path.is_empty() => head.size += 1,
            _ => { let node = bit % proof.audit_path.len(); flipped(&mut proof.audit_path[node], bit); }
        }
        prop_assert!(proof.verify(&leaf, &head).is_err());
    }

    #[test]
    fn a_consistency_proof_with_any_bit_flipped_is_refused(
        second in 1..=SIZES,
        place in any::<Index>(),
        part in any::<Index>(),
        bit in 0..256_usize,
    ) {
        let tree = Book::of(SIZES).tree();
        let first = place.index(second as usize) as u64 + 1;
        let mut proof = tree.consistency(first, second).unwrap();
        let (mut old, mut new) = (tree.head(first).unwrap(), tree.head(second).unwrap());
        proof.verify(&old, &new).unwrap();
        match part.index(6) {
            0 => proof.first ^= 1 << (bit % 64),
            1 => proof.second ^= 1 << (bit % 64),
            2 => flipped(&mut old.root, bit),
            3 => flipped(&mut new.root, bit),
            4 => proof.consistency.push(new.root),
            _ if proof.consistency.is_empty() => new.size += 1,
            _ => { let node = bit % proof.consistency.len(); flipped(&mut proof.consistency[node], bit); }
        }
        prop_assert!(proof.verify(&old, &new).is_err());
    }
}
