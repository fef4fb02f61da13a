//! Fallback heuristic: resolution by the name alone, if scope, imports and types gave no result.
//!
//! The confidence is never high, and names that are common in any program are not tried.

use std::sync::Arc;

use super::members::{agrees, is_interface};
use super::text::{last_segment, nearness};
use super::{Family, LiveDefinition, ScoredDefinition, VisibleNames, trust};
use crate::syntax::{Call, CallForm, DefinitionKind};

/// Returns the definitions that a call may mean by its name alone.
pub(super) fn by_name(names: &VisibleNames, call: &Call) -> Vec<ScoredDefinition> {
    if is_common(names.family, &call.name) {
        return Vec::new();
    }
    let mut found = names.named(&call.name);
    // `Type::f` names the owner; before a dot the name may be a value.
    let (scope, _) = call.callee.rsplit_once("::").unwrap_or_default();
    found.retain(|candidate| {
        let fits = match call.form {
            CallForm::Free => candidate.kind != DefinitionKind::Module && candidate.owner.is_none(),
            CallForm::Method | CallForm::Path => {
                candidate.kind == DefinitionKind::Function && candidate.owner.is_some()
            }
            CallForm::Macro => candidate.kind == DefinitionKind::Macro,
        };
        let of_scope = scope.is_empty() || candidate.owner.as_deref() == Some(last_segment(scope));
        fits && of_scope && agrees(candidate, call, names.family)
    });
    if found.len() > 1
        && let Some(declared) = declaration(names, &found)
    {
        found = vec![declared];
    }
    match found.len() {
        0 => Vec::new(),
        1 => found
            .into_iter()
            .map(|what| ScoredDefinition::new(what, trust::ONLY_NAME, "only one of that name"))
            .collect(),
        several if several <= trust::MAX_OF_NAME => {
            let share = trust::ONE_OF_NAME / several as f32;
            found
                .into_iter()
                .map(|what| {
                    // Ties are broken by proximity, by much less than one step of confidence.
                    let near = nearness(&what.path, names.path).min(9) as f32 / 1000.0;
                    ScoredDefinition::new(what, share + near, "one of a few of that name")
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the declaration that all others implement: the method of a trait or interface among its implementations.
fn declaration(names: &VisibleNames, found: &[Arc<LiveDefinition>]) -> Option<Arc<LiveDefinition>> {
    let mut declarations = found.iter().filter(|candidate| {
        candidate.owner.as_deref().is_some_and(|owner| {
            names.named(owner).iter().any(|owner| owner.path == candidate.path && is_interface(owner))
        })
    });
    let first = declarations.next()?;
    let owner = first.owner.as_deref()?;
    let implements = |candidate: &Arc<LiveDefinition>| {
        Arc::ptr_eq(candidate, first)
            || candidate.key == first.key
            || candidate.qualified.contains(&format!(" as {owner}"))
            || candidate.owner.as_deref().is_some_and(|implementor| {
                names.named(implementor).iter().any(|ty| ty.bases.iter().any(|base| last_segment(base) == owner))
            })
    };
    (declarations.next().is_none() && found.iter().all(implements)).then(|| first.clone())
}

/// Returns whether a name is common in standard libraries or programs, so that a call of that name need not mean the
/// only definition of it in the repository.
fn is_common(family: Family, name: &str) -> bool {
    let words = match family {
        Family::Rust => RUST,
        Family::Python => PYTHON,
        Family::JavaScript => JAVASCRIPT,
        Family::Go => GO,
        Family::C => C,
        Family::Java => JAVA,
    };
    ANY.split_ascii_whitespace().chain(words.split_ascii_whitespace()).any(|word| word == name)
}

/// Common names in any language.
const ANY: &str = "
    add all any append apply bind build call clear clone close compare connect contains copy count create delete
    emit end entries equals error exec exists exit fill filter find first flush format get has hash id index
    init insert into is_empty items iter join keys kind last len length list load lock log lower main map match
    max merge message min name new next on open parse path peek pop print push put read reduce remove repeat
    replace reset reverse run save search seek send set size skip slice sort split start stop sub sum take test
    then trim type update upper value values wait warn write
";

/// Methods of Rust's standard library and of its customary traits.
const RUST: &str = "
    abs and_then arg args as_bytes as_deref as_mut as_os_str as_path as_ptr as_ref as_slice as_str as_u64 bool
    borrow borrow_mut by_ref bytes canonicalize capacity ceil chain chars checked_add checked_sub chunks cloned
    cmp collect components concat contains_key context copied copy_from_slice current_dir cycle dedup default
    deref deref_mut difference display downcast_ref drain drop ends_with entry enumerate env eq err exp expect
    expect_err extend extend_from_slice file_name file_type filter_map find_map flat_map flatten floor fmt fold
    for_each from from_str from_utf8 fuse ge get_mut get_or_init get_or_insert_with gt insert_str inspect
    intersection into_boxed_slice into_bytes into_inner into_iter into_owned into_string is_absolute
    is_alphanumeric is_ascii is_char_boundary is_dir is_err is_file is_none is_none_or is_ok is_some is_some_and
    iter_mut last_mut le lines ln lt map_err map_or map_or_else max_by max_by_key metadata min_by min_by_key mul
    ne not nth ok ok_or ok_or_else or or_default or_else or_insert or_insert_with output parent partial_cmp
    partition peekable pop_front position pow product push_back push_front push_str read_dir read_exact
    read_line read_to_end read_to_string recv remove_file reserve resize retain rev rfind round rsplit
    saturating_add saturating_sub scan set_len skip_while some sort_by sort_by_key sort_unstable
    sort_unstable_by spawn splice split_at split_first split_last split_off split_once split_whitespace sqrt
    starts_with status std stderr stdin stdout step_by store strip_prefix strip_suffix swap take_while
    to_ascii_lowercase to_be_bytes to_le_bytes to_lowercase to_os_string to_owned to_path_buf to_str to_string
    to_string_lossy to_uppercase to_vec trim_end trim_start truncate try_from try_into try_lock union unwrap
    unwrap_err unwrap_or unwrap_or_default unwrap_or_else unzip windows with_capacity with_context
    with_extension wrapping_add wrapping_sub write_all write_fmt write_str zip
";

/// Methods of Python's built-in types, and other names common in Python programs.
const PYTHON: &str = "
    acquire astype capitalize center commit critical cursor debug decode dict difference encode endswith
    exception execute expandtabs extend fileno fromkeys get_text group groups info int intersection is_file
    isalpha isatty isdigit isidentifier islower isspace issubset isupper kill ljust lstrip mean mkdir partition
    popitem popleft readable readline readlines release resolve rfind rjust rpartition rsplit rstrip setdefault
    shape shutdown splitlines startswith str strip submit super swapcase symmetric_difference tell terminate
    title tobytes tolist translate truncate union warning writable writelines zfill
";

/// Methods of the objects of browsers and Node.
const JAVASCRIPT: &str = "
    abort addEventListener arrayBuffer assign async at blob cancel catch charAt charCodeAt codePointAt concat
    createElement debug defineProperty description dispatchEvent done endsWith every finally findIndex flat
    flatMap forEach formData freeze from fromEntries getOwnPropertyDescriptor getReader getTime hasOwnProperty
    includes indexOf info isArray isInteger json lastIndexOf localeCompare matchAll normalize now of off once
    padEnd padStart preventDefault query querySelector race random reject releaseLock removeEventListener
    request resolve shift some splice startsWith stringify subscribe substring text throwIfAborted toFixed
    toISOString toLowerCase toString toUpperCase trimEnd trimStart unshift valueOf
";

/// Methods of Go's standard library.
const GO: &str = "
    Add Bytes Cause Close Context Copy Delete Do Done Err Error Errorf Exec Exit Fatal Flush Format Get Header
    Index Info Int Is IsDir Len Less Load Lock Log Method ModTime Mode Name New Next Now Open Print Printf
    Println Put RLock RUnlock Read ReadAll ReadFrom Remove Reset Run Scan Seek Set Size Start Stat Stop Store
    String Sub Sum Swap Sync Text Title Type Unlock Unwrap Value Wait Warn Write WriteString WriteTo
";

/// Names of the C library and of C++'s containers.
const C: &str = "
    abort accept at back begin c_str cbegin cend data emplace emplace_back empty erase free front listen
    make_pair malloc memcpy move pop_back push_back release reserve resize sleep str strlen substr swap
    to_string unlock
";

/// Methods of Java's own classes.
const JAVA: &str = "
    accept addAll addListener asList await cancel charAt compareTo computeIfAbsent concat containsKey debug
    endsWith entrySet execute forEach getBytes getClass getInstance getKey getMessage getName getOrDefault
    getValue hasNext hashCode indexOf info isEmpty isPresent iterator keySet lines of ofNullable orElse printf
    println putAll removeIf startsWith stream submit substring test toArray toList toLowerCase toString valueOf
";
