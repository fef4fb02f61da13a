//! The own task of a dimension of items: find the callee of a caller, the group with the same shape, or the module.
//!
//! Except for calls, the path is not a signal, because in the other tasks it would give the answer away.

use super::SplitPart;
use super::bm25::Bm25;
use super::fitted_weights::{FUSED, WITHOUT_ADAPTERS};
use super::metrics::{MetricTable, QueryMetrics};
use super::replay::EvalContext;
use super::shared::{BM25_SCALE, fit_with_and_without_adapter, random_scores};
use super::training_set::{EvalQuery, EvalSet, TrainingSet};
use crate::dimensions::{Dimension, Reads};
use crate::embedding::VectorRows;
use crate::fusion::{self, Prior, SignalTable};
use crate::text_index;

/// The untrained methods.
pub const BASELINES: [&str; 5] = ["random", "popular", "path", "frozen", "bm25"];

/// The number of columns; the constants below are their indices.
const SIGNALS: usize = 5;
const ADAPTER: usize = 0;
const BASE: usize = 1;
const POPULAR: usize = 2;
const SAME_FILE: usize = 3;
const WORDS: usize = 4;
/// The most words of a query for BM25.
const MAX_QUERY_WORDS: usize = 64;
/// The precision of the zero-mean Gaussian prior on each weight.
const PRIOR_PRECISION: f64 = 0.1;

/// The metrics of a dimension's own task.
#[derive(Debug, Default)]
pub struct DimensionMetrics {
    /// Metrics on the validation split (the gate part is used for gating) and on the test split.
    pub metric_tables: [MetricTable; 2],
}

/// The candidates of a dimension with a BM25 index over their texts.
struct CandidateIndex<'m> {
    context: &'m EvalContext<'m>,
    dimension: &'m Dimension,
    documents: Bm25,
    most_texts: f32,
}

/// Fits the weights on the fit queries of a dimension, and evaluates all methods on the gate and test queries.
pub fn dimension_task(
    context: &EvalContext<'_>,
    training_set: &TrainingSet,
    dimension: &Dimension,
) -> DimensionMetrics {
    let mut results = DimensionMetrics::default();
    let candidates = CandidateIndex::new(context, &training_set.fit, dimension);
    let mut examples = Vec::new();
    candidates.for_each_query(&training_set.fit, |query, table| {
        let baseline: Vec<f32> =
            (0..table.candidates.len()).map(|row| table.columns[BASE][row] + table.columns[WORDS][row]).collect();
        examples.push(table.example(&query.relevant_rows(), &baseline, 1.0, query.unit as u64));
        candidates.record(&mut results.metric_tables[SplitPart::Validation as usize], query, table, None);
    });
    let prior = Prior::flat(SIGNALS, PRIOR_PRECISION);
    let weights = fit_with_and_without_adapter(&examples, &prior, ADAPTER);
    for (part, eval_set) in [(SplitPart::Validation, &training_set.gate), (SplitPart::Test, &training_set.test)] {
        candidates.for_each_query(eval_set, |query, table| {
            candidates.record(&mut results.metric_tables[part as usize], query, table, Some(&weights))
        });
        if part == SplitPart::Test {
            for (name, rows) in context.comparisons {
                eval_set.record_metrics(rows, name, &mut results.metric_tables[part as usize]);
            }
        }
    }
    results
}

impl<'m> CandidateIndex<'m> {
    fn new(context: &'m EvalContext<'m>, eval_set: &EvalSet, dimension: &'m Dimension) -> Self {
        let corpus = &context.data.corpus;
        let mut documents = Bm25::default();
        for (index, own) in (0..).zip(&eval_set.candidates) {
            match eval_set.owners.get(index as usize) {
                Some(owner) => documents.add(index, text_index::words(&corpus.items[*owner as usize].name)),
                None => {
                    own.iter().for_each(|text| documents.add(index, text_index::words(&corpus.texts[*text as usize])))
                }
            }
        }
        let most = eval_set.candidates.iter().map(Vec::len).max().unwrap_or(1);
        CandidateIndex { context, dimension, documents, most_texts: most as f32 }
    }

