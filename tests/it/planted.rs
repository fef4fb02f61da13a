//! Tests of training on synthetic histories with known ground truth: for each dimension, nearness is marked by one rare
//! word, or an arbitrary code, beside a sentence about something else. The base embedding follows the sentence;
//! training has to find the word, also in held-out data.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Made, Random, TestRepo, WORDS, about, figure, linear};

/// The author of the first commit: commits by bots are not trained on.
const BOT: &str = "Release Bot <ci@example.org>";
/// The number of codes; other groups of words have multiples of this size.
const CODES: usize = 12;
/// The number of commits. Those from `HELD_OUT` on are used for fitting, gating and testing.
const COMMITS: usize = 200;
const HELD_OUT: usize = 136;

/// A narrow, fast configuration: there is only one pattern to learn.
const SMALL: &str = "hidden = 64\nout = 64\nbatch = 96\nsteps = 240\n";

/// Returns a random word that carries no signal: the signal words come before these.
fn noise(random: &mut Random) -> &'static str {
    random.pick::<&str>(&WORDS[2 * CODES..])
}

/// Evaluates a dimension on its own task, where the base embedding must fail and the adapter must succeed.
fn check(repo: &TestRepo, dimension: &str, most: f64, least: f64) {
    repo.reindex();
    let started = std::time::Instant::now();
    let config = repo.root().join("small.toml");
    std::fs::write(&config, format!("[{dimension}]\n{SMALL}")).expect("a file");
    let report = repo.with_model().json(&["eval", "--dimension", dimension, "--config", &config.display().to_string()]);
    let worth = &report["dimensions"][0];
    let tasks = report["tasks"].as_array().expect("a list");
    let own = tasks.iter().find(|task| task["task"] == worth["task"] && task["subset"] == "all").expect("its task");
    let mrr = |method: &str| own["methods"][method]["mrr"].as_f64().unwrap_or_default();
    let low = worth["own"]["low"].as_f64().unwrap_or_default();
    let names = ["frozen", "adapter", "mlp", "random_projection", "fused", "fused_without_adapters"];
    let figures: Vec<String> = names.iter().map(|name| format!("{name} {:.3}", mrr(name))).collect();
    let (steps, seconds) = (&worth["steps"], started.elapsed().as_secs_f64());
    figure(&format!(
        "planted {dimension}: {} of {}, lift from {low:+.3}, step {steps}, {seconds:.1} s",
        figures.join(", "),
        own["n"]
    ));
    assert!(mrr("frozen") < most, "the base embedding does not see it: {worth} {}", own["methods"]);
    assert!(mrr("adapter") > least, "the adapter does: {worth} {}", own["methods"]);
    assert!(low > 0.0 && worth["reason"] == Value::Null, "{worth}");
}

/// Returns a text of a word and a number.
fn plain(_: &mut Random, word: &str, member: usize) -> String {
    format!("{word} number {member}")
}

/// Returns a text with a sentence about something else, a noise word, and the word.
fn loud(random: &mut Random, word: &str, _: usize) -> String {
    let noise = noise(random);
    about(random, &[noise, word])
}

/// Paths and texts of files, by word and member; a bot's first commit adds them all.
struct Files {
    texts: Vec<Vec<(String, String)>>,
}

impl Files {
    /// Creates `each` files per word; `text` receives the word and the index of the file among those of its word.
    fn new(random: &mut Random, words: &[&str], each: usize, text: fn(&mut Random, &str, usize) -> String) -> Self {
        let mut texts = Vec::new();
        for (number, word) in words.iter().enumerate() {
            let mut of_word = Vec::new();
            for member in 0..each {
                of_word.push((format!("f{number}_{member}.txt"), text(random, word, member)));
            }
            texts.push(of_word);
        }
        Files { texts }
    }

    fn begin(&self) -> Made {
        Made::new("begin", self.texts.iter().flatten().cloned()).by(BOT)
    }

    /// Changes a file without changing its words.
    fn change(&mut self, number: usize, member: usize) -> (String, String) {
        let file = &mut self.texts[number][member];
        file.1.push('\n');
        file.clone()
    }
}

/// Draws a member from the first half before `HELD_OUT` and from the second half after it, so that files in evaluated
/// commits never changed before.
fn member(random: &mut Random, commit: usize, each: usize) -> usize {
    random.below(each / 2) + if commit < HELD_OUT { 0 } else { each / 2 }
}

