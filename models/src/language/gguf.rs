//! How does a language model answer from a GGUF file on this machine?

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};
use candle_transformers::models::quantized_llama::ModelWeights;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{PreTokenizerWrapper, Tokenizer};

use super::{Completion, LanguageModel, LanguageModelError, Limits, Prompt};
use crate::catalog::CatalogEntry;
use crate::convention;

/// candle's rotary table has this many places.
const MAX_POSITIONS: usize = 4096;
/// Tokens of a prompt that are read between two looks at the clock.
const PREFILL_TOKENS: usize = 128;
/// Greedy decoding uses no chance; the sampler wants a seed all the same.
const SEED: u64 = 0;
const TURN_BEGINS: &str = "<|im_start|>";
const TURN_ENDS: &str = "<|im_end|>";

/// A llama-shaped model with the ChatML template, such as SmolLM2-Instruct, read from one GGUF file.
///
/// Decodes greedily, so the same prompt gives the same answer.
pub struct GgufModel {
    id: String,
    tokenizer: Tokenizer,
    weights: ModelWeights,
    turn_begins: u32,
    turn_ends: u32,
}

impl GgufModel {
    /// Opens a model of the catalog from its folder, after checking the file's hash.
    ///
    /// # Errors
    /// When the file is missing or differs, or cannot be run here.
    pub fn open_known(entry: &CatalogEntry, folder: &Path) -> Result<Self, LanguageModelError> {
        let unusable = |reason: String| LanguageModelError::Unusable { path: folder.to_owned(), reason };
        entry.verify(folder).map_err(|error| unusable(error.to_string()))?;
        let file = entry.files.iter().find(|file| file.name.ends_with(".gguf"));
        let file = file.ok_or_else(|| unusable(format!("{} has no .gguf file", entry.name)))?;
        Self::open(&folder.join(&file.name))
    }

    /// Opens a model of the user's own.
    ///
    /// # Errors
    /// When the file cannot be read, or holds a model of another kind; the message says which.
    pub fn open(path: &Path) -> Result<Self, LanguageModelError> {
        let unusable = |reason: String| LanguageModelError::Unusable { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| unusable(error.to_string()))?;
        let mut reader = BufReader::new(file);
        let content = Content::read(&mut reader).map_err(|error| unusable(error.to_string()))?;
        let tokenizer = tokenizer(&content).map_err(&unusable)?;
        let mark = |token: &str| {
            let missing = || unusable(format!("it has no {token}, so its chat template is not ChatML"));
            tokenizer.token_to_id(token).ok_or_else(missing)
        };
        let (turn_begins, turn_ends) = (mark(TURN_BEGINS)?, mark(TURN_ENDS)?);
        let weights = ModelWeights::from_gguf(content, &mut reader, &Device::Cpu)
            .map_err(|error| unusable(error.to_string()))?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("model");
        Ok(Self { id: format!("gguf:{name}"), tokenizer, weights, turn_begins, turn_ends })
    }

    /// The prompt in ChatML. Marks of the template that stand in a message are ordinary text there, so a message cannot
    /// end its own turn.
    fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, LanguageModelError> {
        let mut tokens = Vec::new();
        let system = std::iter::once(("system", prompt.system()));
        for (role, message) in system.chain(prompt.messages().iter().map(|message| ("user", message))) {
            tokens.push(self.turn_begins);
            tokens.extend(self.encode(&format!("{role}\n{}", message.text()))?);
            tokens.push(self.turn_ends);
            tokens.extend(self.encode("\n")?);
        }
        tokens.push(self.turn_begins);
        tokens.extend(self.encode("assistant\n")?);
        Ok(tokens)
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, LanguageModelError> {
        self.tokenizer.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec()).map_err(failed)
    }
}

impl LanguageModel for GgufModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn complete(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        let span = convention::chat_span("triagraph", &self.id, None, limits);
        let asked = span.in_scope(|| self.ask(prompt, limits));
        convention::asked(&span, &asked);
        asked
    }
}

impl GgufModel {
    fn ask(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        let begun = Instant::now();
        let in_time = || match begun.elapsed() < limits.timeout {
            true => Ok(()),
            false => Err(LanguageModelError::timed_out(limits)),
        };
        in_time()?;
        let prompt = self.tokens(prompt)?;
        if prompt.len() + limits.max_tokens > MAX_POSITIONS {
            return Err(LanguageModelError::PromptTooLong { tokens: prompt.len(), limit: MAX_POSITIONS });
        }
        // Weights are shared; what the clone has of its own is the memory of this conversation.
        let mut model = self.weights.clone();
        let mut forward = |tokens: &[u32], position: usize| {
            let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
            model.forward(&input, position)?.squeeze(0)
        };
        let mut sampler = LogitsProcessor::from_sampling(SEED, Sampling::ArgMax);
        let mut logits = None;
        for (index, part) in prompt.chunks(PREFILL_TOKENS).enumerate() {
            logits = Some(forward(part, index * PREFILL_TOKENS).map_err(failed)?);
            in_time()?;
        }
        let mut answer: Vec<u32> = Vec::new();
        let mut is_cut_off = true;
        while let Some(known) = logits.take().filter(|_| answer.len() < limits.max_tokens) {
            let next = sampler.sample(&known).map_err(failed)?;
            if next == self.turn_ends {
                is_cut_off = false;
                break;
            }
            logits = Some(forward(&[next], prompt.len() + answer.len()).map_err(failed)?);
            answer.push(next);
            in_time()?;
        }
        let text = self.tokenizer.decode(&answer, true).map_err(failed)?;
        Ok(Completion {
            text: text.trim().to_owned(),
            is_cut_off,
            prompt_tokens: Some(prompt.len()),
            completion_tokens: Some(answer.len()),
        })
    }
}

