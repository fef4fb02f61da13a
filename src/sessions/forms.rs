//! Sentence forms of decisions, work, problems and findings.
//!
//! The forms are strict: a sentence that may be a guess, an offer, a question or a plan matches none.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::Category;

/// Past-tense verbs of work whose form is not also an imperative.
const WORK_VERBS: &str = "added|adjusted|aligned|applied|bumped|centralized|changed|cleaned up|collapsed|committed|configured|\
consolidated|converted|corrected|created|deduplicated|defined|deleted|deployed|disabled|documented|dropped|enabled|\
enhanced|expanded|exposed|extended|extracted|factored|finished|fixed|flipped|generalized|generated|guarded|hardened|\
implemented|improved|inlined|integrated|introduced|limited|linked|made|merged|migrated|modified|moved|optimized|\
parameterized|patched|ported|pushed|raised|rebased|redesigned|reduced|refactored|registered|removed|renamed|reordered|\
reorganized|replaced|resolved|restored|restructured|reused|reverted|reworked|rewired|rewrote|rewritten|simplified|\
swapped|switched|threaded|tightened|transformed|trimmed|unified|updated|upgraded|widened|wired|wrapped|wrote|written";

/// The fewest words of a finding; fewer merely announce one.
const MIN_FINDING_WORDS: usize = 6;

/// Adverbs and auxiliaries between a pronoun and its verb.
const ADVERBS: &str = r"(?:(?:['’]ve|have|has|also|now|then|just|already|successfully|finally|additionally|deliberately|intentionally|explicitly|therefore|instead) ?)*";

/// Compiles a sentence form, case-insensitive.
fn compile_form(pattern: &str) -> Regex {
    let pattern = pattern.replace("{WORK_VERBS}", WORK_VERBS).replace("{ADVERBS}", ADVERBS);
    RegexBuilder::new(&pattern)
        .case_insensitive(true)
        .size_limit(4 << 20)
        .build()
        .expect("the constant patterns are valid")
}

macro_rules! forms {
    ($($name:ident: $pattern:expr;)*) => { $(static $name: LazyLock<Regex> = LazyLock::new(|| compile_form($pattern));)* };
}

