//! Linear histories from a list of commits, created in one step with reproducible ids, and words and sentences to plant
//! structures with. All randomness is seeded.

use std::io::Write as _;
use std::process::Stdio;

use super::{Random, TestRepo};

/// A commit to create on top of the one before.
#[derive(Debug, Clone)]
pub struct Made {
    /// `Ada <ada@example.org>`.
    pub author: String,
    pub message: String,
    /// Paths with their text; no file is deleted.
    pub files: Vec<(String, Option<String>)>,
}

impl Made {
    /// Returns a commit by Ada.
    pub fn new(message: impl Into<String>, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(path, text)| (path, Some(text))).collect();
        Made { author: "Ada <ada@example.org>".to_string(), message: message.into(), files }
    }

    /// Returns the same commit by another author.
    pub fn by(self, author: &str) -> Self {
        Made { author: author.to_string(), ..self }
    }
}

/// Creates a repository with these commits on `main`, an hour apart, and an empty worktree.
pub fn linear(commits: &[Made]) -> TestRepo {
    let repo = TestRepo::new();
    let mut child = repo
        .command("git")
        .args(["fast-import", "--quiet", "--date-format=raw"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git fast-import runs");
    let mut stream = String::new();
    for (index, commit) in commits.iter().enumerate() {
        let when = 1_740_000_000 + 3600 * index;
        let (author, message) = (&commit.author, &commit.message);
        stream += &format!(
            "commit refs/heads/main\nauthor {author} {when} +0000\ncommitter Ada <ada@example.org> {when} +0000\ndata {}\n{message}\n",
            message.len()
        );
        for (path, text) in &commit.files {
            stream += &match text {
                Some(text) => format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()),
                None => format!("D {path}\n"),
            };
        }
        stream.push('\n');
    }
    child.stdin.take().expect("it is piped").write_all(stream.as_bytes()).expect("git reads");
    assert!(child.wait().expect("git ends").success(), "git fast-import");
    repo
}

/// Unrelated words.
pub const WORDS: [&str; 96] = [
    "copper", "violin", "harbor", "pepper", "glacier", "tailor", "comet", "basket", "lizard", "marble", "trumpet",
    "cabbage", "anchor", "pillow", "volcano", "ribbon", "walnut", "saddle", "lantern", "pigeon", "chimney", "mustard",
    "planet", "hammer", "oyster", "ladder", "tunnel", "butter", "falcon", "carpet", "desert", "button", "guitar",
    "turnip", "castle", "pencil", "whale", "mirror", "canyon", "sponge", "tiger", "candle", "orchard", "helmet",
    "spider", "kettle", "island", "zipper", "parrot", "cement", "meadow", "dagger", "salmon", "bottle", "thunder",
    "napkin", "beetle", "wagon", "forest", "needle", "monkey", "cheese", "river", "bucket", "eagle", "velvet",
    "tractor", "onion", "statue", "whistle", "camel", "mitten", "rocket", "honey", "bridge", "feather", "turtle",
    "gravel", "piano", "lemon", "iceberg", "scarf", "badger", "plaster", "comb", "engine", "raisin", "cannon", "swan",
    "puzzle", "coral", "broom", "goat", "diamond", "pasta", "cradle",
];

/// Topics of sentences that dominate a text but carry no signal.
pub const TOPICS: [&str; 16] = [
    "how the bank charges interest on loans that customers repay late every month",
    "the doctor gives patients medicine against fever and looks at their blood",
    "football players train before the match and the goalkeeper catches the ball",
    "pilots land the airplane on the runway while passengers fasten their belts",
    "the court hears lawyers and witnesses before the judge reads the verdict",
    "students write an exam in mathematics and the teacher corrects their homework",
    "cooks bake bread in the oven with flour and yeast early in the morning",
    "voters elect the parliament and ministers argue about taxes and laws",
    "astronomers watch distant galaxies with telescopes and measure their light",
    "painters mix colors on canvas and the museum shows their portraits",
    "the printer runs out of ink and paper while the office waits for reports",
    "soldiers march along the border and the general plans the next battle",
    "the train arrives at the station and travelers buy tickets for the journey",
    "programmers compile software and debug the network protocol of the server",
    "the choir sings hymns in the church and the organist plays on sundays",
    "shops sell shoes and dresses at a discount before the season ends",
];

/// Returns a text with a sentence about a random topic, followed by some words.
pub fn about(random: &mut Random, words: &[&str]) -> String {
    format!("{} {}", random.pick(&TOPICS), words.join(" "))
}
