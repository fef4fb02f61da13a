//! The file of ranking weights fitted on a repository's own history, beside its adapters.
//!
//! Questions without fitted weights use the mean of the shipped prior. Invariant: weights are used only for exactly the
//! signals they were fitted for.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Question, Weights, prior};
use crate::workspace::write_atomically;

/// File name, in the folder of the adapters.
const FILE: &str = "weights.json";
/// Version of the file format.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct WeightsFile {
    schema_version: u32,
    /// sha256 of the graph of the model whose vectors the signals use.
    model_sha256: String,
    /// Weights by question and signal.
    questions: BTreeMap<String, BTreeMap<String, f64>>,
}

/// Returns the weights of a question: the saved ones, or else the mean of the shipped prior.
///
/// `model` is the sha256 of the graph whose vectors are used; `None` without vectors, when any saved weights can be
/// used.
///
/// # Errors
/// If the shipped prior does not fit the question's signals, which a test rules out.
pub fn weights(folder: &Path, question: Question, model: Option<&str>) -> Result<Weights> {
    match load(folder, question, model) {
        Some(weights) => Ok(weights),
        None => Ok(Weights(prior::shipped(question, &|_| false)?.mean)),
    }
}

/// Loads the saved weights of a question.
///
/// `None` if there are none, if the file is damaged, or if they are for other signals or another model.
pub fn load(folder: &Path, question: Question, model: Option<&str>) -> Option<Weights> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        text => text.map_err(anyhow::Error::from),
    };
    match text.and_then(|text| read(&text)) {
        Ok(file) if model.is_some_and(|model| model != file.model_sha256) => None,
        Ok(file) => in_signal_order(file.questions.get(question.name())?, &question.signals()),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "{} is not used", path.display());
            None
        }
    }
}

/// Saves the weights of questions, replacing the whole file; `model` is the sha256 of the model's graph.
pub fn save(folder: &Path, model: &str, weights: &BTreeMap<Question, Weights>) -> Result<()> {
    let by_name = |(question, weights): (&Question, &Weights)| {
        let by_signal = question.signals().into_iter().zip(weights.0.iter().copied()).collect();
        (question.name().to_string(), by_signal)
    };
    let questions = weights.iter().map(by_name).collect();
    let file = WeightsFile { schema_version: SCHEMA_VERSION, model_sha256: model.to_string(), questions };
    std::fs::create_dir_all(folder)?;
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    write_atomically(&folder.join(FILE), &bytes).context("saving ranking weights")
}

/// Parses and validates a weights file.
fn read(text: &[u8]) -> Result<WeightsFile> {
    let file: WeightsFile = serde_json::from_slice(text)?;
    ensure!(file.schema_version == SCHEMA_VERSION, "unknown schema version {}", file.schema_version);
    // A number out of range reads as infinity.
    ensure!(
        file.questions.values().flat_map(BTreeMap::values).all(|weight| weight.is_finite()),
        "a weight is not finite"
    );
    Ok(file)
}

/// Returns the weights in the order of `signals`; `None` unless the names match exactly.
fn in_signal_order(saved: &BTreeMap<String, f64>, signals: &[String]) -> Option<Weights> {
    if saved.len() != signals.len() {
        return None;
    }
    signals.iter().map(|signal| saved.get(signal).copied()).collect::<Option<_>>().map(Weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("patina-weights-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn saved_weights_load_for_the_same_signals() {
        let folder = folder("same");
        let count = Question::Task.signals().len();
        let weights = Weights((0..count).map(|at| at as f64 / 7.0 - 1.0).collect());
        assert_eq!(load(&folder, Question::Task, None), None, "there is no file");
        save(&folder, "abc", &BTreeMap::from([(Question::Task, weights.clone())])).expect("it is saved");
        assert_eq!(load(&folder, Question::Task, None), Some(weights.clone()));
        assert_eq!(super::weights(&folder, Question::Task, Some("abc")).expect("the saved ones"), weights.clone());
        assert_eq!(load(&folder, Question::Task, Some("abc")), Some(weights));
        assert_eq!(load(&folder, Question::Task, Some("other")), None, "its vectors are others");
        assert_eq!(load(&folder, Question::Files, None), None);
        let prior = super::weights(&folder, Question::Files, None).expect("what ships");
        assert_eq!(prior.0.len(), Question::Files.signals().len());
        let (saved, one) =
            (BTreeMap::from([("a".to_string(), 1.0), ("b".to_string(), 2.0)]), |name: &str| name.to_string());
        assert_eq!(
            in_signal_order(&saved, &[one("b"), one("a")]),
            Some(Weights(vec![2.0, 1.0])),
            "by name, not by place"
        );
        for signals in [&[one("a")][..], &[one("a"), one("c")], &[one("a"), one("b"), one("c")]] {
            assert_eq!(in_signal_order(&saved, signals), None, "{signals:?}");
        }
        std::fs::remove_dir_all(&folder).expect("it goes");
    }

    #[test]
    fn a_damaged_file_has_no_weights() {
        let folder = folder("damaged");
        std::fs::create_dir_all(&folder).expect("a folder");
        for text in ["", "{", r#"{"schema_version":2,"model_sha256":"","questions":{"files":{"a":1}}}"#] {
            std::fs::write(folder.join(FILE), text).expect("a file");
            assert_eq!(load(&folder, Question::Files, None), None, "{text}");
        }
        std::fs::remove_dir_all(&folder).expect("it goes");
    }
}
