//! Which files make a BERT embedder, and are they fit to use?

use std::fs;
use std::path::{Path, PathBuf};

use candle_transformers::models::bert::{Config, HiddenAct};
use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, hex};
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
    /// Reads a model of the catalog; every byte is held to its hash.
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
        Self::build(folder, EmbedderId::new(name, digest.unwrap_or_default()), weights, tokenizer, &config)
    }

    /// Reads a model of the user's own; its id is made from the folder's name and the weights.
    pub(crate) fn read_own(folder: &Path) -> Result<Self, EmbedError> {
        let weights = read(&folder.join(WEIGHTS))?;
        let (tokenizer, config) = (read(&folder.join(TOKENIZER))?, read(&folder.join(CONFIG))?);
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("model");
        let id = EmbedderId::new(name, &hex(&Sha256::digest(&weights)));
        Self::build(folder, id, weights, tokenizer, &config)
    }

    fn build(
        folder: &Path,
        id: EmbedderId,
        weights: Vec<u8>,
        tokenizer: Vec<u8>,
        config: &[u8],
    ) -> Result<Self, EmbedError> {
        let unusable = |reason: String| EmbedError::Unusable { path: folder.join(CONFIG), reason };
        let config: Config = serde_json::from_slice(config).map_err(|error| unusable(error.to_string()))?;
        if config.model_type.as_deref() != Some("bert") {
            return Err(unusable("only models of type \"bert\" are supported".to_owned()));
        }
        if config.hidden_act != HiddenAct::Gelu {
            return Err(unusable("only the activation \"gelu\" is supported".to_owned()));
        }
        let heads = config.num_attention_heads;
        if heads == 0 || !config.hidden_size.is_multiple_of(heads) || !config.hidden_size.is_multiple_of(16) {
            return Err(unusable(format!(
                "hidden_size {} must be a multiple of 16 and of num_attention_heads {heads}",
                config.hidden_size
            )));
        }
        if !config.intermediate_size.is_multiple_of(16) {
            return Err(unusable("intermediate_size must be a multiple of 16".to_owned()));
        }
        Ok(Self {
            id,
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
