//! Which stable code has an error of the command line? That of the first cause which has one.

use std::error::Error;

/// The code, or `failed` where no cause has one: wrong usage, a file of the user's.
pub(crate) fn of(error: &anyhow::Error) -> &'static str {
    error.chain().find_map(code).unwrap_or("failed")
}

fn code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    macro_rules! first {
        ($($kind:ty),* $(,)?) => {
            None$(.or_else(|| error.downcast_ref::<$kind>().map(<$kind>::code)))*
        };
    }
    first!(
        triage::TriageError,
        triage::WorkflowError,
        triage::access::AccessError,
        triage::learned::LearnedError,
        triage::audit::AuditError,
        triage::audit::ExportError,
        triage::audit::NoteError,
        triage::policy::PolicyError,
        engine::DeskError,
        engine::FolderError,
        engine::LogError,
        engine::SparqlError,
        engine::BackupError,
        ingest::IngestError,
        ingest::MappingError,
        models::CatalogError,
        models::EmbedError,
        models::LanguageModelError,
        ontology::IdError,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_below_what_was_said_of_it() {
        let error = anyhow::Error::new(engine::DeskError::Stopped).context("while writing");
        assert_eq!(of(&error), "writer-stopped");
        assert_eq!(of(&anyhow::anyhow!("what?")), "failed");
    }
}
