//! Contrastive training of an adapter: the items of a positive pair are pulled closer together than the rest of the
//! batch.
//!
//! The loss is InfoNCE (van den Oord et al. 2018), the optimizer AdamW (Loshchilov and Hutter 2019), with early
//! stopping on a validation score. Gradients are written out and checked against finite differences. Invariant: the
//! same vectors, groups and seed give the same bytes.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, s};

use super::groups::Groups;
use super::principal::principal;
use super::{Adapter, Matrix};
use crate::embedding::VectorRows;
use crate::rng::SplitMix64;

/// Hyperparameters of training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// Width of the hidden layer.
    pub hidden: usize,
    /// Width of the projections.
    pub out: usize,
    /// Whether there is a linear skip connection beside the two layers.
    pub is_residual: bool,
    /// Positive pairs per step.
    pub batch: usize,
    /// Most training steps.
    pub steps: usize,
    /// Steps between two validations.
    pub validate_every: usize,
    /// Validations without improvement after which training stops.
    pub patience: usize,
    /// Learning rate.
    pub rate: f32,
    /// Temperature of the softmax: cosines are divided by it.
    pub temperature: f32,
    /// Dropout rate of the hidden layer.
    pub dropout: f32,
    /// Weight decay, as a share of the learning rate.
    pub decay: f32,
    /// Whether each anchor gets a hard negative beside the rest of the batch.
    pub hard_negatives: bool,
    /// Seed of all random numbers.
    pub seed: u64,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        TrainingSettings {
            hidden: 256,
            out: 256,
            is_residual: true,
            batch: 192,
            steps: 600,
            validate_every: 20,
            patience: 5,
            rate: 1e-3,
            temperature: 0.1,
            dropout: 0.2,
            decay: 0.01,
            hard_negatives: true,
            seed: 1,
        }
    }
}

/// The result of training.
#[derive(Debug)]
pub struct TrainedAdapter {
    /// The adapter with the best validation score.
    pub adapter: Adapter,
    /// The step at which it was reached.
    pub steps: usize,
    /// Its validation score.
    pub score: f64,
}

/// The parameters of an adapter, or their gradients.
#[derive(Debug, Clone)]
struct Tensors {
    w1: Array2<f32>,
    b1: Array1<f32>,
    w2: Array2<f32>,
    b2: Array1<f32>,
    skip: Option<Array2<f32>>,
}

/// Trains an adapter on unit vectors and groups of them.
///
/// The first [`Groups::items`] rows are the items; other rows are not used. `validate` returns a larger number for a
/// better adapter; `progress` is called after each step and returns whether to continue. `None` if there is no group,
/// if training never beat the initial adapter, or if it was stopped.
pub fn train(
    rows: &VectorRows,
    groups: &Groups,
    settings: &TrainingSettings,
    mut validate: impl FnMut(&Adapter) -> f64,
    mut progress: impl FnMut(usize) -> bool,
) -> Option<TrainedAdapter> {
    if groups.is_empty() {
        return None;
    }
    let count = groups.items();
    let vectors = ArrayView2::from_shape((count, rows.width), rows.values.get(..count * rows.width)?).ok()?;
    let mut rng = SplitMix64::with_label(settings.seed, "training");
    let mut tensors = initial_tensors(vectors, settings);
    let (mut first, mut second) = (tensors.zeros(), tensors.zeros());
    let mut best: Option<TrainedAdapter> = None;
    let initial_score = validate(&tensors.adapter());
    let mut without_improvement = 0;
    for step in 1..=settings.steps {
        let batch = Batch::draw(vectors, groups, settings, &mut rng);
        let (_, gradient) = loss_and_gradient(&tensors, &batch, settings, &mut rng);
        tensors.step(&gradient, &mut first, &mut second, step, settings);
        if !progress(step) {
            return None;
        }
        if step % settings.validate_every != 0 {
            continue;
        }
        let adapter = tensors.adapter();
        let score = validate(&adapter);
        if score > best.as_ref().map_or(initial_score, |best| best.score) {
            best = Some(TrainedAdapter { adapter, steps: step, score });
            without_improvement = 0;
        } else {
            without_improvement += 1;
            if without_improvement == settings.patience {
                break;
            }
        }
    }
    best
}

