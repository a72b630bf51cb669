//! What was the tree at some size, and who says so? Checkpoints as C2SP describes them (c2sp.org/tlog-checkpoint).

use super::{NoteError, PublicKey, Signer, TreeHead};

/// A tree's head with its signature. There is none whose signature was not checked.
///
/// Its text is a signed note of three lines: the origin, which is the key's name; the number of entries; the root in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Box<str>,
    head: TreeHead,
    text: String,
}

impl Checkpoint {
    /// Reads a checkpoint and checks its signature with nothing but the public key.
    ///
    /// # Errors
    /// [`NoteError`] when the text is no checkpoint, or not one that this key signed.
    pub fn open(text: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let signed = key.open(text)?;
        let form = |reason| NoteError::Form { reason };
        let mut lines = signed.lines();
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(form("its text is not origin, size and root"));
        };
        if origin != key.name() {
            return Err(form("its origin is not the name of its key"));
        }
        let number: Option<u64> = size.parse().ok().filter(|number: &u64| number.to_string() == size);
        let size = number.ok_or(form("its second line is no size"))?;
        let root = root.parse().or(Err(form("its third line is no hash")))?;
        Ok(Self { origin: origin.into(), head: TreeHead { size, root }, text: text.to_owned() })
    }

    /// Signs a head.
    pub(super) fn sign(head: TreeHead, signer: &Signer) -> Self {
        let origin = signer.public_key().name();
        let text = signer.sign(&format!("{origin}\n{}\n{}\n", head.size, head.root));
        Self { origin: origin.into(), head, text }
    }

    /// Which log it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The tree's head.
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The signed text, to keep elsewhere and to hand to others.
    pub fn text(&self) -> &str {
        &self.text
    }
}