/// The tokenizer inside the file, splitting text as the model was trained.
///
/// candle falls back to GPT-2's splitting for names that it does not know, which gives wrong tokens without a word;
/// here an unknown name is an error.
fn tokenizer(content: &Content) -> Result<Tokenizer, String> {
    let mut tokenizer = Tokenizer::from_gguf(content).map_err(|error| error.to_string())?;
    let named = content.metadata.get("tokenizer.ggml.pre").and_then(|value| value.to_string().ok());
    match named.map(String::as_str) {
        Some("smollm") => {
            let split: Vec<PreTokenizerWrapper> =
                vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()];
            tokenizer.with_pre_tokenizer(Some(Sequence::new(split)));
        }
        Some("gpt-2" | "llama3" | "smaug-bpe" | "qwen2" | "lfm2") => {}
        other => return Err(format!("its text is split in a way ({other:?}) that is not known here")),
    }
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

fn failed(error: impl std::fmt::Display) -> LanguageModelError {
    LanguageModelError::BadAnswer { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;
    use std::{env, fs};

    use super::GgufModel;
    use crate::catalog::Catalog;
    use crate::language::conformance::conformance;
    use crate::language::{LanguageModel, Limits, Prompt};
    use crate::redact::{RedactionPolicy, Redactor};

    const NAME: &str = "SmolLM2-135M-Instruct";

    /// The test model, where it has been pulled; says so where it has not, or fails where the caller demands it.
    fn model(test: &str) -> Option<GgufModel> {
        let models = env::var_os("TRIAGRAPH_MODELS").map(PathBuf::from).unwrap_or_else(|| {
            let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            cache.unwrap_or_else(|| env::home_dir().unwrap().join(".cache")).join("triagraph/models")
        });
        let folder = models.join(NAME);
        if folder.is_dir() {
            return Some(GgufModel::open_known(Catalog::builtin().entry(NAME).unwrap(), &folder).unwrap());
        }
        let told = format!("DID NOT RUN: {test} needs {NAME}; get it with `triagraph models pull {NAME}`");
        assert!(env::var_os("TRIAGRAPH_REQUIRE_MODELS").is_none(), "{told}");
        eprintln!("{told}");
        None
    }

    fn ask(model: &GgufModel, question: &str, max_tokens: usize) -> String {
        let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
        let prompt =
            Prompt::new(redactor.redact("You are a helpful assistant.")).user(redactor.redact(question));
        model.complete(&prompt, &Limits { max_tokens, timeout: Duration::from_secs(300) }).unwrap().text
    }

    #[test]
    fn a_local_model_keeps_the_contract() {
        let Some(model) = model("a_local_model_keeps_the_contract") else { return };
        conformance(&model);
    }

    #[test]
    fn a_local_model_answers_sense() {
        let Some(model) = model("a_local_model_answers_sense") else { return };
        assert!(ask(&model, "What is the capital of France?", 24).contains("Paris"));
    }

    #[test]
    fn digits_are_single_tokens_and_marks_in_a_message_are_text() {
        let Some(model) = model("digits_are_single_tokens_and_marks_in_a_message_are_text") else { return };
        assert_eq!(model.encode("2024").unwrap().len(), 4);
        let marks = model.encode("<|im_end|>").unwrap();
        assert!(marks.len() > 1 && !marks.contains(&model.turn_ends), "{marks:?}");
    }

    #[test]
    fn a_prompt_beyond_the_limit_is_refused_and_not_cut() {
        let Some(model) = model("a_prompt_beyond_the_limit_is_refused_and_not_cut") else { return };
        let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
        let prompt = Prompt::new(redactor.redact(&"long ".repeat(5000)));
        let limits = Limits { max_tokens: 8, timeout: Duration::from_secs(60) };
        let error = model.complete(&prompt, &limits).unwrap_err();
        assert_eq!(error.code(), "language-model-prompt-too-long");
    }

    #[test]
    fn a_file_that_is_no_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        for content in [&b""[..], b"GGUF", b"not a model at all"] {
            fs::write(&path, content).unwrap();
            let error = GgufModel::open(&path).map(|_| ()).unwrap_err();
            assert_eq!(error.code(), "language-model-unusable");
            assert!(error.to_string().contains("x.gguf"));
        }
    }
}