impl Adapter {
    /// Projects and normalizes many embeddings at once, by matrix products.
    ///
    /// For training and evaluation: the last bits may differ from [`Adapter::project`]. A zero row stays zero.
    pub fn project_all(&self, rows: &VectorRows) -> VectorRows {
        let mut found =
            VectorRows { width: self.output_width(), values: Vec::with_capacity(rows.count() * self.output_width()) };
        let view = |matrix: &Matrix| {
            Array2::from_shape_vec((matrix.rows, matrix.columns), matrix.values.clone()).expect("rows of one length")
        };
        let (w1, w2, skip) = (view(&self.w1), view(&self.w2), self.skip.as_ref().map(view));
        let (b1, b2) = (Array1::from(self.b1.clone()), Array1::from(self.b2.clone()));
        for chunk in rows.values.chunks(PROJECT_BATCH * rows.width.max(1)) {
            let Ok(x) = ArrayView2::from_shape((chunk.len() / rows.width, rows.width), chunk) else { continue };
            let mut hidden = x.dot(&w1.t()) + &b1;
            hidden.mapv_inplace(|value| value.max(0.0));
            let mut y = hidden.dot(&w2.t()) + &b2;
            if let Some(skip) = &skip {
                y += &x.dot(&skip.t());
            }
            for (mut row, x) in y.outer_iter_mut().zip(x.outer_iter()) {
                let length = row.dot(&row).sqrt();
                // A missing vector has no projection.
                let scale = if length > 0.0 && x.iter().any(|value| *value != 0.0) { 1.0 / length } else { 0.0 };
                row *= scale;
            }
            found.values.extend(y.iter());
        }
        found
    }
}

impl Adapter {
    /// Creates a random linear projection, a baseline for training.
    pub fn random(width: usize, out: usize, seed: u64) -> Self {
        let mut rng = SplitMix64::with_label(seed, "projection");
        let mut matrix = |rows: usize, columns: usize, scale: f64| Matrix {
            rows,
            columns,
            values: (0..rows * columns).map(|_| (rng.normal() * scale) as f32).collect(),
        };
        let skip = matrix(out, width, (1.0 / width as f64).sqrt());
        let (w1, w2) = (matrix(1, width, 0.0), matrix(out, 1, 0.0));
        Adapter { w1, b1: vec![0.0], w2, b2: vec![0.0; out], skip: Some(skip) }
    }
}

/// Vectors projected in one matrix product.
const PROJECT_BATCH: usize = 512;

/// Returns the initial parameters: the principal directions as skip connection and a zero second layer, or random
/// layers if there is no skip connection.
fn initial_tensors(vectors: ArrayView2<'_, f32>, settings: &TrainingSettings) -> Tensors {
    let (width, hidden, out) = (vectors.ncols(), settings.hidden, settings.out);
    let mut rng = SplitMix64::with_label(settings.seed, "weights");
    let mut random = |rows: usize, columns: usize| {
        let scale = (2.0 / columns as f64).sqrt();
        Array2::from_shape_fn((rows, columns), |_| (rng.normal() * scale) as f32)
    };
    let w1 = random(hidden, width);
    let w2 = if settings.is_residual { Array2::zeros((out, hidden)) } else { random(out, hidden) };
    let skip = settings.is_residual.then(|| principal(vectors, out, settings.seed));
    Tensors { w1, b1: Array1::zeros(hidden), w2, b2: Array1::zeros(out), skip }
}

/// The positive pairs of one step and their negatives.
struct Batch {
    /// Input vectors, [rows, width]: anchors, then their positives, then hard negatives.
    x: Array2<f32>,
    /// Number of pairs.
    pairs: usize,
    /// [pairs, rows - pairs]: true if a row shares a group with an anchor and is not its positive, so that it must not
    /// count as a negative.
    masked: Array2<bool>,
}