forms! {
    // Guesses, offers and questions.
    HEDGED: r"\b(probably|perhaps|maybe|might|likely|seems?|seemed|appears?|presumably|possibly|suspect|guess|assume|unclear|not sure|would|could|should|if you|want me|shall i|let me know|happy to|say the word|feel free)\b|\?\s*$";
    SHOWS: r"\bhere(?:['’]s| is| are)\b";
    ASKS: r"^(?:add|call|change|check|consider|create|delete|do|don['’]t|drop|either|ensure|extract|handle|how|keep|let|make|move|normalize|pass|put|read|remove|rename|replace|return|run|set|skip|switch|update|use|what|whether|wrap|write)\b";
    QUESTION: r"^(?:how|what|whether|which|why|who|when)\b|\?\s*$";
    OFFER: r"^(now |then |next,? |please |just )?(let me|let's|i'll|i will|i'm going to|i need to|i want to|i'd|you can|you could|you'll|you may|try|run|restart|reload|open|check|test|see|ready|want|would|should|feel|if|next|to )\b";

    DECIDED: r"\b(i|we)(?:['’]ve| have)?(?: (?:also|now|therefore|instead|then|explicitly|deliberately))* (decided|chose|chosen|opted|elected|settled on|went with|stuck with|agreed on|agreed to|ruled out)\b";
    DECIDED_BARE: r"^(decided|chose|opted|went with|settled on|stuck with|ruled out|rejected) ";
    DECIDED_THAT: r"^(?:i|we)(?:['’]ve| have)? (?:decided|agreed) that\b";
    DECISION_IS: r"^(?:the|our|my) (?:final )?decision (?:was|is) (?:not )?to (?:use|keep|go with|leave|put|make|store|stick with|add|drop|skip|avoid|build|treat|ship|remove|split|write|move|pin|run)\b";
    PICKED: r"^(?:(?:i|we)(?:['’]ve| have)?(?: (?:also|now|therefore|instead|then))* (?:picked|selected|rejected)|(?:(?:i['’]m|we['’]re|i am|we are) )?going with) .{3,}\b(?:because|since|instead of|rather than|over (?:an?|the|using)|as it|so that|to avoid)\b";
    RATHER: r"^(?:(?:i|we) ?{ADVERBS}(?:kept|left|used|put|placed|set|did|made|built|gave|stored|named|took|treated|modeled|passed|added|wrote|reused)|kept|left|used|placed|stored|built|named|reused|treated|modeled) .*\b(instead of|rather than|over the alternative)\b";
    KEPT: r"^(?:(?:i|we) ?{ADVERBS})?(kept|left|avoided|skipped|did not|didn['’]t|reused|preserved|retained|omitted|deferred) .*\b(because|since|so that|so (?:it|the|that|existing|we|no)|to avoid|to keep|rather than|instead of|deliberately|intentionally|on purpose|as[- ]is|alone|untouched|out of scope)\b";
    MEANT: r"\b(deliberately|intentionally|purposely|on purpose)\b";
    MEANT_DONE: r"^(?:(?:i|we)\b|left|kept|not |did|(?:the|this|that|these|those|it|`[^`]+`)\b.{0,80}\b(?:is|are|was|were|stays?|remains?|has no|have no|does not|doesn['’]t|do not|don['’]t|left|kept|skips?|uses?)\b)";
    WILL_RATHER: r"^(?:(?:so|then|instead|here|therefore),? )?(?:i['’]ll|we['’]ll|i will|we will|i['’]m going to|let['’]s) (use|keep|go with|leave|put|make|store|stick with|add|treat|model|build|drop|skip|avoid) .{1,70}\b(instead of|rather than|because|since it|since the|to avoid)\b";

    UNSETTLED: r"^\W*(?:tbd|tbc|tba|todo|to ?do|pending|open|open question|undecided|unresolved|unsettled|not (?:yet )?decided|to be (?:decided|determined|confirmed|discussed)|to decide)\W*(?:[:\x{2014}\x{2013}]|\s-\s|$)|^\W*(?:still )?(?:undecided|tbd)\b|(?:[:\x{2014}\x{2013}(]|\s-)\s*(?:still )?(?:tbd|undecided|to be (?:decided|determined|discussed))\W*$";

    WORK_I: r"^(?:i|we) ?{ADVERBS}(?:{WORK_VERBS}|set up|split|put|built)\b";
    WORK_BARE: r"^(?:also |successfully |and )?(?:{WORK_VERBS}|set up|built) (?:\S)";
    WORK_BOLD: r"^[^:.]{0,80}\b(?:{WORK_VERBS})$";
    WORK_PASSIVE: r"^(?:the|all|both|this|these|each|every|two|three|four|five|six|seven|eight|nine|ten|`[^`]+`|[A-Z]\w*)\b.{0,120}\b(?:has|have) (?:now |all |both |also )*been (?:successfully |fully |completely |now )*(?:{WORK_VERBS}|set up|split|built)\b";
    WORK_NOW: r"^(?:the|both|all|each|every|`[^`]+`|[A-Z][\w/.-]+)\b.{0,100}?\bnow (?:also |only |correctly |properly |all |both )*(?:accepts?|adds?|allows?|applies|asks?|calls?|carries|checks?|compares?|computes?|consumes?|covers?|creates?|defaults?|deletes?|displays?|emits?|ends?|enforces?|exposes?|fails?|falls?|filters?|goes|handles?|has|have|holds?|ignores?|includes?|keeps?|leads?|lists?|lives?|loads?|logs?|logged|looks?|matches|names?|opens?|parses|passes|points?|prefers?|prints?|reads?|records?|rejects?|reports?|requires?|resolves?|respects?|returns?|reuses?|runs?|says?|sends?|shares?|shows?|skips?|sorts?|starts?|states?|stays?|stops?|stores?|strips?|supports?|takes?|tells?|throws?|tracks?|treats?|uses?|validates?|waits?|warns?|works?|writes?)\b";

    CAUSE: r"^(?:so |and |but |here,? )?(?:the|our|this|my|its) (?:(?:real|actual|root|underlying|main|core|original|other|second|first|remaining|same|only) )*(?:root cause|cause|culprit|problem|issue|bug|error|failure|regression|crash|deadlock|leak|race|mismatch|catch|trouble|difficulty|challenge)(?: (?:here|there|with [^.]{1,60}|in [^.]{1,60}|behind [^.]{1,60}|of [^.]{1,60}))? (?:is|was|were|comes?|came|lies|lay|stems?|stemmed|turned out)\b";
    CAUSE_LABEL: r"^root cause\b";
    FAILED: r"^(?:the|this|that|it|both|all|`[^`]+`|[A-Z][\w.-]+)\b.{0,80}\b(?:failed|fails|was failing|were failing|is failing|broke|breaks|crashed|crashes|hung|hangs|deadlocked|timed out) (?:because|since|due to)\b";

    FOUND: r"^(?:(?:while|when|in|after|on) [^,]{3,80}, )?(?:i|we) ?{ADVERBS}(?:found|noticed|discovered|confirmed|verified|learned|observed|measured|established)\b";
    FOUND_BARE: r"^(?:confirmed|verified|measured|benchmarked)(?: (?:that|end|against|on|by|with|in|it|live|locally|manually)\b|:| —)";
    TURNS_OUT: r"^(?:it |as it )?(?:turns|turned) out\b";
    NO_CHANGE: r"^no (?:[a-z]+ )?(?:changes?|fix|action) (?:is |are |was |were )?(?:needed|required|necessary)\b";
    OLDER: r"\b(?:is|are|was|were|there['’]s|that['’]s|it['’]s) (?:an? |all |the same |also |just |both )*pre-?existing\b";
    HINTS: r"\b(hints?|diagnostics?|suggestions?|nits?)\b";
    SHOWED: r"^the (?:investigation|measurements?|benchmarks?|profile|profiler|logs?|trace|experiment|data|numbers|results?|diff|history|audit|comparison) (?:confirms?|confirmed|shows?|showed|reveals?|revealed|says?|proves?|proved)\b";

    CHECKS: r"(?i)^(?:\W*)(?:all|both|build|builds|lint|linter|tests?|everything|clean|type-?check|compil\w+|clippy|ci|the (?:build|linter|tests|full suite|suite|code|project)|full suite|no (?:lint|errors|warnings)|zero lint|go (?:build|vet|test)|`(?:go|npm|cargo|pnpm|yarn|make|pytest|golangci-lint|gofmt)\b[^`]*`)\b[^.;]{0,120}(?:pass(?:es|ed|ing)?|clean(?:ly)?|green|succeed(?:s|ed)?|successful(?:ly)?|0 issues|compiles?|no errors|no issues|✅)";
}

