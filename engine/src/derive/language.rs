//! In which language is a text written? Its prose alone is asked: logs, code and names are nobody's language.

use whatlang::{Detector, Lang, Script};

/// A language by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    /// ISO 639-1.
    pub(crate) code: &'static str,
    /// Whether the text was long and plain enough to rely on it.
    pub(crate) confident: bool,
}

impl Language {
    /// Whether the text can be given to what reads English only.
    pub(crate) fn is_english(&self) -> bool {
        self.code == "en"
    }
}

/// Letters of prose below which trigrams are guesswork; a service desk's short titles are then told by little words or not.
const LETTERS_MIN: usize = 24;

/// Letters of prose that are looked at; more do not change the answer.
const LETTERS_MAX: usize = 600;

/// Little words of the languages in which European desks work. Words that two of them share are left out.
const LITTLE_WORDS: [(&str, &[&str]); 7] = [
    (
        "en",
        &[
            "the", "and", "to", "of", "is", "for", "not", "with", "this", "that", "are", "have", "has",
            "when", "from", "been", "you", "my", "please", "cannot", "can", "should", "after", "does", "it",
            "be", "by", "if", "but", "we", "at", "there",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "mit", "ein", "eine", "einen", "auf", "für", "ich",
            "wir", "bitte", "kann", "kein", "keine", "beim", "nach", "mehr", "wird", "zu", "den", "dem",
            "seit", "sich", "wenn", "oder", "mich",
        ],
    ),
    (
        "fr",
        &[
            "le",
            "les",
            "et",
            "est",
            "une",
            "du",
            "dans",
            "pour",
            "pas",
            "je",
            "nous",
            "avec",
            "mon",
            "sur",
            "ne",
            "depuis",
            "merci",
            "bonjour",
            "plus",
            "au",
            "aux",
            "impossible",
            "ce",
            "cette",
            "mais",
            "qui",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "y", "está", "con", "por", "puedo", "puede", "mi", "desde", "favor", "pero",
            "hay", "funciona", "una", "del", "cuando", "gracias", "necesito", "ha", "al",
        ],
    ),
    (
        "it",
        &[
            "il", "gli", "è", "sono", "per", "non", "della", "del", "dopo", "più", "grazie", "posso", "che",
            "di", "alla", "nel", "funziona", "quando", "questo",
        ],
    ),
    (
        "pt",
        &[
            "não", "está", "com", "uma", "os", "meu", "minha", "para", "foi", "obrigado", "consigo", "ao",
            "em", "você", "quando", "após", "são", "mas",
        ],
    ),
    (
        "nl",
        &[
            "het", "een", "en", "niet", "ik", "wij", "voor", "mijn", "graag", "kan", "naar", "wordt",
            "werkt", "geen", "van", "deze", "bij", "maar", "aan",
        ],
    ),
];

/// Bytes of the longest little word.
const LITTLE_BYTES_MAX: usize = 10;

/// Languages that technical English and short German are mistaken for.
const UNLIKELY: [Lang; 8] =
    [Lang::Epo, Lang::Lat, Lang::Sna, Lang::Zul, Lang::Jav, Lang::Aka, Lang::Tgl, Lang::Tuk];

/// The language of a text's prose; nothing when there is too little of it.
pub(crate) fn language(text: &str) -> Option<Language> {
    let prose =
        if text.chars().any(char::is_lowercase) { Prose::of(text) } else { Prose::of(&text.to_lowercase()) };
    if let Some(code) = prose.by_little_words() {
        return Some(Language { code, confident: true });
    }
    if prose.letters < LETTERS_MIN && prose.text.is_ascii() {
        return None;
    }
    let info = Detector::with_denylist(UNLIKELY.to_vec()).detect(&prose.text)?;
    let code = iso_639_1(info.lang());
    let confident = info.is_reliable() && prose.letters >= LETTERS_MIN;
    // Unsure guesses among languages of Latin letters are noise: product names and lists of nouns look like any of them.
    let is_likely = info.script() != Script::Latin || (code == "en" && info.confidence() > 0.5);
    (confident || is_likely).then_some(Language { code, confident })
}