impl Batch {
    /// Samples the pairs of a step and, if configured, their hard negatives.
    fn draw(vectors: ArrayView2<'_, f32>, groups: &Groups, settings: &TrainingSettings, rng: &mut SplitMix64) -> Self {
        let pairs: Vec<(u32, u32)> = (0..settings.batch).map(|_| groups.draw(rng)).collect();
        let mut rows: Vec<u32> = pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| pair.1)).collect();
        if settings.hard_negatives {
            rows.extend(hard_negatives(vectors, groups, &pairs, rng));
        }
        let indices: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let others = &rows[pairs.len()..];
        let masked = Array2::from_shape_fn((pairs.len(), others.len()), |(a, b)| {
            a != b && groups.together(pairs[a].0, others[b])
        });
        Batch { x: vectors.select(Axis(0), &indices), pairs: pairs.len(), masked }
    }
}

/// Random items among which the hard negative of each anchor is searched.
const HARD_NEGATIVE_POOL: usize = 512;

/// Returns a hard negative for each anchor: the nearest of some random items that share no group with it.
fn hard_negatives(
    vectors: ArrayView2<'_, f32>,
    groups: &Groups,
    pairs: &[(u32, u32)],
    rng: &mut SplitMix64,
) -> Vec<u32> {
    let count = HARD_NEGATIVE_POOL.min(vectors.nrows());
    let drawn: Vec<usize> = (0..count).map(|_| rng.below(vectors.nrows())).collect();
    let anchors: Vec<usize> = pairs.iter().map(|pair| pair.0 as usize).collect();
    let cosines = vectors.select(Axis(0), &anchors).dot(&vectors.select(Axis(0), &drawn).t());
    let mut found = Vec::with_capacity(pairs.len());
    for (row, (anchor, positive)) in cosines.outer_iter().zip(pairs) {
        let apart = |item: usize| !groups.together(*anchor, item as u32) && item as u32 != *positive;
        let near = row.iter().zip(&drawn).filter(|(_, item)| apart(**item));
        let nearest = near.max_by(|a, b| a.0.total_cmp(b.0)).map(|(_, item)| *item as u32);
        // If every drawn item shares a group with the anchor, the positive takes its place, which adds no negative.
        found.push(nearest.unwrap_or(*positive));
    }
    found
}

/// Returns the loss of a batch and its gradient.
fn loss_and_gradient(
    tensors: &Tensors,
    batch: &Batch,
    settings: &TrainingSettings,
    rng: &mut SplitMix64,
) -> (f32, Tensors) {
    let keep = 1.0 - settings.dropout;
    let mut mask = Array2::<f32>::zeros((batch.x.nrows(), tensors.w1.nrows()));
    mask.mapv_inplace(|_| if rng.uniform() < f64::from(keep) { 1.0 / keep } else { 0.0 });
    let before = batch.x.dot(&tensors.w1.t()) + &tensors.b1;
    Zip::from(&mut mask).and(&before).for_each(|mask, value| {
        if *value <= 0.0 {
            *mask = 0.0;
        }
    });
    let hidden = &before * &mask;
    let mut y = hidden.dot(&tensors.w2.t()) + &tensors.b2;
    if let Some(skip) = &tensors.skip {
        y += &batch.x.dot(&skip.t());
    }
    let lengths = y.map_axis(Axis(1), |row| row.dot(&row).sqrt().max(1e-12));
    let z = &y / &lengths.view().insert_axis(Axis(1));
    let (anchors, others) = (z.slice(s![..batch.pairs, ..]), z.slice(s![batch.pairs.., ..]));

    // Softmax over all others for each anchor; its positive is the column of the same index.
    let mut likely = anchors.dot(&others.t()) / settings.temperature;
    Zip::from(&mut likely).and(&batch.masked).for_each(|value, masked| {
        if *masked {
            *value = f32::NEG_INFINITY;
        }
    });
    let mut loss = 0.0;
    let share = 1.0 / batch.pairs as f32;
    for (pair, mut row) in likely.outer_iter_mut().enumerate() {
        let most = row.fold(f32::NEG_INFINITY, |most, value| most.max(*value));
        let own = row[pair] - most;
        row.mapv_inplace(|value| (value - most).exp());
        let sum = row.sum();
        loss -= share * (own - sum.ln());
        row *= share / sum;
        row[pair] -= share;
    }
    likely /= settings.temperature;
    let mut dz = Array2::zeros(z.raw_dim());
    dz.slice_mut(s![..batch.pairs, ..]).assign(&likely.dot(&others));
    dz.slice_mut(s![batch.pairs.., ..]).assign(&likely.t().dot(&anchors));

    // Backward through the normalization to length 1.
    let along = (&dz * &z).sum_axis(Axis(1)).insert_axis(Axis(1));
    let dy = (dz - &z * &along) / lengths.insert_axis(Axis(1));
    let mut dh = dy.dot(&tensors.w2);
    dh *= &mask;
    let gradient = Tensors {
        w1: dh.t().dot(&batch.x),
        b1: dh.sum_axis(Axis(0)),
        w2: dy.t().dot(&hidden),
        b2: dy.sum_axis(Axis(0)),
        skip: tensors.skip.as_ref().map(|_| dy.t().dot(&batch.x)),
    };
    (loss, gradient)
}