/// Returns the category of a sentence by its form; `None` if ambiguous.
pub(super) fn category(sentence: &str) -> Option<Category> {
    let is = |form: &LazyLock<Regex>| form.is_match(sentence);
    let future = is(&WILL_RATHER);
    // A decision about the future, such as `I decided that we would use UTC`.
    let decided =
        is(&DECIDED_THAT).then(|| sentence.replacen(" would ", " will ", 1).replacen(" should ", " shall ", 1));
    if HEDGED.is_match(decided.as_deref().unwrap_or(sentence))
        || is(&SHOWS)
        || sentence.ends_with('?')
        || (is(&OFFER) && !future)
    {
        return None;
    }
    let is_any = |forms: &[&LazyLock<Regex>]| forms.iter().any(|form| is(form));
    if future
        || is_any(&[&DECIDED, &DECIDED_BARE, &DECISION_IS, &PICKED, &RATHER, &KEPT])
        || is(&MEANT) && is(&MEANT_DONE)
    {
        return Some(Category::Decision);
    }
    if is(&CAUSE) || is(&CAUSE_LABEL) || is(&FAILED) {
        return Some(Category::Challenge);
    }
    if is(&CHECKS) {
        return None;
    }
    let says_what = sentence.split_whitespace().count() >= MIN_FINDING_WORDS;
    if says_what
        && (is(&FOUND)
            || is(&FOUND_BARE)
            || is(&TURNS_OUT)
            || is(&NO_CHANGE)
            || is(&OLDER) && !is(&HINTS)
            || is(&SHOWED))
    {
        return Some(Category::Observation);
    }
    if is(&WORK_I) || is(&WORK_BARE) || is(&WORK_PASSIVE) || is(&WORK_NOW) && !sentence.contains(" will now ") {
        return Some(Category::Work);
    }
    None
}

/// Returns whether the first words of a list item report work, as in `D36 rewritten`.
pub(super) fn reports_work(words: &str) -> bool {
    WORK_BOLD.is_match(words)
}

/// Returns whether a text after a label such as `Fix:` is a request or a question.
pub(super) fn is_request(text: &str) -> bool {
    ASKS.is_match(text) || SHOWS.is_match(text)
}

/// Returns whether an item among decisions is open or withdrawn: `~~Use a lock~~`, `TBD: the name`, a question.
pub(super) fn is_unsettled(item: &str) -> bool {
    let item = item.trim();
    let struck = item.trim_start_matches(['*', '_', ' ']).strip_prefix("~~").and_then(|rest| rest.split_once("~~"));
    let is_struck = struck.is_some_and(|(_, rest)| {
        let rest = rest.trim_matches(|c: char| !c.is_alphanumeric() && c != '(' && c != ')');
        rest.is_empty() || rest.starts_with('(') && rest.ends_with(')')
    });
    is_struck || item.trim_end_matches(['*', '_', ' ']).ends_with('?') || UNSETTLED.is_match(item)
}

/// Returns whether a text is a question or names one.
pub(super) fn is_question(text: &str) -> bool {
    QUESTION.is_match(text)
}

/// Returns whether a sentence is a plain statement: no guess, offer or question.
pub(super) fn is_statement(sentence: &str) -> bool {
    !HEDGED.is_match(sentence) && !SHOWS.is_match(sentence) && !OFFER.is_match(sentence) && !is_question(sentence)
}

/// Returns whether a sentence only reports passing checks, which the recorded commands and their exit status already
/// show.
pub(super) fn is_check_report(sentence: &str) -> bool {
    CHECKS.is_match(sentence)
}

/// Returns whether a sentence addresses the user: an offer, a question, a request.
pub(super) fn addresses_user(sentence: &str) -> bool {
    OFFER.is_match(sentence) || sentence.ends_with('?') || sentence.ends_with(':') && HEDGED.is_match(sentence)
}
