//! The score board: what each method got of each question, summed by commit, so that each commit has the same weight
//! and intervals come from drawing commits. Refuses to compare methods that were not asked the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chance::Chance;

/// How far down a list of answers is looked.
const RECALL_AT: f64 = 10.0;
/// Draws of commits for an interval.
const DRAWS: usize = 1000;

/// What one question gave, or the mean of many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Marks {
    /// One over the place of the best right answer.
    pub mrr: f64,
    /// Share of the right answers within the first ten.
    pub recall: f64,
    /// A right answer came first.
    pub hit_at_1: f64,
    /// A right answer was among the first three.
    pub hit_at_3: f64,
    /// Something was said at all.
    pub answered: f64,
}

/// What one method got on a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Right answers within the first ten.
    pub recall_at_10: f64,
    /// Right answer first.
    pub hit_at_1: f64,
    /// Right answer among the first three.
    pub hit_at_3: f64,
    /// Share of the questions that it says anything of.
    pub answered: f64,
    /// Lower end of the 95 % interval of `mrr`.
    pub mrr_low: f64,
    /// Upper end.
    pub mrr_high: f64,
}

/// How much one method is better than another on the same commits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// Ratio of the mean reciprocal ranks.
    pub ratio: f64,
    /// Their difference.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One task, or a part of its questions.
#[derive(Debug, Default, Clone)]
pub struct Board {
    /// By method: by commit, its marks and how many questions they are the sum of.
    methods: BTreeMap<&'static str, BTreeMap<usize, (Marks, usize)>>,
    /// Share of the right answers that have any tie at all, summed by commit.
    ceiling: BTreeMap<usize, (f64, usize)>,
    questions: usize,
}

impl Marks {
    /// Of scores over candidates and which of them are right. Equal scores share their places, and what is no number is
    /// the last of all.
    pub fn of(scores: &[f32], right: &[usize]) -> Self {
        let number = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
        let mut marks = Marks::default();
        if right.is_empty() {
            return marks;
        }
        let mut best = f64::INFINITY;
        for index in right {
            let own = number(scores[*index]);
            let (mut before, mut equal) = (0_usize, 0_usize);
            for score in scores.iter().map(|score| number(*score)) {
                before += usize::from(score > own);
                equal += usize::from(score == own);
            }
            let place = before as f64 + (equal as f64 + 1.0) / 2.0;
            marks.recall += f64::from(u8::from(place <= RECALL_AT));
            best = best.min(place);
        }
        marks.recall /= right.len() as f64;
        marks.mrr = 1.0 / best;
        marks.hit_at_1 = f64::from(u8::from(best <= 1.0));
        marks.hit_at_3 = f64::from(u8::from(best <= 3.0));
        marks.answered = f64::from(u8::from(scores.iter().any(|score| *score != 0.0)));
        marks
    }

    fn add(&mut self, other: &Marks, times: f64) {
        self.mrr += other.mrr * times;
        self.recall += other.recall * times;
        self.hit_at_1 += other.hit_at_1 * times;
        self.hit_at_3 += other.hit_at_3 * times;
        self.answered += other.answered * times;
    }
}

impl Board {
    /// Begins a question of a commit; `ceiling` is the share of its right answers that anything ties to it.
    pub fn ask(&mut self, commit: usize, ceiling: f64) {
        self.questions += 1;
        let entry = self.ceiling.entry(commit).or_default();
        entry.0 += ceiling;
        entry.1 += 1;
    }

    /// Notes what a method made of it.
    pub fn note(&mut self, commit: usize, method: &'static str, marks: Marks) {
        let entry = self.methods.entry(method).or_default().entry(commit).or_default();
        entry.0.add(&marks, 1.0);
        entry.1 += 1;
    }

    /// How many questions were asked.
    pub fn questions(&self) -> usize {
        self.questions
    }

    /// The commits that were asked.
    pub fn commits(&self) -> usize {
        self.ceiling.len()
    }

    /// Share of the right answers that have any tie at all.
    pub fn ceiling(&self) -> f64 {
        let sum: f64 = self.ceiling.values().map(|(sum, n)| sum / *n as f64).sum();
        sum / self.ceiling.len().max(1) as f64
    }