impl Tensors {
    /// Returns zeros of the same shapes.
    fn zeros(&self) -> Self {
        Tensors {
            w1: Array2::zeros(self.w1.raw_dim()),
            b1: Array1::zeros(self.b1.raw_dim()),
            w2: Array2::zeros(self.w2.raw_dim()),
            b2: Array1::zeros(self.b2.raw_dim()),
            skip: self.skip.as_ref().map(|skip| Array2::zeros(skip.raw_dim())),
        }
    }

    /// Returns the numbers of every tensor, in one fixed order.
    fn parts(&mut self) -> Vec<&mut [f32]> {
        let Tensors { w1, b1, w2, b2, skip } = self;
        let parts = [w1.as_slice_mut(), b1.as_slice_mut(), w2.as_slice_mut(), b2.as_slice_mut()];
        let skip = skip.iter_mut().filter_map(Array2::as_slice_mut);
        parts.into_iter().flatten().chain(skip).collect()
    }

    /// Applies one step of AdamW; `first` and `second` are its moment estimates.
    fn step(
        &mut self,
        gradient: &Tensors,
        first: &mut Tensors,
        second: &mut Tensors,
        step: usize,
        settings: &TrainingSettings,
    ) {
        const MOMENTUM: f32 = 0.9;
        const SQUARES: f32 = 0.999;
        let step = step as f32;
        let (first_share, second_share) = (1.0 - MOMENTUM.powf(step), 1.0 - SQUARES.powf(step));
        let mut gradient = gradient.clone();
        let parts = self.parts().into_iter().zip(gradient.parts()).zip(first.parts()).zip(second.parts());
        for (((values, slopes), first), second) in parts {
            for (((value, slope), first), second) in values.iter_mut().zip(slopes).zip(first).zip(second) {
                *first = MOMENTUM * *first + (1.0 - MOMENTUM) * *slope;
                *second = SQUARES * *second + (1.0 - SQUARES) * *slope * *slope;
                let move_by = (*first / first_share) / ((*second / second_share).sqrt() + 1e-8);
                *value -= settings.rate * (move_by + settings.decay * *value);
            }
        }
    }