/// The words of a text that people say.
struct Prose {
    text: String,
    letters: usize,
}

impl Prose {
    fn of(text: &str) -> Self {
        let mut prose = Self { text: String::new(), letters: 0 };
        for line in text.lines() {
            if prose.letters >= LETTERS_MAX {
                break;
            }
            let tokens = line.split_whitespace().count();
            let words: Vec<&str> = line.split_whitespace().filter_map(spoken).collect();
            // Half a line of other things is a log, a command or code.
            if words.len() * 2 <= tokens {
                continue;
            }
            for word in words {
                prose.text.push_str(word);
                prose.text.push(' ');
                prose.letters += word.chars().count();
            }
        }
        prose
    }

    /// The language most of whose little words occur, when it is well ahead.
    fn by_little_words(&self) -> Option<&'static str> {
        let lower = self.text.to_lowercase();
        let mut counts = [0_usize; LITTLE_WORDS.len()];
        let mut all = 0;
        for word in lower.split(' ') {
            all += 1;
            if word.len() > LITTLE_BYTES_MAX {
                continue;
            }
            for (count, (_, words)) in counts.iter_mut().zip(LITTLE_WORDS) {
                *count += usize::from(words.contains(&word));
            }
        }
        let (best, &most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
        let second =
            counts.iter().enumerate().filter(|(at, _)| *at != best).map(|(_, count)| *count).max()?;
        // At least two, one word in ten, and twice as many as of the next.
        (most >= 2 && most * 10 >= all && most >= 2 * second).then_some(LITTLE_WORDS[best].0)
    }
}

/// A token without the punctuation around it, if it is a word as people write it: letters, with an apostrophe or hyphen
/// inside, and no capital but the first.
fn spoken(token: &str) -> Option<&str> {
    let word = token.trim_matches(|c: char| ".,;:!?()\"'“”„«»*".contains(c));
    if word.chars().any(|c| c >= '\u{2E80}') {
        return Some(word);
    }
    let mut letters = word.chars();
    letters.next().filter(|c| c.is_alphabetic())?;
    let fits =
        letters.all(|c| (c.is_alphabetic() && !c.is_uppercase()) || c == '\'' || c == '’' || is_mark(c));
    let parts_fit = || word.split('-').all(|part| part.chars().all(char::is_alphabetic) && !part.is_empty());
    (fits || (word.contains('-') && parts_fit())).then_some(word)
}

/// Vowel signs of Indic and other scripts, which are no letters to Unicode.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{109F}')
}

/// The codes of ISO 639-1; a language that a later detector adds keeps its code of ISO 639-3.
const CODES: [(Lang, &str); 70] = [
    (Lang::Epo, "eo"),
    (Lang::Eng, "en"),
    (Lang::Rus, "ru"),
    (Lang::Cmn, "zh"),
    (Lang::Spa, "es"),
    (Lang::Por, "pt"),
    (Lang::Ita, "it"),
    (Lang::Ben, "bn"),
    (Lang::Fra, "fr"),
    (Lang::Deu, "de"),
    (Lang::Ukr, "uk"),
    (Lang::Kat, "ka"),
    (Lang::Ara, "ar"),
    (Lang::Hin, "hi"),
    (Lang::Jpn, "ja"),
    (Lang::Heb, "he"),
    (Lang::Yid, "yi"),
    (Lang::Pol, "pl"),
    (Lang::Amh, "am"),
    (Lang::Jav, "jv"),
    (Lang::Kor, "ko"),
    (Lang::Nob, "nb"),
    (Lang::Dan, "da"),
    (Lang::Swe, "sv"),
    (Lang::Fin, "fi"),
    (Lang::Tur, "tr"),
    (Lang::Nld, "nl"),
    (Lang::Hun, "hu"),
    (Lang::Ces, "cs"),
    (Lang::Ell, "el"),
    (Lang::Bul, "bg"),
    (Lang::Bel, "be"),
    (Lang::Mar, "mr"),
    (Lang::Kan, "kn"),
    (Lang::Ron, "ro"),
    (Lang::Slv, "sl"),
    (Lang::Hrv, "hr"),
    (Lang::Srp, "sr"),
    (Lang::Mkd, "mk"),
    (Lang::Lit, "lt"),
    (Lang::Lav, "lv"),
    (Lang::Est, "et"),
    (Lang::Tam, "ta"),
    (Lang::Vie, "vi"),
    (Lang::Urd, "ur"),
    (Lang::Tha, "th"),
    (Lang::Guj, "gu"),
    (Lang::Uzb, "uz"),
    (Lang::Pan, "pa"),
    (Lang::Aze, "az"),
    (Lang::Ind, "id"),
    (Lang::Tel, "te"),
    (Lang::Pes, "fa"),
    (Lang::Mal, "ml"),
    (Lang::Ori, "or"),
    (Lang::Mya, "my"),
    (Lang::Nep, "ne"),
    (Lang::Sin, "si"),
    (Lang::Khm, "km"),
    (Lang::Tuk, "tk"),
    (Lang::Aka, "ak"),
    (Lang::Zul, "zu"),
    (Lang::Sna, "sn"),
    (Lang::Afr, "af"),
    (Lang::Lat, "la"),
    (Lang::Slk, "sk"),
    (Lang::Cat, "ca"),
    (Lang::Tgl, "tl"),
    (Lang::Hye, "hy"),
    (Lang::Cym, "cy"),
];