    /// Every method that was noted.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.methods.keys().copied()
    }

    /// The same marks under a second name.
    pub fn alias(&mut self, name: &'static str, of: &str) {
        if let Some(marks) = self.methods.get(of).cloned() {
            self.methods.insert(name, marks);
        }
    }

    /// Takes in the questions of another; a method that one of them was never asked is left out.
    pub fn join(&mut self, other: &Board) {
        if self.questions == 0 {
            self.methods.clone_from(&other.methods);
        } else if other.questions > 0 {
            self.methods.retain(|name, _| other.methods.contains_key(name));
        }
        if self.questions > 0 {
            for (name, marks) in &mut self.methods {
                for (unit, (more, n)) in other.methods.get(name).into_iter().flatten() {
                    let entry = marks.entry(*unit).or_default();
                    entry.0.add(more, 1.0);
                    entry.1 += n;
                }
            }
        }
        for (unit, (share, n)) in &other.ceiling {
            let entry = self.ceiling.entry(*unit).or_default();
            entry.0 += share;
            entry.1 += n;
        }
        self.questions += other.questions;
    }

    /// Leaves a method out.
    pub fn forget(&mut self, name: &str) {
        self.methods.remove(name);
    }

    /// The mean reciprocal rank of a method.
    pub fn mrr(&self, method: &str) -> Option<f64> {
        let marks = self.methods.get(method)?;
        Some(marks.values().map(|(marks, n)| marks.mrr / *n as f64).sum::<f64>() / marks.len().max(1) as f64)
    }

    /// By commit: the mean reciprocal rank of a method.
    pub fn each(&self, method: &str) -> impl Iterator<Item = (usize, f64)> + '_ {
        let all = self.methods.get(method).into_iter().flatten();
        all.map(|(commit, (marks, n))| (*commit, marks.mrr / *n as f64))
    }

    /// What a method got; none where it was never noted.
    pub fn figures(&self, method: &str) -> Option<Figures> {
        let by_commit = self.methods.get(method)?;
        let (mut mean, count) = (Marks::default(), by_commit.len().max(1) as f64);
        for (marks, n) in by_commit.values() {
            mean.add(marks, 1.0 / (*n as f64 * count));
        }
        let each: Vec<f64> = by_commit.values().map(|(marks, n)| marks.mrr / *n as f64).collect();
        let (mrr_low, mrr_high) = interval(&each);
        Some(Figures {
            mrr: mean.mrr,
            recall_at_10: mean.recall,
            hit_at_1: mean.hit_at_1,
            hit_at_3: mean.hit_at_3,
            answered: mean.answered,
            mrr_low,
            mrr_high,
        })
    }

    /// How much better a method is than another on the commits that both were asked.
    pub fn lift(&self, method: &str, over: &str) -> Option<Lift> {
        self.lift_over(method, self, over)
    }

    /// The same where the other was noted on another board of the same questions; none where no commit is on both.
    pub fn lift_over(&self, method: &str, other: &Board, over: &str) -> Option<Lift> {
        let (a, b) = (self.methods.get(method)?, other.methods.get(over)?);
        let pairs: Vec<(f64, f64)> = a
            .iter()
            .filter_map(|(commit, (marks, n))| {
                let (other, m) = b.get(commit)?;
                Some((marks.mrr / *n as f64, other.mrr / *m as f64))
            })
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let sum = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>();
        let (ours, theirs, count) = (sum(|pair| pair.0), sum(|pair| pair.1), pairs.len().max(1) as f64);
        let each: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
        let (low, high) = interval(&each);
        let ratio = if theirs > 0.0 { ours / theirs } else { 1.0 };
        Some(Lift { ratio, difference: (ours - theirs) / count, low, high })
    }
}

/// The middle 95 % of means of as many values drawn again and again, with a fixed beginning of chance.
fn interval(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mut chance = Chance::new(0x5eed);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[chance.below(values.len())]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[DRAWS * 25 / 1000], means[DRAWS * 975 / 1000 - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_share_their_places() {
        let check = |scores: &[f32], right: &[usize], mrr: f64, recall: f64| {
            let marks = Marks::of(scores, right);
            assert_eq!((marks.mrr, marks.recall), (mrr, recall), "{scores:?} {right:?}");
        };
        check(&[3.0, 2.0, 1.0], &[0], 1.0, 1.0);
        check(&[3.0, 2.0, 1.0], &[1, 2], 0.5, 1.0);
        check(&[0.0; 3], &[2], 0.5, 1.0);
        check(&[0.0; 99], &[0], 1.0 / 50.0, 0.0);
        check(&[f32::NAN, 0.0, -1.0], &[0], 1.0 / 3.0, 1.0);
        assert_eq!(Marks::of(&[0.0, 0.0], &[0]).answered, 0.0);
    }

    #[test]
    fn each_commit_has_the_same_weight() {
        let mut board = Board::default();
        let marks = |mrr| Marks { mrr, ..Marks::default() };
        for _ in 0..9 {
            board.ask(0, 1.0);
            board.note(0, "a", marks(1.0));
            board.note(0, "b", marks(0.5));
        }
        board.ask(1, 0.0);
        board.note(1, "a", marks(0.0));
        board.note(1, "b", marks(0.0));
        assert_eq!((board.mrr("a"), board.ceiling(), board.questions()), (Some(0.5), 0.5, 10));
        let lift = board.lift("a", "b").expect("both were asked");
        assert_eq!((lift.ratio, lift.difference), (2.0, 0.25));
        let mut both = Board::default();
        both.join(&board);
        let mut more = Board::default();
        more.ask(1, 1.0);
        more.note(1, "a", marks(1.0));
        both.join(&more);
        assert_eq!((both.mrr("a"), both.mrr("b")), (Some(0.75), None), "of its two questions the second was right");
        assert_eq!((both.ceiling(), both.questions(), both.commits()), (0.75, 11, 2));
        let figures = board.figures("a").expect("it was asked");
        assert!(figures.mrr_low == 0.0 && figures.mrr_high == 1.0, "{figures:?}");
    }
}