    /// Returns the adapter with these parameters.
    fn adapter(&self) -> Adapter {
        let matrix = |values: &Array2<f32>| Matrix {
            rows: values.nrows(),
            columns: values.ncols(),
            values: values.iter().copied().collect(),
        };
        Adapter {
            w1: matrix(&self.w1),
            b1: self.b1.to_vec(),
            w2: matrix(&self.w2),
            b2: self.b2.to_vec(),
            skip: self.skip.as_ref().map(matrix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_rows(rows: usize, width: usize, seed: u64) -> Array2<f32> {
        let mut rng = SplitMix64::new(seed);
        let mut all = Array2::from_shape_fn((rows, width), |_| rng.normal() as f32);
        for mut row in all.outer_iter_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        all
    }

    fn small(is_residual: bool) -> TrainingSettings {
        TrainingSettings {
            hidden: 7,
            out: 5,
            batch: 6,
            dropout: 0.0,
            is_residual,
            hard_negatives: true,
            ..TrainingSettings::default()
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let vectors = unit_rows(20, 6, 1);
        let groups = Groups::new(20, (0..10).map(|at| (vec![at, at + 10, (at + 3) % 20], 1.0)));
        for is_residual in [true, false] {
            let settings = small(is_residual);
            let mut tensors = initial_tensors(vectors.view(), &settings);
            let mut rng = SplitMix64::new(9);
            for part in tensors.parts() {
                part.iter_mut().for_each(|value| *value += 0.3 * rng.normal() as f32);
            }
            let batch = Batch::draw(vectors.view(), &groups, &settings, &mut SplitMix64::new(5));
            let loss =
                |tensors: &Tensors| f64::from(loss_and_gradient(tensors, &batch, &settings, &mut SplitMix64::new(1)).0);
            let (_, mut gradient) = loss_and_gradient(&tensors, &batch, &settings, &mut SplitMix64::new(1));
            let slopes: Vec<Vec<f32>> = gradient.parts().into_iter().map(|part| part.to_vec()).collect();
            for (part, slopes) in slopes.iter().enumerate() {
                for at in (0..slopes.len()).step_by(3) {
                    let moved = |by: f32| {
                        let mut tensors = tensors.clone();
                        tensors.parts()[part][at] += by;
                        loss(&tensors)
                    };
                    let measured = (moved(1e-3) - moved(-1e-3)) / 2e-3;
                    let given = f64::from(slopes[at]);
                    assert!((measured - given).abs() < 2e-3 + 0.02 * given.abs(), "{part} {at}: {measured} {given}");
                }
            }
        }
    }

    #[test]
    fn a_planted_structure_is_found() {
        // Two items are related if their last components agree; the first components are strong noise.
        let mut rng = SplitMix64::new(4);
        let kinds = 12;
        let signs = unit_rows(kinds, 8, 8);
        let mut vectors = Array2::from_shape_fn((360, 24), |(row, column)| {
            if column < 16 { 0.4 * rng.normal() as f32 } else { signs[[row % kinds, column - 16]] }
        });
        for mut row in vectors.outer_iter_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        let members = |kind: usize| (0..240_u32).filter(move |row| *row as usize % kinds == kind).collect::<Vec<_>>();
        let groups = Groups::new(360, (0..kinds).map(|kind| (members(kind), 1.0)));
        // How often the nearest held-out item is of the same kind.
        let hits = |adapter: &Adapter| {
            let project = |row: usize| {
                let y = adapter.apply(&vectors.row(row).to_vec());
                let length = y.iter().map(|value| value * value).sum::<f32>().sqrt();
                y.into_iter().map(|value| value / length).collect::<Vec<f32>>()
            };
            let all: Vec<Vec<f32>> = (240..360).map(project).collect();
            let mut correct = 0;
            for (a, one) in all.iter().enumerate() {
                let others = all.iter().enumerate().filter(|(b, _)| *b != a);
                let nearest =
                    others.max_by(|x, y| crate::embedding::dot(one, x.1).total_cmp(&crate::embedding::dot(one, y.1)));
                correct += usize::from(nearest.is_some_and(|(b, _)| b % kinds == a % kinds));
            }
            f64::from(u32::try_from(correct).expect("few")) / 120.0
        };
        let settings = TrainingSettings { hidden: 32, out: 16, batch: 64, steps: 200, ..TrainingSettings::default() };
        let rows = VectorRows { width: 24, values: vectors.iter().copied().collect() };
        let before = hits(&initial_tensors(vectors.view(), &settings).adapter());
        let train = || train(&rows, &groups, &settings, hits, |_| true).expect("it learns");
        let trained = train();
        assert!(before < 0.6 && trained.score > 0.8, "{before} {}", trained.score);
        assert_eq!(trained.adapter, train().adapter, "the same bytes again");
    }

    #[test]
    fn without_groups_or_improvement_there_is_no_adapter() {
        let rows = VectorRows { width: 8, values: unit_rows(40, 8, 2).into_iter().collect() };
        let settings = small(true);
        assert!(train(&rows, &Groups::new(40, []), &settings, |_| 0.0, |_| true).is_none());
        let groups = Groups::new(40, [(vec![0, 1], 1.0)]);
        assert!(train(&rows, &groups, &settings, |_| 0.5, |_| true).is_none(), "it never got better");
    }
}