fn iso_639_1(language: Lang) -> &'static str {
    CODES.iter().find(|(lang, _)| *lang == language).map_or_else(|| language.code(), |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::{Language, language};

    #[test]
    fn tickets_of_several_languages() {
        let check = |text: &str, expected: &str| {
            assert_eq!(language(text).map(|language| language.code), Some(expected), "{text:?}");
        };
        check("Printer on the third floor does not print", "en");
        check("CANNOT CONNECT TO THE VPN FROM HOME", "en");
        check("Drucker druckt nicht mehr, bitte um Hilfe", "de");
        check("Ich kann mich seit heute Morgen nicht mehr an der VPN-Verbindung anmelden.", "de");
        check("Impossible de me connecter au VPN depuis ce matin, merci", "fr");
        check("No puedo iniciar sesión en el correo desde ayer, gracias", "es");
        check("Não consigo acessar a minha conta, está bloqueada", "pt");
        check("La stampante non funziona più, grazie", "it");
        check("Ik kan niet inloggen en mijn wachtwoord werkt niet", "nl");
        check("Nie mogę się zalogować do systemu od wczoraj rano, proszę o pomoc", "pl");
        check("メールサーバーに接続できません。再起動しても直りません。", "ja");
        check("无法连接邮件服务器，请帮忙处理", "zh");
        check("Не могу подключиться к почтовому серверу", "ru");
    }

    #[test]
    fn technical_english_is_english_or_nothing() {
        let texts = [
            "java.lang.NullPointerException\n\tat org.apache.hadoop.ipc.Client.call(Client.java:100)\n\tat java.lang.Thread.run",
            "kubectl get nodes -l node-role.kubernetes.io/master= -o json",
            "2021-09-08 00:21:11,596 INFO org.apache.hadoop.hdfs.DFSClient: Exception in createBlockOutputStream",
            "[2021-09-08T00:21:11.596Z] #13 11.28 Preparing to unpack .../libc6_2.31-17_amd64.deb ...",
            "NameNode DataNode ResourceManager failover",
            "sudo systemctl restart nginx",
            "INC0010023 / CHG0000047",
            "VPN",
            "Passwort",
            "",
        ];
        for text in texts {
            assert!(
                language(text).is_none_or(|language| language.is_english()),
                "{text:?} {:?}",
                language(text)
            );
        }
        let with_trace = format!("The client fails when the token is not renewed.\n{}", texts[0].repeat(9));
        assert_eq!(language(&with_trace), Some(Language { code: "en", confident: true }));
        let german_with_trace =
            format!("Die Anwendung startet nicht mehr und ich sehe nur das:\n{}", texts[0].repeat(9));
        assert_eq!(language(&german_with_trace), Some(Language { code: "de", confident: true }));
    }
}