#[test]
fn temporal_finds_which_words_change_together() {
    let random = &mut Random::new(5);
    // A code is four unrelated words; each commit changes one file of each.
    let mut files = Files::new(random, &WORDS[..4 * CODES], 4, plain);
    let mut commits = vec![files.begin()];
    for commit in 1..COMMITS {
        let code = random.below(CODES);
        let changed = [0, 1, 2, 3].map(|word| files.change(code + CODES * word, member(random, commit, 4)));
        commits.push(Made::new(format!("change {commit}"), changed));
    }
    check(&linear(&commits), "temporal", 0.15, 0.5);
}

#[test]
fn social_finds_whose_words_are_whose() {
    let random = &mut Random::new(6);
    let mut files = Files::new(random, &WORDS[..2 * CODES], 6, loud);
    let mut commits = vec![files.begin()];
    for commit in 1..COMMITS {
        let person = random.below(8);
        let number = person + 8 * random.below(3);
        let file = files.change(number, member(random, commit, 6));
        let author = format!("{0} <{0}@example.org>", ["ada", "bob", "cid", "dan", "eve", "fay", "gus", "hal"][person]);
        commits.push(Made::new(format!("change {commit}"), [file]).by(&author));
    }
    check(&linear(&commits), "social", 0.7, 0.75);
}

#[test]
fn semantic_finds_which_words_of_a_message_mean_which_files() {
    let random = &mut Random::new(7);
    let mut files = Files::new(random, &WORDS[CODES..2 * CODES], 4, plain);
    let mut commits = vec![files.begin()];
    for commit in 1..COMMITS {
        let code = random.below(CODES);
        let changed = (0..2).map(|_| files.change(code, member(random, commit, 4)));
        let changed: BTreeMap<String, String> = changed.collect();
        let message = format!("look after the {}, part {commit}", WORDS[code]);
        commits.push(Made::new(message, changed));
    }
    check(&linear(&commits), "semantic", 0.15, 0.2);
}

#[test]
fn architectural_finds_what_marks_a_module() {
    let random = &mut Random::new(8);
    let mut files = Vec::new();
    for module in 0..2 * CODES {
        for file in 0..12 {
            let noise = noise(random);
            // A module is marked by two words, and no file contains both.
            let word = WORDS[module + 2 * CODES * (file % 2)];
            files.push((format!("m{module}/f{file}.txt"), about(random, &[word, noise])));
        }
    }
    check(&linear(&[Made::new("begin", files)]), "architectural", 0.35, 0.7);
}

#[test]
fn dependency_finds_which_words_call_which() {
    let random = &mut Random::new(9);
    let mut text = String::new();
    for step in 0..2 * CODES {
        let word = WORDS[2 * CODES + step];
        text += &format!("/// {}.\npub fn step_{step}() {{}}\n\n", about(random, &[word, word]));
    }
    for (step, word) in WORDS[..2 * CODES].iter().enumerate() {
        for caller in 0..12 {
            let noise = WORDS[4 * CODES + random.below(4 * CODES)];
            let doc = about(random, &[word, noise, word]);
            text += &format!("/// {doc}.\npub fn {noise}_{step}_{caller}() {{\n    step_{step}()\n}}\n\n");
        }
    }
    check(&linear(&[Made::new("begin", [("src/all.rs".to_string(), text)])]), "dependency", 0.4, 0.6);
}

#[test]
fn syntactic_finds_the_same_shape_under_other_words() {
    let random = &mut Random::new(10);
    let mut text = String::new();
    for shape in 0..16 {
        for _ in 0..14 {
            let [a, b, c, d] = [0; 4].map(|_| noise(random));
            let doc = about(random, &[a, b]);
            let mut body = String::new();
            for (bit, statement) in [
                format!("    if {b} > 3 {{ {c}({d}); }}\n"),
                format!("    while {c}() {{ {d} += 1; }}\n"),
                format!("    let {c} = {d}.iter().map(|{a}| {a} * 2);\n"),
                format!("    match {b} {{ {c} => {d}(), _ => {a}() }}\n"),
            ]
            .iter()
            .enumerate()
            {
                if shape & (1 << bit) != 0 {
                    body += statement;
                }
            }
            text += &format!("/// {doc}.\npub fn {a}_{c}_{d}({b}: u32) {{\n{body}    {d}();\n}}\n\n");
        }
    }
    check(&linear(&[Made::new("begin", [("src/all.rs".to_string(), text)])]), "syntactic", 0.35, 0.5);
}
