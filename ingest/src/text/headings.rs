//! What is a section for? Its purpose, told by the words of its heading.

use ontology::SectionKind;

/// Words of headings, English, German and French, and their purpose; the first that is found decides. A word with `*` may go on.
const WORDS: [(&str, SectionKind); 74] = [
    ("root cause*", SectionKind::RootCause),
    ("cause", SectionKind::RootCause),
    ("causes", SectionKind::RootCause),
    ("why it happens", SectionKind::RootCause),
    ("verif*", SectionKind::Verification),
    ("validation", SectionKind::Verification),
    ("confirm*", SectionKind::Verification),
    ("escalat*", SectionKind::Escalation),
    ("contact*", SectionKind::Escalation),
    ("who to call", SectionKind::Escalation),
    ("whom to call", SectionKind::Escalation),
    ("support", SectionKind::Escalation),
    ("symptom*", SectionKind::Symptom),
    ("what you see", SectionKind::Symptom),
    ("what users see", SectionKind::Symptom),
    ("observed", SectionKind::Symptom),
    ("problem", SectionKind::Symptom),
    ("issue", SectionKind::Symptom),
    ("impact", SectionKind::Impact),
    ("consequences", SectionKind::Impact),
    ("who is affected", SectionKind::Impact),
    ("diagnos*", SectionKind::Diagnosis),
    ("investigat*", SectionKind::Diagnosis),
    ("troubleshoot*", SectionKind::Diagnosis),
    ("triage", SectionKind::Diagnosis),
    ("debug*", SectionKind::Diagnosis),
    ("check*", SectionKind::Diagnosis),
    ("mitigat*", SectionKind::Steps),
    ("remediat*", SectionKind::Steps),
    ("recovery", SectionKind::Steps),
    ("steps", SectionKind::Steps),
    ("procedure", SectionKind::Steps),
    ("instructions", SectionKind::Steps),
    ("actions", SectionKind::Steps),
    ("what to do", SectionKind::Steps),
    ("how to", SectionKind::Steps),
    ("rollback", SectionKind::Steps),
    ("workaround*", SectionKind::Resolution),
    ("resolution*", SectionKind::Resolution),
    ("resolv*", SectionKind::Resolution),
    ("solution*", SectionKind::Resolution),
    ("fix", SectionKind::Resolution),
    ("fixes", SectionKind::Resolution),
    ("answer", SectionKind::Resolution),
    ("environment*", SectionKind::Environment),
    ("prerequisite*", SectionKind::Environment),
    ("requirements", SectionKind::Environment),
    ("applies to", SectionKind::Environment),
    ("affected versions", SectionKind::Environment),
    ("scope", SectionKind::Environment),
    ("meaning", SectionKind::Description),
    ("summary", SectionKind::Description),
    ("overview", SectionKind::Description),
    ("description", SectionKind::Description),
    ("introduction", SectionKind::Description),
    ("background", SectionKind::Description),
    ("purpose", SectionKind::Description),
    ("about", SectionKind::Description),
    ("already tried", SectionKind::Diagnosis),
    ("ursache*", SectionKind::RootCause),
    ("prüfung", SectionKind::Verification),
    ("umgebung", SectionKind::Environment),
    ("bereits versucht", SectionKind::Diagnosis),
    ("auswirkung*", SectionKind::Impact),
    ("diagnose", SectionKind::Diagnosis),
    ("schritte", SectionKind::Steps),
    ("vorgehen", SectionKind::Steps),
    ("lösung*", SectionKind::Resolution),
    ("symptôme*", SectionKind::Symptom),
    ("environnement", SectionKind::Environment),
    ("déjà essayé", SectionKind::Diagnosis),
    ("étapes", SectionKind::Steps),
    ("vérification*", SectionKind::Verification),
    ("objet", SectionKind::Description),
];

/// Headings of more words than these are sentences, not labels.
const LABEL_WORDS: usize = 7;

/// The purpose that a heading names. In a runbook, what resolves is done in steps.
pub(crate) fn purpose(heading: &str, is_runbook: bool) -> Option<SectionKind> {
    let lower = heading.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.len() > LABEL_WORDS {
        return None;
    }
    let line = format!(" {} ", words.join(" "));
    let found = WORDS.iter().find(|(word, _)| match word.strip_suffix('*') {
        Some(stem) => line.contains(&format!(" {stem}")),
        None => line.contains(&format!(" {word} ")),
    });
    found.map(|(_, kind)| match kind {
        SectionKind::Resolution if is_runbook => SectionKind::Steps,
        kind => *kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_tell_purposes() {
        let check = |heading: &str, expected| assert_eq!(purpose(heading, true), expected, "{heading}");
        check("Meaning", Some(SectionKind::Description));
        check("## Root Cause", Some(SectionKind::RootCause));
        check("Recommended Actions", Some(SectionKind::Steps));
        check("VM-Level Resolution", Some(SectionKind::Steps));
        check("How to verify", Some(SectionKind::Verification));
        check("Default definition", None);
        check("When you want to be sure that you fix nothing else", None);
        assert_eq!(purpose("Solution", false), Some(SectionKind::Resolution));
    }
}
