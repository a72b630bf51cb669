//! Which files make a BERT embedder, and are they the ones that the catalog names?

use std::fs;
use std::path::{Path, PathBuf};

use candle_transformers::models::bert::Config;

use crate::catalog::Catalog;
use crate::embedder::{EmbedError, EmbedderId};

const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const CONFIG: &str = "config.json";

/// The contents of a model folder, checked.
pub(crate) struct ModelFolder {
    /// The id of the embedder that these files make.
    pub(crate) id: EmbedderId,
    /// Where the weights lie, for messages.
    pub(crate) weights_path: PathBuf,
    /// safetensors.
    pub(crate) weights: Vec<u8>,
    /// Where the tokenizer lies, for messages.
    pub(crate) tokenizer_path: PathBuf,
    /// tokenizer.json.
    pub(crate) tokenizer: Vec<u8>,
    /// The model's shape.
    pub(crate) config: Config,
}

impl ModelFolder {
    /// Reads a model of the catalog; every byte is held to its hash, so shapes and word numbers are as published.
    pub(crate) fn read_known(folder: &Path, name: &str) -> Result<Self, EmbedError> {
        let catalog = Catalog::builtin();
        let entry = catalog.entry(name).map_err(EmbedError::Altered)?;
        let content = |file: &str| {
            let path = folder.join(file);
            let bytes = read(&path)?;
            entry.verify_bytes(file, &path, &bytes).map_err(EmbedError::Altered)?;
            Ok(bytes)
        };
        let (weights, tokenizer, config) = (content(WEIGHTS)?, content(TOKENIZER)?, content(CONFIG)?);
        let digest = entry.files.iter().find(|file| file.name == WEIGHTS).map(|file| file.sha256.as_str());
        let config = serde_json::from_slice(&config)
            .map_err(|error| EmbedError::Unusable { path: folder.join(CONFIG), reason: error.to_string() })?;
        Ok(Self {
            id: EmbedderId::new(name, digest.unwrap_or_default()),
            weights_path: folder.join(WEIGHTS),
            weights,
            tokenizer_path: folder.join(TOKENIZER),
            tokenizer,
            config,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EmbedError> {
    fs::read(path).map_err(|source| EmbedError::Read { path: path.to_owned(), source })
}
