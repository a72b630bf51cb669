//! How does a classifier lie in a file, and is a file whole?
//!
//! Eight letters, the format's number, the length of the head, the head as JSON, the numbers of all columns, and the SHA-256 of
//! all that; whole numbers and fractions with the lowest byte first.

use sha2::{Digest, Sha256};

use super::features::Vocabulary;
use super::{Classifier, ClassifierError, Head};
use crate::catalog::hex;

const MAGIC: &[u8; 8] = b"tgtriage";
const FORMAT: u32 = 1;
const DIGEST_BYTES: usize = 32;

impl Classifier {
    /// Reads a model from its bytes.
    ///
    /// # Errors
    /// [`ClassifierError::Newer`] for a later format, [`ClassifierError::Damaged`] for anything else that is not a whole
    /// model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClassifierError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin as one"))?;
        let (format, _) = number(rest)?;
        if format > FORMAT {
            return Err(ClassifierError::Newer { found: format, known: FORMAT });
        }
        let end = bytes.len().saturating_sub(DIGEST_BYTES);
        let (content, written) = bytes.split_at(end);
        if Sha256::digest(content).as_slice() != written {
            return Err(damaged("its checksum does not fit its content"));
        }
        let (_, rest) = number(content.get(MAGIC.len()..).unwrap_or_default())?;
        let (length, rest) = number(rest)?;
        let (head, rest) = split(rest, length as usize)?;
        let head: Head = serde_json::from_slice(head).map_err(|error| damaged(&error.to_string()))?;
        let columns = head.grams.saturating_add(head.vector_columns).saturating_add(1);
        let (hashes, rest) = split(rest, head.grams.saturating_mul(8))?;
        let (rarity, rest) = split(rest, head.grams.saturating_mul(4))?;
        let (steps, rest) = split(rest, columns.saturating_mul(4))?;
        let is_sound = head.labels.len() > 1 && head.calibration.is_sound();
        if !is_sound || rest.len() != columns.saturating_mul(head.labels.len()) {
            return Err(damaged("its parts do not fit each other"));
        }
        let hashes = hashes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        Ok(Self {
            vocabulary: Vocabulary::new(hashes, floats(rarity)),
            weights: rest.iter().map(|byte| byte.cast_signed()).collect(),
            steps: floats(steps),
            head,
            digest: hex(written),
        })
    }

    /// The model as bytes; their SHA-256, which stands at their end, is its [`digest`](Self::digest).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.content();
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    /// The model under its own name, once all else is in place.
    pub(super) fn with_digest(mut self) -> Self {
        self.digest = hex(&Sha256::digest(self.content()));
        self
    }

    fn content(&self) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "a head is text and finite numbers, which JSON can always hold"
        )]
        let head = serde_json::to_vec(&self.head).expect("a head is always JSON");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend(head);
        bytes.extend(self.vocabulary.hashes().iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.vocabulary.rarity().iter().flat_map(|rarity| rarity.to_le_bytes()));
        bytes.extend(self.steps.iter().flat_map(|step| step.to_le_bytes()));
        bytes.extend(self.weights.iter().map(|weight| weight.cast_unsigned()));
        bytes
    }
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), ClassifierError> {
    let (number, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("it is cut off"))?;
    Ok((u32::from_le_bytes(*number), rest))
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), ClassifierError> {
    bytes.split_at_checked(at).ok_or_else(|| damaged("it is cut off"))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn damaged(reason: &str) -> ClassifierError {
    ClassifierError::Damaged { reason: reason.to_owned() }
}