    /// Calls `visit` for each query with its signal table, from which excluded candidates are removed.
    fn for_each_query(&self, eval_set: &EvalSet, mut visit: impl FnMut(&EvalQuery, &SignalTable)) {
        let base = &self.context.data.base_embeddings;
        let base_candidates = eval_set.candidate_vectors(base);
        let adapter = self.context.projections.map(|rows| (rows, eval_set.candidate_vectors(rows)));
        for query in &eval_set.queries {
            if !(self.context.should_continue)() {
                break;
            }
            let cosines = |(rows, directions): (&VectorRows, &VectorRows)| eval_set.cosines(rows, directions, query);
            let none = || vec![0.0; eval_set.candidates.len()];
            let adapter = adapter.as_ref().map_or_else(none, |(rows, directions)| cosines((rows, directions)));
            let own = self.owner_columns(eval_set, query);
            let columns = vec![adapter, cosines((base, &base_candidates)), own.0, own.1, own.2];
            let kept: Vec<u32> =
                (0..eval_set.candidates.len() as u32).filter(|index| !query.excluded.contains(index)).collect();
            let pick = |column: Vec<f32>| kept.iter().map(|index| column[*index as usize]).collect();
            let relevant =
                query.relevant.iter().filter_map(|relevant| kept.binary_search(relevant).ok().map(|row| row as u32));
            let query = EvalQuery { relevant: relevant.collect(), ..query.clone() };
            let table = SignalTable { columns: columns.into_iter().map(pick).collect(), candidates: kept };
            visit(&query, &table);
        }
    }

    /// Returns the columns of a query by size, same file and BM25 of each candidate.
    fn owner_columns(&self, eval_set: &EvalSet, query: &EvalQuery) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let corpus = &self.context.data.corpus;
        let popular =
            eval_set.candidates.iter().map(|texts| (texts.len() as f32).ln_1p() / self.most_texts.ln_1p()).collect();
        let mut same_file = vec![0.0; eval_set.candidates.len()];
        let is_edge = self.dimension.reads.contains(&Reads::Edges);
        let mut words = if is_edge {
            let query_item = &corpus.items[query.unit];
            for (value, owner) in same_file.iter_mut().zip(&eval_set.owners) {
                *value = f32::from(u8::from(corpus.items[*owner as usize].path == query_item.path));
            }
            text_index::words(&query_item.name)
        } else {
            text_index::words(&corpus.texts[query.text as usize])
        };
        words.truncate(MAX_QUERY_WORDS);
        let mut bm25 = vec![0.0; eval_set.candidates.len()];
        for (index, score) in self.documents.scores(&words) {
            bm25[index as usize] = score / BM25_SCALE;
        }
        (popular, same_file, bm25)
    }

    /// Records the metrics of every method.
    fn record(
        &self,
        metric_table: &mut MetricTable,
        query: &EvalQuery,
        table: &SignalTable,
        weights: Option<&[fusion::Weights; 2]>,
    ) {
        let relevant = query.relevant_rows();
        let reachable = |row: &&usize| table.columns[SAME_FILE..].iter().any(|column| column[**row] > 0.0);
        metric_table
            .add_query(query.unit, relevant.iter().filter(reachable).count() as f64 / relevant.len().max(1) as f64);
        let mut record = |method: &'static str, scores: &[f32]| {
            metric_table.record(query.unit, method, QueryMetrics::from_scores(scores, &relevant))
        };
        record("random", &random_scores(query.unit as u64, &table.candidates));
        for (name, column) in
            [("popular", POPULAR), ("path", SAME_FILE), ("bm25", WORDS), ("frozen", BASE), ("adapter", ADAPTER)]
        {
            record(name, &table.columns[column]);
        }
        for (name, weights) in [FUSED, WITHOUT_ADAPTERS].into_iter().zip(weights.into_iter().flatten()) {
            record(name, &table.scores(weights));
        }
    }
}
