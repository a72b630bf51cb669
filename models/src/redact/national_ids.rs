//! Which numbers did a state give a person? Told from the other numbers of a help desk by form and check digits, and where bare digits could
//! be anything, by what they are called.

mod checks;

use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::phones::cued_otherwise;
use super::spans::{Claim, ends_clean, pattern, starts_clean};

/// How one state writes them.
struct Scheme {
    /// The form that tells enough by itself, capitals and all; empty where none does.
    alone: &'static str,
    /// What the number is called.
    called: &'static str,
    /// The looser form in which it may stand behind that, in capitals or not.
    named: &'static str,
    /// Whether its parts can be and its check digits are right: asked of letters and digits alone, in capitals.
    holds: fn(&str) -> bool,
}

/// What any of them may be called.
const ANY: &str = "national (?:id(?:entity|entification)?|insurance)|(?:personal|citizen) id(?:entity|entification)?|id(?:entity)? card|tax id(?:entification)?|tin";

const SCHEMES: [Scheme; 19] = [
    // United States: social security
    Scheme {
        alone: "[0-9]{3}-[0-9]{2}-[0-9]{4}",
        called: "ssn|social security",
        named: "[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}",
        holds: checks::ssn,
    },
    // United Kingdom: national insurance
    Scheme {
        alone: "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        called: "nino|ni",
        named: "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        holds: checks::nino,
    },
    // Germany: tax, pension
    Scheme {
        alone: "",
        called: "steuer-?id(?:entifikationsnummer|nr)?|idnr",
        named: "[1-9][0-9](?: ?[0-9]{3}){3}",
        holds: checks::steuer_id,
    },
    Scheme {
        alone: "[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{2} ?[0-9]",
        called: "rentenversicherung|renten-?versicherungs|rvnr|sozialversicherungs|sv",
        named: "[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{2} ?[0-9]",
        holds: checks::pension,
    },
    // France: social security
    Scheme {
        alone: "[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        called: "nir|insee|s[ée]curit[ée] sociale",
        named: "[1-478] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        holds: checks::nir,
    },
    // Spain: of citizens and of foreigners
    Scheme {
        alone: "(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]",
        called: "dni|nie|nif",
        named: "(?:[0-9]{2}[. ]?[0-9]{3}[. ]?[0-9]{3}|[XYZ][ -]?[0-9]{7})[ -]?[A-HJ-NP-TV-Z]",
        holds: checks::dni,
    },
    // Italy
    Scheme {
        alone: "[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        called: "codice fiscale|cf",
        named: "[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z]",
        holds: checks::codice_fiscale,
    },
    // Netherlands
    Scheme {
        alone: "",
        called: "bsn|burgerservice|sofi",
        named: "[0-9](?:[ .]?[0-9]){8}",
        holds: checks::bsn,
    },
    // Sweden, Denmark, Norway, Finland
    Scheme {
        alone: "",
        called: "person|personal|pnr|samordnings",
        named: "(?:19|20)?[0-9]{6}[ +-]?[0-9]{4}",
        holds: checks::personnummer,
    },
    Scheme { alone: "", called: "cpr", named: "[0-9]{6}[ -]?[0-9]{4}", holds: checks::cpr },
    Scheme {
        alone: "",
        called: "f[øo]dsels|fnr|personnummer",
        named: "[0-9]{6} ?[0-9]{5}",
        holds: checks::fodselsnummer,
    },
    Scheme {
        alone: "[0-9]{6}[A+-][0-9]{3}[0-9A-FHJ-NPR-Y]",
        called: "henkil[öo]tunnus|hetu",
        named: "[0-9]{6}[A+-][0-9]{3}[0-9A-FHJ-NPR-Y]",
        holds: checks::henkilotunnus,
    },
    // Poland
    Scheme { alone: "", called: "pesel", named: "[0-9]{11}", holds: checks::pesel },
    // Switzerland
    Scheme {
        alone: r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}|756[0-9]{10}",
        called: "ahv|avs",
        named: r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}",
        holds: checks::ahv,
    },
    // Belgium
    Scheme {
        alone: r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
        called: "rijksregister|insz|niss|(?:num[ée]ro|registre) national",
        named: r"[0-9]{2}[. ]?[0-9]{2}[. ]?[0-9]{2}[ -]?[0-9]{3}[. ]?[0-9]{2}",
        holds: checks::rijksregister,
    },
    // Brazil
    Scheme {
        alone: r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        called: "cpf",
        named: r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}[ -]?[0-9]{2}",
        holds: checks::cpf,
    },
    // India
    Scheme {
        alone: "[2-9][0-9]{3} [0-9]{4} [0-9]{4}|[2-9][0-9]{3}-[0-9]{4}-[0-9]{4}",
        called: "aadha?ar|uidai|uid",
        named: "[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}",
        holds: checks::aadhaar,
    },
    // Canada, Australia
    Scheme {
        alone: "",
        called: "sin|social insurance",
        named: "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}",
        holds: checks::sin,
    },
    Scheme {
        alone: "",
        called: "tfn|tax file",
        named: "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}",
        holds: checks::tfn,
    },
];

/// A scheme with its rules compiled.
struct Rule {
    alone: Option<Regex>,
    named: Regex,
    holds: fn(&str) -> bool,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |scheme: &Scheme| Rule {
        alone: (!scheme.alone.is_empty()).then(|| pattern(scheme.alone)),
        named: pattern(&format!(
            r#"(?i)\b(?:{}|{ANY})(?:[ -]?(?:id|number|no|nr|num|nummer|code))?\b\.?(?: ?(?:is|ist|lautet|war|[:=#(-])){{0,2}}[ "']{{0,3}}({})"#,
            scheme.called, scheme.named
        )),
        holds: scheme.holds,
    };
    SCHEMES.iter().map(rule).collect()
});

/// What joins a number to something before it that makes it part of another.
const STARTS: &str = "_.+/#-";
/// The same behind it.
const ENDS: &str = "_.:/-";

/// Finds national ids.
pub(super) fn find(text: &str, claims: &mut Vec<Claim>) {
    for rule in RULES.iter() {
        let holds = |number: &str| {
            let compact: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
            (rule.holds)(&compact.to_ascii_uppercase())
        };
        for number in rule.named.captures_iter(text).filter_map(|found| found.get(1)) {
            if ends_clean(text, number.end(), ENDS) && holds(number.as_str()) {
                claims.push(Claim::new(Category::NationalId, number.range()));
            }
        }
        for number in rule.alone.iter().flat_map(|alone| alone.find_iter(text)) {
            let whole = starts_clean(text, number.start(), STARTS) && ends_clean(text, number.end(), ENDS);
            // Groups with more of their kind beside them are a longer number, or a table.
            let goes_on = number.as_str().contains(' ')
                && (text[..number.start()].strip_suffix(' ').is_some_and(|text| text.ends_with(digit))
                    || text[number.end()..].strip_prefix(' ').is_some_and(|text| text.starts_with(digit)));
            if whole && !goes_on && holds(number.as_str()) && !cued_otherwise(text, number.start()) {
                claims.push(Claim::new(Category::NationalId, number.range()));
            }
        }
    }
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}
