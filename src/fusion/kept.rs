//! Weights that were fitted on a repository's own history, kept beside its adapters; what was not fitted comes from the
//! prior that ships. Refuses weights of other signals than those that are asked for.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Question, Weights, prior};
use crate::workspace::write_atomically;

/// The file beside the adapters.
const FILE: &str = "weights.json";
/// How it is written.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    schema_version: u32,
    /// The model whose vectors the signals were made of.
    model_sha256: String,
    /// By question, by signal.
    questions: BTreeMap<String, BTreeMap<String, f64>>,
}

/// The weights of a question: those that are kept, else the mean of the prior that ships. `model` is the sha256 of the
/// graph whose vectors are weighed; none where there are no vectors, which any weights will do for.
///
/// # Errors
/// Where what ships does not fit the question's signals, which a test refuses.
pub fn weights(folder: &Path, question: Question, model: Option<&str>) -> Result<Weights> {
    match load(folder, question, model) {
        Some(weights) => Ok(weights),
        None => Ok(Weights(prior::shipped(question, &|_| false)?.mean)),
    }
}

/// The weights of a question that are kept; none where there are none, where the file is damaged, and where they are of
/// other signals or of another model's vectors.
pub fn load(folder: &Path, question: Question, model: Option<&str>) -> Option<Weights> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        text => text.map_err(anyhow::Error::from),
    };
    match text.and_then(|text| read(&text)) {
        Ok(file) if model.is_some_and(|model| model != file.model_sha256) => None,
        Ok(file) => of(file.questions.get(question.name())?, &question.signals()),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "{} is not used", path.display());
            None
        }
    }
}

/// Keeps the weights of questions, in the place of all that were kept. `model` is the sha256 of the model's graph.
pub fn save(folder: &Path, model: &str, weights: &BTreeMap<Question, Weights>) -> Result<()> {
    let named = |(question, weights): (&Question, &Weights)| {
        let by_signal = question.signals().into_iter().zip(weights.0.iter().copied()).collect();
        (question.name().to_string(), by_signal)
    };
    let questions = weights.iter().map(named).collect();
    let file = File { schema_version: SCHEMA_VERSION, model_sha256: model.to_string(), questions };
    std::fs::create_dir_all(folder)?;
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    write_atomically(&folder.join(FILE), &bytes).context("keeping weights")
}

fn read(text: &[u8]) -> Result<File> {
    let file: File = serde_json::from_slice(text)?;
    ensure!(file.schema_version == SCHEMA_VERSION, "it is of version {}", file.schema_version);
    // A number too large to be one reads as infinity.
    ensure!(
        file.questions.values().flat_map(BTreeMap::values).all(|weight| weight.is_finite()),
        "a weight is no number"
    );
    Ok(file)
}

fn of(kept: &BTreeMap<String, f64>, signals: &[String]) -> Option<Weights> {
    if kept.len() != signals.len() {
        return None;
    }
    signals.iter().map(|signal| kept.get(signal).copied()).collect::<Option<_>>().map(Weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("patina-kept-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_is_kept_comes_back_for_the_same_signals() {
        let folder = folder("same");
        let count = Question::Task.signals().len();
        let weights = Weights((0..count).map(|at| at as f64 / 7.0 - 1.0).collect());
        assert_eq!(load(&folder, Question::Task, None), None, "there is no file");
        save(&folder, "abc", &BTreeMap::from([(Question::Task, weights.clone())])).expect("it is kept");
        assert_eq!(load(&folder, Question::Task, None), Some(weights.clone()));
        assert_eq!(super::weights(&folder, Question::Task, Some("abc")).expect("the kept ones"), weights.clone());
        assert_eq!(load(&folder, Question::Task, Some("abc")), Some(weights));
        assert_eq!(load(&folder, Question::Task, Some("other")), None, "its vectors are others");
        assert_eq!(load(&folder, Question::Files, None), None);
        let prior = super::weights(&folder, Question::Files, None).expect("what ships");
        assert_eq!(prior.0.len(), Question::Files.signals().len());
        let (kept, one) =
            (BTreeMap::from([("a".to_string(), 1.0), ("b".to_string(), 2.0)]), |name: &str| name.to_string());
        assert_eq!(of(&kept, &[one("b"), one("a")]), Some(Weights(vec![2.0, 1.0])), "by name, not by place");
        for signals in [&[one("a")][..], &[one("a"), one("c")], &[one("a"), one("b"), one("c")]] {
            assert_eq!(of(&kept, signals), None, "{signals:?}");
        }
        std::fs::remove_dir_all(&folder).expect("it goes");
    }

    #[test]
    fn what_is_damaged_is_none() {
        let folder = folder("damaged");
        std::fs::create_dir_all(&folder).expect("a folder");
        for text in ["", "{", r#"{"schema_version":2,"model_sha256":"","questions":{"files":{"a":1}}}"#] {
            std::fs::write(folder.join(FILE), text).expect("a file");
            assert_eq!(load(&folder, Question::Files, None), None, "{text}");
        }
        std::fs::remove_dir_all(&folder).expect("it goes");
    }
}
