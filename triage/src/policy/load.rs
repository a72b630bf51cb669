//! Are these texts policies? Each parsed, named, and checked against the schema, with file and line of what is wrong.

use std::str::FromStr;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, ValidationWarning, Validator};
use miette::Diagnostic;
use serde::Serialize;

use super::error::{Fault, PolicyError};
use super::texts::{SCHEMA, Text};

/// A policy as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Its `@id`.
    pub id: String,
    /// Its `@reason`: why it allows or forbids, in plain words.
    pub reason: String,
    /// The file that it stands in.
    pub file: String,
    /// Where it begins, counted from one.
    pub line: usize,
}

/// The words that policies know.
///
/// # Errors
/// [`PolicyError::Policies`] only where the schema that is compiled in is broken.
pub(super) fn schema() -> Result<Schema, PolicyError> {
    Schema::from_str(&SCHEMA.text).map_err(|error| PolicyError::Policies(vec![fault(&SCHEMA, 1, &error)]))
}

/// The policies of a set by their `@id`, and as they were written, in order.
///
/// # Errors
/// [`PolicyError::Policies`] with every fault that was found.
pub(super) fn load(texts: &[Text], schema: &Schema) -> Result<(PolicySet, Vec<Written>), PolicyError> {
    let mut set = PolicySet::new();
    let mut written = Vec::new();
    let mut faults = Vec::new();
    for text in texts {
        match PolicySet::from_str(&text.text) {
            Ok(of_file) => take(text, &of_file, &mut set, &mut written, &mut faults),
            Err(errors) => faults.extend(errors.iter().map(|error| fault(text, 1, error))),
        }
    }
    faults.extend(invalid(texts, &set, &written, schema));
    if faults.is_empty() { Ok((set, written)) } else { Err(PolicyError::Policies(faults)) }
}

/// Takes a file's policies into the set under their own names.
fn take(
    text: &Text,
    of_file: &PolicySet,
    set: &mut PolicySet,
    written: &mut Vec<Written>,
    faults: &mut Vec<Fault>,
) {
    let source = &text.text;
    let mut from = 0;
    for policy in of_file.policies() {
        // Cedar keeps the text that a policy was parsed from; policies come in their order.
        let itself = policy.to_cedar().unwrap_or_default();
        let at = from + source[from..].find(&itself).unwrap_or(0);
        from = at + itself.len();
        let mut wrong = |problem: String| faults.push(Fault::at(&text.file, source, at, problem));
        let (Some(id), Some(reason)) = (told(policy, "id"), told(policy, "reason")) else {
            wrong(
                "a policy without a name or a reason: write @id(\"…\") and @reason(\"…\") above it"
                    .to_owned(),
            );
            continue;
        };
        if let Some(Written { file, line, .. }) = written.iter().find(|earlier| earlier.id == id) {
            wrong(format!("the id {id} is taken by the policy in {file}, line {line}"));
            continue;
        }
        if let Err(error) = set.add(policy.new_id(PolicyId::new(&id))) {
            wrong(error.to_string());
        }
        let line = Fault::at("", source, at, "").line;
        written.push(Written { id, reason, file: text.file.to_string(), line });
    }
    if of_file.templates().next().is_some() {
        let at = source.find("?principal").or_else(|| source.find("?resource")).unwrap_or(0);
        faults.push(Fault::at(
            &text.file,
            source,
            at,
            "a template: write the policy out, without ?principal or ?resource",
        ));
    }
}

/// What an annotation says, if anything.
fn told(policy: &Policy, annotation: &str) -> Option<String> {
    policy.annotation(annotation).map(str::trim).filter(|told| !told.is_empty()).map(str::to_owned)
}

/// What the schema has against the policies. Where it has nothing, a policy that can never apply, or looks like another one, is a
/// fault as well; words in two scripts are none: names of categories may have them.
fn invalid(texts: &[Text], set: &PolicySet, written: &[Written], schema: &Schema) -> Vec<Fault> {
    let found = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let mut against: Vec<(&PolicyId, &dyn Diagnostic)> =
        found.validation_errors().map(|error| (error.policy_id(), error as &dyn Diagnostic)).collect();
    if against.is_empty() {
        let counts =
            |warning: &&ValidationWarning| !matches!(warning, ValidationWarning::MixedScriptString(_));
        let warnings = found.validation_warnings().filter(counts);
        against.extend(warnings.map(|warning| (warning.policy_id(), warning as &dyn Diagnostic)));
    }
    let found_in = |(id, error): (&PolicyId, &dyn Diagnostic)| {
        let policy = written.iter().find(|policy| AsRef::<str>::as_ref(id) == policy.id);
        let text = texts.iter().find(|text| policy.is_some_and(|policy| text.file == policy.file));
        let line = policy.map_or(1, |policy| policy.line);
        fault(text.unwrap_or(&SCHEMA), line, error)
    };
    let mut faults: Vec<Fault> = against.into_iter().map(found_in).collect();
    faults.sort_by(|one, other| {
        (&one.file, one.line, &one.problem).cmp(&(&other.file, other.line, &other.problem))
    });
    faults.dedup();
    faults
}

