//! Consents: which agents' transcripts the user lets patina read, in one small readable file in the state folder.
//!
//! Invariant: a missing or unreadable file is no consent.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Agent;
use crate::event::{decode_path, encode_path};
use crate::workspace::{Workspace, write_atomically};

/// The user's consent to read an agent's transcripts for a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// When it was given, in Unix seconds.
    pub since: i64,
    /// Whether the user's own prompts may be read too.
    pub prompts: bool,
    /// The only folder that transcripts are read from; an absolute path.
    pub folder: PathBuf,
}

/// A consent, as it is stored.
#[derive(Serialize, Deserialize)]
struct ConsentRow {
    since: i64,
    prompts: bool,
    folder: String,
}

/// The comment at the top of the file.
const HEAD: &str = "# Whose transcripts patina reads for this repository. `patina hook install --agent NAME` adds one, and\n\
                    # `patina hook uninstall --agent NAME` takes it out.\n\n";

impl Consent {
    /// Returns the real path of a transcript if it is a file below the consented folder.
    pub fn allows(&self, path: &Path) -> Option<PathBuf> {
        // Both paths are canonical, so that neither a symbolic link nor `..` leads outside.
        let folder = fs::canonicalize(&self.folder).ok()?;
        let path = fs::canonicalize(path).ok()?;
        let is_transcript = path.extension().is_some_and(|extension| extension == "jsonl") && path.is_file();
        (is_transcript && path.starts_with(&folder)).then_some(path)
    }
}

/// Reads the consents.
///
/// # Errors
/// If the file exists and cannot be read or parsed.
pub fn consents(workspace: &Workspace) -> Result<BTreeMap<Agent, Consent>> {
    let rows = rows(workspace)?;
    let known = rows.into_iter().filter_map(|(name, row)| {
        let folder = PathBuf::from(OsString::from_vec(decode_path(&row.folder)));
        Some((Agent::named(&name)?, Consent { since: row.since, prompts: row.prompts, folder }))
    });
    Ok(known.collect())
}

/// Gives, changes or withdraws the consent for one agent. The state folder must exist.
///
/// # Errors
/// If the file cannot be read, parsed or written.
pub fn set_consent(workspace: &Workspace, agent: Agent, consent: Option<&Consent>) -> Result<()> {
    let mut rows = rows(workspace)?;
    match consent {
        Some(consent) => {
            let folder = encode_path(consent.folder.as_os_str().as_encoded_bytes());
            rows.insert(agent.name().to_owned(), ConsentRow { since: consent.since, prompts: consent.prompts, folder });
        }
        None if rows.remove(agent.name()).is_none() => return Ok(()),
        None => {}
    }
    let path = workspace.agents_path();
    if rows.is_empty() {
        return fs::remove_file(&path).with_context(|| format!("removing {}", path.display()));
    }
    write_atomically(&path, format!("{HEAD}{}", toml::to_string(&rows)?).as_bytes())
}

/// Reads the file, including agents that only a newer version of patina knows.
fn rows(workspace: &Workspace) -> Result<BTreeMap<String, ConsentRow>> {
    let path = workspace.agents_path();
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("{} cannot be read", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn consent_is_given_changed_and_withdrawn() {
        let dir = tempfile::tempdir().expect("a folder");
        let workspace = Workspace { dir: dir.path().to_path_buf(), wal: true };
        assert!(consents(&workspace).expect("nothing is there").is_empty());
        let consent = Consent { since: 7, prompts: false, folder: PathBuf::from("/home/ada é/100%/projects") };
        set_consent(&workspace, Agent::Claude, Some(&consent)).expect("it is written");
        let more = Consent { prompts: true, ..consent.clone() };
        set_consent(&workspace, Agent::Codex, Some(&more)).expect("it is written");
        let both = BTreeMap::from([(Agent::Claude, consent), (Agent::Codex, more)]);
        assert_eq!(consents(&workspace).expect("it reads"), both);
        for agent in Agent::ALL {
            set_consent(&workspace, agent, None).expect("it goes");
            set_consent(&workspace, agent, None).expect("twice is once");
        }
        assert!(!workspace.agents_path().exists());
    }

    #[test]
    fn a_file_that_is_not_understood_is_no_consent() {
        let dir = tempfile::tempdir().expect("a folder");
        let workspace = Workspace { dir: dir.path().to_path_buf(), wal: true };
        for text in ["[claude", "[claude]\nsince = 1\n", "claude = true"] {
            fs::write(workspace.agents_path(), text).expect("a file");
            assert!(consents(&workspace).is_err(), "{text}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let top = fs::canonicalize(dir.path()).expect("it is there");
        let folder = top.join("projects");
        fs::create_dir_all(folder.join("a.jsonl")).expect("a folder");
        for file in ["projects/in.jsonl", "projects/in.txt", "out.jsonl", "projects-2.jsonl"] {
            fs::write(top.join(file), "").expect("a file");
        }
        symlink(top.join("out.jsonl"), folder.join("link.jsonl")).expect("a link");
        symlink(folder.join("in.jsonl"), top.join("back.jsonl")).expect("a link");
        symlink(&folder, top.join("other")).expect("a link");
        let consent = Consent { since: 0, prompts: false, folder: top.join("other") };
        let check = |path: &str, expect: Option<&str>| {
            assert_eq!(consent.allows(&top.join(path)), expect.map(|path| top.join(path)), "{path}");
        };
        check("projects/in.jsonl", Some("projects/in.jsonl"));
        check("other/in.jsonl", Some("projects/in.jsonl"));
        check("back.jsonl", Some("projects/in.jsonl"));
        check("projects/in.txt", None);
        check("projects/a.jsonl", None);
        check("projects/link.jsonl", None);
        check("projects/../out.jsonl", None);
        check("projects-2.jsonl", None);
        check("projects/none.jsonl", None);
    }
}
