//! In which form do the weights of a BERT wait for the kernels?

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device};

use super::linear::{Kernels, Linear};
use crate::embedder::EmbedError;
use crate::minilm::ModelFolder;

/// All weights of a BERT encoder.
pub(super) struct Weights {
    pub(super) hidden: usize,
    pub(super) heads: usize,
    pub(super) epsilon: f32,
    /// One row a word.
    pub(super) words: Vec<f32>,
    /// One row a position, the embedding of the first token type added.
    pub(super) positions: Vec<f32>,
    pub(super) embedding_norm: Norm,
    pub(super) layers: Vec<Layer>,
}

/// One transformer layer.
pub(super) struct Layer {
    /// Query, key and value side by side.
    pub(super) attention: Linear,
    pub(super) attention_out: Linear,
    pub(super) attention_norm: Norm,
    pub(super) widen: Linear,
    pub(super) narrow: Linear,
    pub(super) out_norm: Norm,
}

/// The learned scale and shift of a layer norm.
pub(super) struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
}

impl Weights {
    /// Reads and packs; the names of the tensors are those of the transformers library.
    pub(super) fn load(folder: ModelFolder, kernels: &Kernels) -> Result<Self, EmbedError> {
        let path = folder.weights_path;
        let config = folder.config;
        let reader = Reader::new(folder.weights, kernels);
        let loaded = reader.and_then(|reader| {
            let hidden = config.hidden_size;
            let words = reader.read("embeddings.word_embeddings.weight", config.vocab_size * hidden)?;
            let mut positions = reader
                .read("embeddings.position_embeddings.weight", config.max_position_embeddings * hidden)?;
            let types =
                reader.read("embeddings.token_type_embeddings.weight", config.type_vocab_size * hidden)?;
            for row in positions.chunks_exact_mut(hidden) {
                row.iter_mut().zip(&types).for_each(|(position, first_type)| *position += first_type);
            }
            let layers = (0..config.num_hidden_layers)
                .map(|index| reader.layer(index, hidden, config.intermediate_size))
                .collect::<Result<_, String>>()?;
            Ok(Self {
                hidden,
                heads: config.num_attention_heads,
                epsilon: config.layer_norm_eps as f32,
                words,
                positions,
                embedding_norm: reader.norm("embeddings.LayerNorm", hidden)?,
                layers,
            })
        });
        loaded.map_err(|reason| EmbedError::Unusable { path, reason })
    }
}

/// Reads tensors as plain f32.
struct Reader<'a> {
    tensors: BufferedSafetensors,
    kernels: &'a Kernels,
}

impl<'a> Reader<'a> {
    fn new(content: Vec<u8>, kernels: &'a Kernels) -> Result<Self, String> {
        let tensors = BufferedSafetensors::new(content).map_err(|error| error.to_string())?;
        Ok(Self { tensors, kernels })
    }

    fn read(&self, name: &str, length: usize) -> Result<Vec<f32>, String> {
        let tensor = self.tensors.load(name, &Device::Cpu);
        let values: Vec<f32> = tensor
            .and_then(|tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1())
            .map_err(|error| format!("{name}: {error}"))?;
        if values.len() != length {
            return Err(format!("{name} has {} numbers instead of {length}", values.len()));
        }
        Ok(values)
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, String> {
        Ok(Norm {
            scale: self.read(&format!("{name}.weight"), width)?,
            shift: self.read(&format!("{name}.bias"), width)?,
        })
    }

    /// Linear steps with the same input, side by side.
    fn linear(&self, names: &[String], from: usize, to: usize) -> Result<Linear, String> {
        let (mut matrix, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            matrix.extend(self.read(&format!("{name}.weight"), from * to)?);
            bias.extend(self.read(&format!("{name}.bias"), to)?);
        }
        Ok(Linear::new(self.kernels, &matrix, bias))
    }

    fn layer(&self, index: usize, hidden: usize, inner: usize) -> Result<Layer, String> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let parts = ["attention.self.query", "attention.self.key", "attention.self.value"].map(name);
        Ok(Layer {
            attention: self.linear(&parts, hidden, hidden)?,
            attention_out: self.linear(&[name("attention.output.dense")], hidden, hidden)?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"), hidden)?,
            widen: self.linear(&[name("intermediate.dense")], hidden, inner)?,
            narrow: self.linear(&[name("output.dense")], inner, hidden)?,
            out_norm: self.norm(&name("output.LayerNorm"), hidden)?,
        })
    }
}
