//! What does the model give when candle computes it, plainly?

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;

use super::MiniLm;
use super::files::ModelFolder;
use super::tokens::WordPieces;
use crate::embedder::{EmbedError, Embedder, EmbedderId, TextRole};

/// The default embedder on candle's own BERT, one text at a time: slow, plain, and what the packed encoder
/// behind [`MiniLm`] is held to.
pub struct ReferenceMiniLm {
    id: EmbedderId,
    words: WordPieces,
    model: BertModel,
    dimensions: usize,
}

impl ReferenceMiniLm {
    /// Opens the default embedder from its folder, after checking every file against the catalog.
    ///
    /// # Errors
    /// As [`MiniLm::open`].
    pub fn open(folder: &Path) -> Result<Self, EmbedError> {
        let folder = ModelFolder::read_known(folder, MiniLm::NAME)?;
        let words = WordPieces::new(&folder)?;
        let unusable = |error: candle_core::Error| EmbedError::Unusable {
            path: folder.weights_path.clone(),
            reason: error.to_string(),
        };
        let weights = VarBuilder::from_buffered_safetensors(folder.weights, DType::F32, &Device::Cpu);
        let model = BertModel::load(weights.map_err(unusable)?, &folder.config).map_err(unusable)?;
        Ok(Self { id: folder.id, words, model, dimensions: folder.config.hidden_size })
    }

    fn vector(&self, ids: &[u32]) -> candle_core::Result<Vec<f32>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, None)?;
        let mean = hidden.squeeze(0)?.mean(0)?;
        let length = mean.sqr()?.sum_all()?.sqrt()?;
        mean.broadcast_div(&length)?.to_vec1()
    }
}

impl Embedder for ReferenceMiniLm {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn max_tokens(&self) -> usize {
        self.words.max_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.words.count(text)
    }

    fn embed(&self, _role: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts
            .iter()
            .map(|text| {
                let ids = self.words.encode(text)?;
                self.vector(&ids).map_err(|error| EmbedError::Compute { reason: error.to_string() })
            })
            .collect()
    }
}
