//! The signals between all files of a change and every file that is none of them: what each of the change's files says,
//! as a mean and as the most that any of them says. Refuses files of the change itself.

use super::{FILE_SIGNALS, Table};
use crate::history::File;

/// Names of the columns: means of [`FILE_SIGNALS`], then the most of each.
pub fn missing_signals() -> Vec<String> {
    let named = |kind: &'static str| FILE_SIGNALS.iter().map(move |signal| format!("{kind}_{signal}"));
    named("mean").chain(named("most")).collect()
}

/// What the files of a change say of every other file, so that any one of them can be left out.
pub struct Joined {
    /// The candidates, ascending.
    files: Vec<File>,
    /// How many files the change has.
    count: usize,
    /// By signal, by candidate.
    said: Vec<Vec<Said>>,
}

/// What some tables say: their sum, the largest, who says it, and the second largest; the least there is where none does.
#[derive(Debug, Clone, Copy)]
struct Said {
    sum: f32,
    most: f32,
    by: usize,
    second: f32,
}

impl Joined {
    /// Of the tables of a change's files, over some files, ascending.
    pub fn new(tables: &[Table], files: Vec<File>) -> Self {
        let (most, second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        let nothing = Said { sum: 0.0, most, by: usize::MAX, second };
        let mut said = vec![vec![nothing; files.len()]; FILE_SIGNALS.len()];
        for (by, table) in tables.iter().enumerate() {
            // Both lists go up.
            let mut row = 0;
            for (at, file) in files.iter().enumerate() {
                while row < table.files.len() && table.files[row] < *file {
                    row += 1;
                }
                if table.files.get(row) == Some(file) {
                    for (said, column) in said.iter_mut().zip(&table.columns) {
                        said[at].add(by, column[row]);
                    }
                }
            }
        }
        Joined { files, count: tables.len(), said }
    }

    /// The table of the whole change, over candidates that `keeps` lets through.
    pub fn whole(&self, keeps: impl Fn(File) -> bool) -> Table {
        self.table(None, keeps)
    }

    /// The same as if the change did not have one of its files, by its place among the tables.
    pub fn without(&self, left_out: &Table, place: usize, keeps: impl Fn(File) -> bool) -> Table {
        self.table(Some((left_out, place)), keeps)
    }

    fn table(&self, left_out: Option<(&Table, usize)>, keeps: impl Fn(File) -> bool) -> Table {
        let kept: Vec<usize> = (0..self.files.len()).filter(|at| keeps(self.files[*at])).collect();
        let files: Vec<File> = kept.iter().map(|at| self.files[*at]).collect();
        let count = (self.count - usize::from(left_out.is_some())).max(1) as f32;
        let (mut means, mut mosts) = (Vec::new(), Vec::new());
        for (signal, said) in self.said.iter().enumerate() {
            let own = |file: &File| {
                let (table, _) = left_out?;
                Some(table.columns[signal][table.files.binary_search(file).ok()?])
            };
            let mean = |(at, file): (&usize, &File)| (said[*at].sum - own(file).unwrap_or_default()) / count;
            means.push(kept.iter().zip(&files).map(mean).collect());
            let place = left_out.map(|(_, place)| place);
            mosts.push(kept.iter().map(|at| said[*at].most_without(place)).collect());
        }
        means.append(&mut mosts);
        Table { files, columns: means }
    }
}

impl Said {
    fn add(&mut self, by: usize, value: f32) {
        self.sum += value;
        if value > self.most {
            self.second = self.most;
            (self.most, self.by) = (value, by);
        } else {
            self.second = self.second.max(value);
        }
    }

    fn most_without(&self, place: Option<usize>) -> f32 {
        let most = if place == Some(self.by) { self.second } else { self.most };
        // What nobody says is worth nothing.
        if most.is_finite() { most } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(files: &[File], values: &[f32]) -> Table {
        let mut columns = vec![vec![0.0; files.len()]; FILE_SIGNALS.len()];
        columns[0] = values.to_vec();
        Table { files: files.to_vec(), columns }
    }

    #[test]
    fn one_left_out_says_nothing() {
        let tables = [
            table(&[1, 2, 9], &[0.5, 0.0, 1.0]),
            table(&[0, 2, 9], &[0.5, 0.25, 0.5]),
            table(&[0, 1, 9], &[0.0, 0.75, 0.0]),
        ];
        let joined = Joined::new(&tables, vec![0, 1, 2, 9]);
        let most = FILE_SIGNALS.len();
        let whole = joined.whole(|file| file > 2);
        assert_eq!((whole.files.as_slice(), whole.columns[0][0], whole.columns[most][0]), (&[9][..], 0.5, 1.0));
        let without = joined.without(&tables[0], 0, |file| file == 0 || file > 2);
        assert_eq!(without.files, [0, 9]);
        assert_eq!((&without.columns[0], &without.columns[most]), (&vec![0.25, 0.25], &vec![0.5, 0.5]));
        assert_eq!(missing_signals().len(), without.columns.len());
    }

    #[test]
    fn what_is_less_than_nothing_is_the_most_where_all_say_so() {
        let tables = [table(&[1, 2], &[-0.25, -1.0]), table(&[1], &[-0.5])];
        let joined = Joined::new(&tables, vec![0, 1, 2]);
        let most = FILE_SIGNALS.len();
        assert_eq!(joined.whole(|_| true).columns[most], [0.0, -0.25, -1.0]);
        assert_eq!(joined.without(&tables[0], 0, |_| true).columns[most], [0.0, -0.5, 0.0]);
        assert_eq!(joined.without(&tables[1], 1, |_| true).columns[most], [0.0, -0.25, -1.0]);
    }
}
