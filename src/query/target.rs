//! Resolves targets in the current view: items, lines, folders and globs, commits, sessions, and paths that are no
//! longer live. An ambiguous target is an error that lists the candidates.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::Result;
use globset::GlobBuilder;

use super::gone::GoneTarget;
use super::{Note, Reader, ResolvedTarget};
use crate::config::real_path;
use crate::entries;
use crate::error::{Exit, UserError};
use crate::event::{encode_path, hex};
use crate::facts::{ItemKind, SESSION};
use crate::history::{self, Fate};
use crate::item::{self, Item, LiveTarget, TargetReading};
use crate::view;

/// The resolved targets of a command, with notes on how ambiguous ones were interpreted.
#[derive(Debug, Default)]
pub struct Targets {
    /// The targets, in the order of the command line.
    pub all: Vec<ResolvedTarget>,
    /// Notes on how ambiguous ones were interpreted.
    pub notes: Vec<Note>,
}

/// The prefix of a commit's key.
const COMMIT: &str = "commit:";
/// The fewest digits that count as an abbreviated object id.
const LEAST_DIGITS: usize = 7;
/// The most candidates that are listed for an ambiguous id or old name.
const LISTED: usize = 12;
/// The most files of a deleted folder that are considered.
const MOST_GONE: usize = 500;

impl Targets {
    /// Returns their keys, as in JSON.
    pub fn keys(&self) -> Vec<String> {
        self.all.iter().map(ResolvedTarget::key).collect()
    }
}