/// What Cedar found, at the place that it points at, else at the given line.
fn fault(text: &Text, line: usize, error: &dyn Diagnostic) -> Fault {
    let mut problem = error.to_string();
    if let Some(help) = error.help() {
        problem = format!("{problem} ({help})");
    }
    match error.labels().and_then(|mut labels| labels.next()) {
        Some(label) => Fault::at(&text.file, &text.text, label.offset(), problem),
        None => Fault { file: text.file.to_string(), line, problem },
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::Texts;
    use super::*;

    const HEAD: &str = "@id(\"ours\")\n@reason(\"because\")\n";

    /// The faults of one file beside the built-in ones.
    fn faults(source: &str) -> Vec<String> {
        let mut texts = Texts::built_in().policies;
        texts.push(Text { file: "ours.cedar".into(), text: source.to_owned().into() });
        match load(&texts, &schema().unwrap()) {
            Ok(_) => Vec::new(),
            Err(PolicyError::Policies(faults)) => faults.iter().map(Fault::to_string).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    fn check(source: &str, line: usize, says: &str) {
        let faults = faults(source);
        let begins = format!("ours.cedar, line {line}: ");
        assert!(
            faults.iter().any(|fault| fault.starts_with(&begins) && fault.contains(says)),
            "line {line}, {says:?} in {faults:#?}"
        );
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused_with_its_line() {
        let forbid = |when: &str| {
            format!(
                "{HEAD}forbid (principal, action == Action::\"reply\", resource is Ticket)\nwhen {{\n{when} }};"
            )
        };
        assert_eq!(faults(&forbid("resource.warnings > 3")), [""; 0]);
        assert_eq!(faults(&forbid("resource.categories.contains(\"IT поддержка\")")), [""; 0]);
        check(&forbid("false"), 1, "policy is impossible");
        check(&forbid("resource.categories.contains(\"pay\u{202e}roll\")"), 5, "BIDI");
        check(&forbid("resource.warning > 3"), 5, "`warning`");
        check(&forbid("resource.strength > \"strong\""), 5, "expected");
        check(&forbid("resource.priority > 3"), 5, "optional attribute `priority`");
        check(&forbid("resource.level == Level::\"full\""), 5, "\"full\"");
        check(&forbid("resource.level == \"off\""), 5, "not compatible");
        check(
            &format!("{HEAD}permit (principal, action == Action::\"send\", resource);"),
            3,
            "`Action::\"send\"`",
        );
        check(&format!("{HEAD}permit (principal == Agent::\"hal\", action, resource);"), 3, "\"hal\"");
        check(
            &format!("{HEAD}permit (principal is Person, action == Action::\"reply\", resource);"),
            1,
            "unable to find an applicable action",
        );
    }

    #[test]
    fn what_does_not_parse_is_refused_with_its_line() {
        check(&format!("{HEAD}permit (principal, action, resource)\n"), 3, "unexpected end");
        check(&format!("{HEAD}allow (principal, action, resource);"), 3, "effect: allow");
        check("\n\n@id(\"ours\"\npermit (principal, action, resource);", 4, "unexpected token");
    }

    #[test]
    fn each_policy_is_named_once_and_says_why() {
        let permit = "permit (principal, action == Action::\"stop\", resource);\n";
        check(&format!("// one\n{permit}"), 2, "without a name");
        check(&format!("@id(\"a\") {permit}"), 1, "without a name or a reason");
        check(&format!("@id(\"a\") @reason(\" \") {permit}"), 1, "without a name or a reason");
        check(
            &format!("{HEAD}{permit}{HEAD}{permit}"),
            4,
            "the id ours is taken by the policy in ours.cedar, line 1",
        );
        check(&format!("@id(\"stopped\") @reason(\"b\") {permit}"), 1, "taken by the policy in guards.cedar");
        check(
            &format!("{HEAD}permit (principal == ?principal, action == Action::\"stop\", resource);"),
            3,
            "a template",
        );
    }

    #[test]
    fn policies_stand_in_the_order_of_their_files() {
        let (set, written) = load(&Texts::built_in().policies, &schema().unwrap()).unwrap();
        assert_eq!(set.policies().count(), written.len());
        let place_of = |file: &str| {
            ["guards.cedar", "default.cedar", "access.cedar", "agents.cedar"]
                .iter()
                .position(|one| *one == file)
        };
        let places: Vec<(Option<usize>, usize)> =
            written.iter().map(|one| (place_of(&one.file), one.line)).collect();
        assert!(places.is_sorted(), "{places:?}");
        let last = written.last().unwrap();
        let text = Texts::built_in().policies[3].text.lines().nth(last.line - 1).unwrap().to_owned();
        assert_eq!(text, format!("@id(\"{}\")", last.id));
    }

    /// The policies that the comments of `default.cedar` and `access.cedar` show.
    #[test]
    fn the_examples_in_the_comments_hold() {
        let texts = Texts::built_in().policies;
        let comments = texts[1..]
            .iter()
            .flat_map(|file| file.text.lines())
            .filter_map(|line| line.strip_prefix("//   "))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(comments.matches("@id").count() >= 5, "{comments}");
        assert_eq!(faults(&comments), [""; 0]);
    }
}
