//! Who signed this text? Signed notes as C2SP describes them (c2sp.org/signed-note), with Ed25519 keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// The signature type of Ed25519 in a key's id and text.
const ED25519: u8 = 1;
/// Bytes of a note at most: a checkpoint with the signatures of many witnesses fits.
const NOTE_LIMIT_BYTES: usize = 128 * 1024;
/// What a signature line begins with: an em dash and a space.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// What somebody else needs to check a signature: the signer's name and public key.
///
/// Written as `NAME+ID+KEY`, the form that Go's `sumdb/note` and the tools around it read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: Box<str>,
    key: VerifyingKey,
}

/// What signs. The secret is wiped from memory when this is dropped.
pub struct Signer {
    public: PublicKey,
    key: SigningKey,
}

/// Why a key or a signed text cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// A key has a name that no key may have.
    #[error(
        "a key's name is one or more visible characters without spaces and +, such as desk.example/audit"
    )]
    Name,
    /// The text is no public key.
    #[error("the public key is not NAME+ID+KEY with an Ed25519 key: copy it whole")]
    Key,
    /// The text is no signed checkpoint.
    #[error(
        "the text is no signed checkpoint ({reason}): copy it whole, with its blank line and last line break"
    )]
    Form {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// None of the signatures is of this key.
    #[error("the checkpoint is not signed with the key {key}: take the public key of the log that made it")]
    Unsigned {
        /// The key that was expected.
        key: String,
    },
    /// The signature is not one of this text.
    #[error("the signature of {key} does not fit the checkpoint: it was changed, do not trust it")]
    Signature {
        /// The key that it names.
        key: String,
    },
}

impl NoteError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "audit-key-name",
            Self::Key => "audit-key",
            Self::Form { .. } => "checkpoint-form",
            Self::Unsigned { .. } => "checkpoint-unsigned",
            Self::Signature { .. } => "checkpoint-signature",
        }
    }
}

impl Signer {
    /// A signer of this name with a secret of 32 random bytes (the seed of RFC 8032).
    ///
    /// # Errors
    /// [`NoteError::Name`] when the name is empty or has a space, a control character or a plus.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(secret);
        Ok(Self { public: PublicKey::new(name, key.verifying_key())?, key })
    }

    /// What others check the signatures with.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A text that ends in a line break, with a blank line and the signature behind it.
    pub(super) fn sign(&self, text: &str) -> String {
        let mut signature = self.public.id().to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{SIGNATURE_MARK}{} {}\n", self.public.name, STANDARD.encode(signature))
    }
}

impl PublicKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(refused) {
            Err(NoteError::Name)
        } else {
            Ok(Self { name: name.into(), key })
        }
    }

    /// Whose key it is; the origin of the checkpoints that it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signed text of a note, its last line break included. Signatures of other keys are passed over.
    pub(super) fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        if note.len() > NOTE_LIMIT_BYTES || note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Form { reason: "it is too long or has control characters" });
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Form { reason: "it has no blank line" })? + 1;
        let (text, signatures) = (&note[..end], &note[end + 1..]);
        if !signatures.ends_with('\n') {
            return Err(NoteError::Form { reason: "its last line is cut off" });
        }
        let mut is_signed = false;
        for line in signatures.lines() {
            let (name, bytes) =
                signature(line).ok_or(NoteError::Form { reason: "it has a line that is no signature" })?;
            if let Some(signature) = bytes.strip_prefix(&self.id()).filter(|_| name == &*self.name) {
                let holds = Signature::from_slice(signature)
                    .and_then(|signature| self.key.verify_strict(text.as_bytes(), &signature));
                if holds.is_err() {
                    return Err(NoteError::Signature { key: self.to_string() });
                }
                is_signed = true;
            }
        }
        if is_signed { Ok(text) } else { Err(NoteError::Unsigned { key: self.to_string() }) }
    }

    /// The first bytes of a hash over name and key, which tell keys of one name apart.
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&*self.name).chain_update([b'\n', ED25519]);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.chain_update(self.key.as_bytes()).finalize());
        [a, b, c, d]
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(key))
    }
}

impl FromStr for PublicKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(key).ok().filter(|bytes| bytes.first() == Some(&ED25519));
        let bytes: [u8; 32] = bytes.and_then(|bytes| bytes[1..].try_into().ok()).ok_or(NoteError::Key)?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).ok_or(NoteError::Key)?;
        let key = Self::new(name, key)?;
        // The id between the two is a checksum over both.
        if key.to_string() == text { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// Name and bytes of a signature line: four of the key's id, then the signature.
fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    (!name.is_empty() && bytes.len() > 4).then_some((name, bytes))
}