impl Reader<'_> {
    /// Resolves targets, in the order of the command line.
    ///
    /// # Errors
    /// A [`UserError`] for the first target that matches nothing, or several things.
    pub fn targets(&self, texts: &[impl AsRef<OsStr>]) -> Result<Targets> {
        let mut targets = Targets::default();
        for text in texts {
            let target = self.target(text.as_ref(), &mut targets.notes)?;
            targets.all.push(target);
        }
        Ok(targets)
    }

    /// Resolves one target, relative to the current folder. An absolute path inside the worktree is taken relative to
    /// its top.
    fn target(&self, text: &OsStr, notes: &mut Vec<Note>) -> Result<ResolvedTarget> {
        let inside = Path::new(text).is_absolute().then(|| self.repository.path_in_worktree(Path::new(text))).flatten();
        let (bytes, prefix) = match &inside {
            // The top of the worktree itself.
            Some(inside) if inside.as_os_str().is_empty() => (&b"."[..], String::new()),
            Some(inside) => (inside.as_os_str().as_bytes(), String::new()),
            None => (text.as_bytes(), self.prefix()),
        };
        if bytes.trim_ascii().is_empty() {
            return Err(UserError::new(Exit::Usage, "an empty target names nothing")
                .hint("`.` is the folder you are in")
                .into());
        }
        let variants = item::variants(bytes);
        for variant in &variants {
            if let Some(target) = self.keyed(&shown(variant), variants.last() == Some(variant))? {
                return Ok(target);
            }
            let readings = item::readings(variant);
            let found = item::resolve(&self.cache, self.view.id, &prefix, &readings)?;
            if let Some(target) = self.only(variant, found)? {
                return Ok(target);
            }
            if let Some(target) = self.glob(&prefix, variant)? {
                return Ok(target);
            }
            if let Some(target) = self.gone(&prefix, &readings, notes)? {
                return Ok(target);
            }
        }
        for variant in &variants {
            if let Some(target) = self.commit(&shown(variant))? {
                return Ok(target);
            }
            if let Some(target) = self.gone_by_ending(variant, notes)? {
                return Ok(target);
            }
        }
        Err(self.nothing(&prefix, bytes)?.into())
    }

    /// Resolves the key of a session, an entry or a commit; `None` if the text is not such a key.
    fn keyed(&self, text: &str, is_last: bool) -> Result<Option<ResolvedTarget>> {
        if text.starts_with(SESSION) {
            let said = entries::by_key(&self.cache, self.view.id, text)?;
            if said.is_none() && is_last {
                return Err(UserError::new(Exit::Failed, format!("no session entry is named `{text}`"))
                    .hint("`patina session list` names sessions, and `patina session show ID` what they say")
                    .into());
            }
            return Ok(said.map(ResolvedTarget::Said));
        }
        let Some(name) = text.strip_prefix(COMMIT) else { return Ok(None) };
        let found = self.commit(name)?;
        if found.is_none() && is_last {
            return Err(UserError::new(Exit::Failed, format!("no indexed commit matches `{name}`"))
                .hint("`patina status` says up to where the history is indexed")
                .into());
        }
        Ok(found)
    }

    /// Resolves a commit by its abbreviated id, or by a name such as `HEAD` or `HEAD~2`.
    fn commit(&self, name: &str) -> Result<Option<ResolvedTarget>> {
        let name = name.strip_prefix("commit ").unwrap_or(name);
        let is_id = name.len() >= LEAST_DIGITS && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = match name {
            _ if is_id => name.to_ascii_lowercase(),
            _ if name.starts_with("HEAD") => match self.repository.resolve_commit(name) {
                Some(id) => hex(id.as_bytes()),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let mut found = history::commits_beginning(&self.cache, &id, LISTED)?;
        if found.len() > 1 {
            let listed = found.iter().map(|(_, commit)| format!("  {COMMIT}{}  {}", commit.commit, commit.subject));
            let message =
                format!("`{name}` begins {} commits:\n{}", found.len(), listed.collect::<Vec<_>>().join("\n"));
            return Err(UserError::new(Exit::Usage, message).hint("name one of them as it stands in this list").into());
        }
        Ok(found.pop().map(|(seq, commit)| ResolvedTarget::Commit { seq, commit }))
    }

    /// Returns the only target found, if there is one.
    fn only(&self, text: &[u8], mut found: Vec<LiveTarget>) -> Result<Option<ResolvedTarget>> {
        match found.len() {
            0 | 1 => found.pop().map(|found| self.settled(found)).transpose(),
            _ => Err(item::ambiguous(&shown(text), &found).into()),
        }
    }

    fn settled(&self, found: LiveTarget) -> Result<ResolvedTarget> {
        Ok(match found {
            LiveTarget::Item(item) => ResolvedTarget::Item(item),
            LiveTarget::Lines(file, lines) => {
                let holds = |item: &Item| {
                    item.kind != ItemKind::File && item.line <= lines.first && lines.last <= item.end_line
                };
                let inside = item::in_file(&self.cache, self.view.id, &file.path)?;
                let size = |item: &Item| (item.end_line - item.line, item.kind == ItemKind::Module);
                let inner = inside.into_iter().filter(holds).min_by_key(size);
                ResolvedTarget::Lines { file, lines, inner }
            }
            LiveTarget::Folder(folder) => {
                let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
                let paths = view::files(&self.cache, self.view.id)?.into_keys();
                let paths = paths.filter(|path| path.starts_with(&inside)).collect();
                ResolvedTarget::Files { name: if folder.is_empty() { ".".to_string() } else { folder }, paths }
            }
        })
    }

    /// Resolves a glob to the live files that it matches, relative to the current folder or else to the top; `None` if
    /// it matches none.
    fn glob(&self, prefix: &str, text: &[u8]) -> Result<Option<ResolvedTarget>> {
        let Some(pattern) = std::str::from_utf8(text).ok().filter(|text| text.contains(['*', '?', '[', '{'])) else {
            return Ok(None);
        };
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let here = globset::escape(&real_path(prefix).to_string_lossy());
        let from = if prefix.is_empty() { vec![] } else { vec![format!("{here}/{pattern}")] };
        for pattern in from.into_iter().chain([pattern.to_string()]) {
            let Ok(glob) = GlobBuilder::new(&pattern).build() else { return Ok(None) };
            let glob = glob.compile_matcher();
            let files = view::files(&self.cache, self.view.id)?;
            let paths: Vec<String> = files.into_keys().filter(|path| glob.is_match(real_path(path))).collect();
            if !paths.is_empty() {
                return Ok(Some(ResolvedTarget::Files { name: encode_path(text), paths }));
            }
        }
        Ok(None)
    }

    /// Resolves a path that is not live from history.
    fn gone(&self, prefix: &str, readings: &[TargetReading], notes: &mut Vec<Note>) -> Result<Option<ResolvedTarget>> {
        for reading in readings {
            let Some(path) = &reading.path else { continue };
            for path in item::spellings(prefix, path) {
                if let Some(fate) = history::fate(&self.cache, self.view.id, &path)? {
                    return self.followed(path, fate, reading, notes).map(Some);
                }
                let is_plain = reading.lines.is_none() && reading.name.is_none() && !path.is_empty();
                if is_plain && let Some(folder) = self.gone_folder(path, notes)? {
                    return Ok(Some(folder));
                }
            }
        }
        Ok(None)
    }

    fn gone_by_ending(&self, text: &[u8], notes: &mut Vec<Note>) -> Result<Option<ResolvedTarget>> {
        for reading in item::readings(text) {
            let Some(path) = &reading.path else { continue };
            let [.., end] = item::spellings("", path);
            let mut found = history::gone_ending(&self.cache, self.view.id, &end, LISTED)?;
            if found.len() > 1 {
                let listed: Vec<String> = found.iter().map(|path| format!("  {path}")).collect();
                let message = format!("`{end}` names {} files that are gone:\n{}", found.len(), listed.join("\n"));
                return Err(UserError::new(Exit::Usage, message)
                    .hint("name one of them as it stands in this list")
                    .into());
            }
            if let Some(path) = found.pop()
                && let Some(fate) = history::fate(&self.cache, self.view.id, &path)?
            {
                return self.followed(path, fate, &reading, notes).map(Some);
            }
        }
        Ok(None)
    }

    /// Resolves lines or a definition of an old path in the file that it was renamed to, or else the path as a deleted
    /// one.
    fn followed(
        &self,
        path: String,
        fate: Fate,
        reading: &TargetReading,
        notes: &mut Vec<Note>,
    ) -> Result<ResolvedTarget> {
        let Fate::Renamed { to, commit } = &fate else {
            return Ok(ResolvedTarget::Gone(GoneTarget { path, below: Vec::new(), fate }));
        };
        let mut found = Vec::new();
        for new in to {
            let reading = TargetReading { path: Some(crate::event::decode_path(new)), ..reading.clone() };
            let named = item::resolve(&self.cache, self.view.id, "", std::slice::from_ref(&reading))?;
            match (named.is_empty(), &reading.name) {
                (true, Some(name)) => {
                    let message = format!("`{path}` is `{new}` now, and nothing in it is called `{name}`");
                    return Err(UserError::new(Exit::Failed, message).into());
                }
                _ => found.extend(named),
            }
        }
        let new = to.join(", ");
        notes.push(Note::info(format!("{path} was renamed to {new} in {}", short_commit(&commit.commit))));
        let target = self.only(path.as_bytes(), found)?;
        target.ok_or_else(|| UserError::new(Exit::Failed, format!("`{path}` is `{new}` now")).into())
    }

    fn gone_folder(&self, folder: String, notes: &mut Vec<Note>) -> Result<Option<ResolvedTarget>> {
        let below = history::gone_below(&self.cache, self.view.id, &folder, MOST_GONE)?;
        let (mut heirs, mut newest) = (Vec::new(), None);
        for path in &below {
            match history::fate(&self.cache, self.view.id, path)? {
                Some(Fate::Renamed { to, .. }) => heirs.extend(to),
                Some(Fate::Deleted { last, commit }) => {
                    let is_newer = |(_, known): &(String, history::CommitRef)| known.time < commit.time;
                    if newest.as_ref().is_none_or(is_newer) {
                        newest = Some((last, commit));
                    }
                }
                Some(Fate::Elsewhere { .. }) | None => {}
            }
        }
        heirs.sort();
        heirs.dedup();
        if !heirs.is_empty() {
            let files = crate::event::pluralize(heirs.len() as u64, "file");
            notes.push(Note::info(format!("{folder} is gone: this is of the {files} that its files were renamed to")));
            return Ok(Some(ResolvedTarget::Files { name: folder, paths: heirs }));
        }
        Ok(newest.map(|(_, commit)| {
            let fate = Fate::Deleted { last: folder.clone(), commit };
            ResolvedTarget::Gone(GoneTarget { path: folder, below, fate })
        }))
    }

    /// Returns the error for a target that matches nothing, with suggestions.
    fn nothing(&self, prefix: &str, bytes: &[u8]) -> Result<UserError> {
        let text = shown(bytes.trim_ascii());
        for reading in item::readings(bytes.trim_ascii()).iter().filter(|reading| reading.lines.is_some()) {
            let name = reading.path.as_deref().map(shown).unwrap_or_default();
            let reading = TargetReading { path: None, lines: None, name: Some(name.clone()) };
            let found = item::resolve(&self.cache, self.view.id, prefix, &[reading])?;
            if let [LiveTarget::Item(item)] = found.as_slice() {
                let message = format!("`{name}` is not a file, and only files have lines");
                return Ok(UserError::new(Exit::Usage, message).hint(format!("{}:{} names one", item.path, item.line)));
            }
        }
        let error = UserError::new(Exit::Failed, format!("no indexed file or symbol is named `{text}`"));
        let near = item::suggestions(&self.cache, self.view.id, prefix, bytes.trim_ascii())?;
        let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
        Ok(match near.as_slice() {
            [] => error.hint("`patina query` finds by words, and `patina query --gone` what was deleted"),
            near => error.hint(format!("did you mean {}?", near.join(", "))),
        })
    }
}

/// Abbreviates an object id to ten digits.
pub(super) fn short_commit(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// Formats a target for a message. Bytes that are not UTF-8 are percent-encoded.
fn shown(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| encode_path(bytes), str::to_string)
}
