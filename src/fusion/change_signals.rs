//! Signals for the file that is missing from a change: for every candidate, the mean and the maximum of each file
//! signal over the files of the change.

use super::{FILE_SIGNALS, SignalTable};
use crate::history::FileId;

/// Returns the names of the columns: the means of [`FILE_SIGNALS`], then their maxima.
pub fn missing_signals() -> Vec<String> {
    let named = |kind: &'static str| FILE_SIGNALS.iter().map(move |signal| format!("{kind}_{signal}"));
    named("mean").chain(named("most")).collect()
}

/// Sums and maxima of the file signals over the files of a change, from which any one file can be left out.
pub struct ChangeSignals {
    /// The candidates, ascending.
    files: Vec<FileId>,
    /// Number of files of the change.
    count: usize,
    /// By signal, then by candidate.
    summaries: Vec<Vec<SignalSummary>>,
}

/// One signal of one candidate over the files of a change: sum, maximum with its file, and second largest value.
///
/// The maxima are negative infinity if no table has the candidate.
#[derive(Debug, Clone, Copy)]
struct SignalSummary {
    sum: f32,
    max: f32,
    table_index: usize,
    second: f32,
}

impl ChangeSignals {
    /// Joins the tables of a change's files; `files` are the candidates, ascending.
    pub fn new(tables: &[SignalTable], files: Vec<FileId>) -> Self {
        let (max, second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        let nothing = SignalSummary { sum: 0.0, max, table_index: usize::MAX, second };
        let mut summaries = vec![vec![nothing; files.len()]; FILE_SIGNALS.len()];
        for (table_index, table) in tables.iter().enumerate() {
            // Both lists are ascending.
            let mut row = 0;
            for (at, file) in files.iter().enumerate() {
                while row < table.candidates.len() && table.candidates[row] < *file {
                    row += 1;
                }
                if table.candidates.get(row) == Some(file) {
                    for (summaries, column) in summaries.iter_mut().zip(&table.columns) {
                        summaries[at].add(table_index, column[row]);
                    }
                }
            }
        }
        ChangeSignals { files, count: tables.len(), summaries }
    }

    /// Returns the table for the whole change, over the candidates for which `keeps` is true.
    pub fn whole(&self, keeps: impl Fn(FileId) -> bool) -> SignalTable {
        self.table(None, keeps)
    }

    /// Returns the table for the change without one of its files, given by its table and index.
    pub fn without(&self, left_out: &SignalTable, index: usize, keeps: impl Fn(FileId) -> bool) -> SignalTable {
        self.table(Some((left_out, index)), keeps)
    }

    /// Returns the table without `left_out`, a table and its index, over the candidates for which `keeps` is true.
    fn table(&self, left_out: Option<(&SignalTable, usize)>, keeps: impl Fn(FileId) -> bool) -> SignalTable {
        let kept: Vec<usize> = (0..self.files.len()).filter(|at| keeps(self.files[*at])).collect();
        let files: Vec<FileId> = kept.iter().map(|at| self.files[*at]).collect();
        let count = (self.count - usize::from(left_out.is_some())).max(1) as f32;
        let (mut means, mut maxima) = (Vec::new(), Vec::new());
        for (signal, summaries) in self.summaries.iter().enumerate() {
            let own = |file: &FileId| {
                let (table, _) = left_out?;
                Some(table.columns[signal][table.candidates.binary_search(file).ok()?])
            };
            let mean = |(at, file): (&usize, &FileId)| (summaries[*at].sum - own(file).unwrap_or_default()) / count;
            means.push(kept.iter().zip(&files).map(mean).collect());
            let index = left_out.map(|(_, index)| index);
            maxima.push(kept.iter().map(|at| summaries[*at].max_without(index)).collect());
        }
        means.append(&mut maxima);
        SignalTable { candidates: files, columns: means }
    }
}

impl SignalSummary {
    /// Adds the value from the table with index `table_index`.
    fn add(&mut self, table_index: usize, value: f32) {
        self.sum += value;
        if value > self.max {
            self.second = self.max;
            (self.max, self.table_index) = (value, table_index);
        } else {
            self.second = self.second.max(value);
        }
    }

    /// Returns the maximum without one table; 0 if no other table has the candidate.
    fn max_without(&self, index: Option<usize>) -> f32 {
        let max = if index == Some(self.table_index) { self.second } else { self.max };
        if max.is_finite() { max } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(files: &[FileId], values: &[f32]) -> SignalTable {
        let mut columns = vec![vec![0.0; files.len()]; FILE_SIGNALS.len()];
        columns[0] = values.to_vec();
        SignalTable { candidates: files.to_vec(), columns }
    }

    #[test]
    fn a_left_out_file_does_not_count() {
        let tables = [
            table(&[1, 2, 9], &[0.5, 0.0, 1.0]),
            table(&[0, 2, 9], &[0.5, 0.25, 0.5]),
            table(&[0, 1, 9], &[0.0, 0.75, 0.0]),
        ];
        let joined = ChangeSignals::new(&tables, vec![0, 1, 2, 9]);
        let max = FILE_SIGNALS.len();
        let whole = joined.whole(|file| file > 2);
        assert_eq!((whole.candidates.as_slice(), whole.columns[0][0], whole.columns[max][0]), (&[9][..], 0.5, 1.0));
        let without = joined.without(&tables[0], 0, |file| file == 0 || file > 2);
        assert_eq!(without.candidates, [0, 9]);
        assert_eq!((&without.columns[0], &without.columns[max]), (&vec![0.25, 0.25], &vec![0.5, 0.5]));
        assert_eq!(missing_signals().len(), without.columns.len());
    }

    #[test]
    fn the_maximum_may_be_negative() {
        let tables = [table(&[1, 2], &[-0.25, -1.0]), table(&[1], &[-0.5])];
        let joined = ChangeSignals::new(&tables, vec![0, 1, 2]);
        let max = FILE_SIGNALS.len();
        assert_eq!(joined.whole(|_| true).columns[max], [0.0, -0.25, -1.0]);
        assert_eq!(joined.without(&tables[0], 0, |_| true).columns[max], [0.0, -0.5, 0.0]);
        assert_eq!(joined.without(&tables[1], 1, |_| true).columns[max], [0.0, -0.25, -1.0]);
    }
}
