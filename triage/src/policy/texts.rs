//! Which texts make a set of policies: the built-in ones, or those of a desk's folder in their place and beside them?

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{Fault, PolicyError};

/// The words that policies know.
pub(super) const SCHEMA: Text =
    Text::built_in("schema.cedarschema", include_str!("../../policy/schema.cedarschema"));
const GUARDS: Text = Text::built_in("guards.cedar", include_str!("../../policy/guards.cedar"));
const DEFAULT: Text = Text::built_in("default.cedar", include_str!("../../policy/default.cedar"));
const ACCESS: Text = Text::built_in("access.cedar", include_str!("../../policy/access.cedar"));
const AGENTS: Text = Text::built_in("agents.cedar", include_str!("../../policy/agents.cedar"));
/// The levels of a desk that has said nothing about them.
pub const BUILT_IN_AUTONOMY: &str = include_str!("../../policy/autonomy.toml");
const AUTONOMY: Text = Text::built_in("autonomy.toml", BUILT_IN_AUTONOMY);
const SERVICE: Text = Text::built_in("service.toml", include_str!("../../policy/service.toml"));
/// What the executor of a desk may be told to do.
const EXECUTOR: &str = "executor.toml";
/// Far more than people write by hand; what is larger is there by mistake.
const MOST_BYTES: usize = 1 << 20;

/// A file's name and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) file: Cow<'static, str>,
    pub(super) text: Cow<'static, str>,
}

impl Text {
    const fn built_in(file: &'static str, text: &'static str) -> Self {
        Self { file: Cow::Borrowed(file), text: Cow::Borrowed(text) }
    }
}

/// What a set is made of.
#[derive(Debug)]
pub(super) struct Texts {
    /// The guards first, then the others by name.
    pub(super) policies: Vec<Text>,
    pub(super) autonomy: Text,
}

impl Texts {
    /// The texts that are part of the program.
    pub(super) fn built_in() -> Self {
        Self { policies: vec![GUARDS, DEFAULT, ACCESS, AGENTS], autonomy: AUTONOMY }
    }

    /// A folder's `*.cedar` and `autonomy.toml`; the built-in text where it has no `default.cedar`, `access.cedar`,
    /// `agents.cedar` or `autonomy.toml`.
    ///
    /// # Errors
    /// [`PolicyError::Read`] where folder or file cannot be read, [`PolicyError::Policies`] for a file that takes the guards' name or
    /// is larger than any policy.
    pub(super) fn read(folder: &Path) -> Result<Self, PolicyError> {
        let unreadable = |path: &Path, source| PolicyError::Read { path: path.to_owned(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let name = entry.map_err(|error| unreadable(folder, error))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name == AUTONOMY.file || (name.ends_with(".cedar") && !name.starts_with('.')) {
                names.push(name);
            }
        }
        names.sort();
        let mut texts = Self { policies: vec![GUARDS], autonomy: AUTONOMY };
        let is_own = |text: &Text| names.iter().any(|name| *name == text.file);
        texts.policies.extend([DEFAULT, ACCESS, AGENTS].into_iter().filter(|text| !is_own(text)));
        for name in names {
            let path = folder.join(&name);
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            let refused = |problem: &str| Err(PolicyError::Policies(vec![Fault::at(&name, "", 0, problem)]));
            if name == GUARDS.file {
                return refused("the guards are part of the program: give this file another name");
            }
            if text.len() > MOST_BYTES {
                return refused("more than 1 MiB: this is no file of policies");
            }
            let file = Cow::Owned(name);
            let text = Text { file, text: Cow::Owned(text) };
            if text.file == AUTONOMY.file {
                texts.autonomy = text;
            } else {
                texts.policies.push(text);
            }
        }
        Ok(texts)
    }

    /// A folder's `service.toml`, or the built-in one. It is apart, since no decision rests on it.
    ///
    /// # Errors
    /// [`PolicyError::Read`] where it cannot be read.
    pub(super) fn service(folder: Option<&Path>) -> Result<Text, PolicyError> {
        let Some(path) = folder.map(|folder| folder.join(&*SERVICE.file)) else { return Ok(SERVICE) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Text { file: SERVICE.file, text: Cow::Owned(text) }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(SERVICE),
            Err(source) => Err(PolicyError::Read { path, source }),
        }
    }

    /// A folder's `executor.toml`, if it has one. Apart as well: a proposal that rests on it holds its hash itself.
    ///
    /// # Errors
    /// [`PolicyError::Read`] where it cannot be read.
    pub(super) fn executor(folder: &Path) -> Result<Option<Text>, PolicyError> {
        let path = folder.join(EXECUTOR);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Text { file: Cow::Borrowed(EXECUTOR), text: Cow::Owned(text) })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(PolicyError::Read { path, source }),
        }
    }

    /// A hash over schema, policies and settings: another one where any of them says something else.
    pub(super) fn version(&self) -> String {
        let mut digest = Sha256::new();
        for text in std::iter::once(&SCHEMA).chain(&self.policies).chain(std::iter::once(&self.autonomy)) {
            for part in [&text.file, &text.text] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part.as_bytes());
            }
        }
        digest.finalize().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
