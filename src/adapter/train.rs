//! An adapter from groups: pairs that belong together are brought nearer than what else is in the batch (InfoNCE, van
//! den Oord et al. 2018), by AdamW (Loshchilov and Hutter 2019). True gradients, written out and checked against
//! differences. The same vectors, groups and seed give the same bytes. Refuses to go on once validation gets worse.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, s};

use super::groups::Groups;
use super::principal::principal;
use super::{Adapter, Matrix};
use crate::chance::Chance;
use crate::embedding::Rows;

/// How an adapter is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Numbers between the two layers.
    pub hidden: usize,
    /// Numbers a projection.
    pub out: usize,
    /// With a straight way beside the two layers.
    pub is_residual: bool,
    /// Pairs a step.
    pub batch: usize,
    /// Most steps.
    pub steps: usize,
    /// Steps between two looks at validation.
    pub look: usize,
    /// Looks without a better one after which it ends.
    pub patience: usize,
    /// Size of a step.
    pub rate: f32,
    /// What the cosines are divided by.
    pub temperature: f32,
    /// Share of the numbers between the layers that is left out, another one each step.
    pub dropout: f32,
    /// How much weights shrink, as a share of the rate.
    pub decay: f32,
    /// Neighbours that do not belong together, beside the rest of the batch.
    pub hard: bool,
    /// Beginning of all chance.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            hidden: 256,
            out: 256,
            is_residual: true,
            batch: 192,
            steps: 600,
            look: 20,
            patience: 5,
            rate: 1e-3,
            temperature: 0.1,
            dropout: 0.2,
            decay: 0.01,
            hard: true,
            seed: 1,
        }
    }
}

/// What training came to.
#[derive(Debug)]
pub struct Trained {
    /// The best that validation saw.
    pub adapter: Adapter,
    /// Steps it took to get there.
    pub steps: usize,
    /// What validation said of it.
    pub score: f64,
}

/// Numbers that are learned, or their gradients.
#[derive(Debug, Clone)]
struct Tensors {
    w1: Array2<f32>,
    b1: Array1<f32>,
    w2: Array2<f32>,
    b2: Array1<f32>,
    skip: Option<Array2<f32>>,
}

/// Trains on vectors of length 1, the first of them: those of the items that the groups are of. `validate` gives a larger number to a better adapter; none where training
/// never beat what it began with.
pub fn train(
    rows: &Rows,
    groups: &Groups,
    settings: &Settings,
    mut validate: impl FnMut(&Adapter) -> f64,
    mut progress: impl FnMut(usize) -> bool,
) -> Option<Trained> {
    if groups.is_empty() {
        return None;
    }
    let count = groups.items();
    let vectors = ArrayView2::from_shape((count, rows.width), rows.values.get(..count * rows.width)?).ok()?;
    let mut chance = Chance::of(settings.seed, "training");
    let mut tensors = begin(vectors, settings);
    let (mut first, mut second) = (tensors.zeros(), tensors.zeros());
    let mut best: Option<Trained> = None;
    let begun = validate(&tensors.adapter());
    let mut without = 0;
    for step in 1..=settings.steps {
        let batch = Batch::draw(vectors, groups, settings, &mut chance);
        let (_, gradient) = slope(&tensors, &batch, settings, &mut chance);
        tensors.step(&gradient, &mut first, &mut second, step, settings);
        if !progress(step) {
            return None;
        }
        if step % settings.look != 0 {
            continue;
        }
        let adapter = tensors.adapter();
        let score = validate(&adapter);
        if score > best.as_ref().map_or(begun, |best| best.score) {
            best = Some(Trained { adapter, steps: step, score });
            without = 0;
        } else {
            without += 1;
            if without == settings.patience {
                break;
            }
        }
    }
    best
}

impl Adapter {
    /// Projects many vectors at once, each brought to length 1: for measuring, where the last bit does not matter.
    pub fn project_all(&self, rows: &Rows) -> Rows {
        let mut found = Rows { width: self.gives(), values: Vec::with_capacity(rows.count() * self.gives()) };
        let view = |matrix: &Matrix| {
            Array2::from_shape_vec((matrix.rows, matrix.columns), matrix.values.clone()).expect("rows of one length")
        };
        let (w1, w2, skip) = (view(&self.w1), view(&self.w2), self.skip.as_ref().map(view));
        let (b1, b2) = (Array1::from(self.b1.clone()), Array1::from(self.b2.clone()));
        for chunk in rows.values.chunks(AT_ONCE * rows.width.max(1)) {
            let Ok(x) = ArrayView2::from_shape((chunk.len() / rows.width, rows.width), chunk) else { continue };
            let mut hidden = x.dot(&w1.t()) + &b1;
            hidden.mapv_inplace(|value| value.max(0.0));
            let mut y = hidden.dot(&w2.t()) + &b2;
            if let Some(skip) = &skip {
                y += &x.dot(&skip.t());
            }
            for (mut row, x) in y.outer_iter_mut().zip(x.outer_iter()) {
                let length = row.dot(&row).sqrt();
                // What has no vector has no projection.
                let scale = if length > 0.0 && x.iter().any(|value| *value != 0.0) { 1.0 / length } else { 0.0 };
                row *= scale;
            }
            found.values.extend(y.iter());
        }
        found
    }
}

impl Adapter {
    /// Directions by chance, straight through: what learning is compared with.
    pub fn random(width: usize, out: usize, seed: u64) -> Self {
        let mut chance = Chance::of(seed, "projection");
        let mut matrix = |rows: usize, columns: usize, scale: f64| Matrix {
            rows,
            columns,
            values: (0..rows * columns).map(|_| (chance.normal() * scale) as f32).collect(),
        };
        let skip = matrix(out, width, (1.0 / width as f64).sqrt());
        let (w1, w2) = (matrix(1, width, 0.0), matrix(out, 1, 0.0));
        Adapter { w1, b1: vec![0.0], w2, b2: vec![0.0; out], skip: Some(skip) }
    }
}

/// Vectors projected at once.
const AT_ONCE: usize = 512;

/// What an untrained adapter is: the strongest directions, straight through, or chance where there is no straight way.
fn begin(vectors: ArrayView2<'_, f32>, settings: &Settings) -> Tensors {
    let (width, hidden, out) = (vectors.ncols(), settings.hidden, settings.out);
    let mut chance = Chance::of(settings.seed, "weights");
    let mut random = |rows: usize, columns: usize| {
        let scale = (2.0 / columns as f64).sqrt();
        Array2::from_shape_fn((rows, columns), |_| (chance.normal() * scale) as f32)
    };
    let w1 = random(hidden, width);
    let w2 = if settings.is_residual { Array2::zeros((out, hidden)) } else { random(out, hidden) };
    let skip = settings.is_residual.then(|| principal(vectors, out, settings.seed));
    Tensors { w1, b1: Array1::zeros(hidden), w2, b2: Array1::zeros(out), skip }
}

/// Pairs, and what else each is told from.
struct Batch {
    /// Anchors, then their positives, then hard negatives.
    x: Array2<f32>,
    /// How many pairs.
    pairs: usize,
    /// By anchor and other: true where the other is not to be told from it.
    hidden: Array2<bool>,
}

impl Batch {
    fn draw(vectors: ArrayView2<'_, f32>, groups: &Groups, settings: &Settings, chance: &mut Chance) -> Self {
        let pairs: Vec<(u32, u32)> = (0..settings.batch).map(|_| groups.draw(chance)).collect();
        let mut rows: Vec<u32> = pairs.iter().map(|pair| pair.0).chain(pairs.iter().map(|pair| pair.1)).collect();
        if settings.hard {
            rows.extend(hard(vectors, groups, &pairs, chance));
        }
        let places: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let others = &rows[pairs.len()..];
        let hidden = Array2::from_shape_fn((pairs.len(), others.len()), |(a, b)| {
            a != b && groups.together(pairs[a].0, others[b])
        });
        Batch { x: vectors.select(Axis(0), &places), pairs: pairs.len(), hidden }
    }
}

/// Items drawn by chance for a look at which of them is nearest to an anchor without belonging to it.
const LOOKED_AT: usize = 512;

/// For each anchor the nearest of some items that no group holds together with it.
fn hard(vectors: ArrayView2<'_, f32>, groups: &Groups, pairs: &[(u32, u32)], chance: &mut Chance) -> Vec<u32> {
    let count = LOOKED_AT.min(vectors.nrows());
    let drawn: Vec<usize> = (0..count).map(|_| chance.below(vectors.nrows())).collect();
    let anchors: Vec<usize> = pairs.iter().map(|pair| pair.0 as usize).collect();
    let cosines = vectors.select(Axis(0), &anchors).dot(&vectors.select(Axis(0), &drawn).t());
    let mut found = Vec::with_capacity(pairs.len());
    for (row, (anchor, positive)) in cosines.outer_iter().zip(pairs) {
        let apart = |item: usize| !groups.together(*anchor, item as u32) && item as u32 != *positive;
        let near = row.iter().zip(&drawn).filter(|(_, item)| apart(**item));
        let nearest = near.max_by(|a, b| a.0.total_cmp(b.0)).map(|(_, item)| *item as u32);
        // Where everything belongs together there is nothing to tell apart: the positive itself is hidden for no one.
        found.push(nearest.unwrap_or(*positive));
    }
    found
}

/// The loss of a batch, and its gradient.
fn slope(tensors: &Tensors, batch: &Batch, settings: &Settings, chance: &mut Chance) -> (f32, Tensors) {
    let keep = 1.0 - settings.dropout;
    let mut mask = Array2::<f32>::zeros((batch.x.nrows(), tensors.w1.nrows()));
    mask.mapv_inplace(|_| if chance.unit() < f64::from(keep) { 1.0 / keep } else { 0.0 });
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

    // Each anchor has to find its positive, which has its own place, among the others.
    let mut likely = anchors.dot(&others.t()) / settings.temperature;
    Zip::from(&mut likely).and(&batch.hidden).for_each(|value, hidden| {
        if *hidden {
            *value = f32::NEG_INFINITY;
        }
    });
    let mut loss = 0.0;
    let share = 1.0 / batch.pairs as f32;
    for (place, mut row) in likely.outer_iter_mut().enumerate() {
        let most = row.fold(f32::NEG_INFINITY, |most, value| most.max(*value));
        let own = row[place] - most;
        row.mapv_inplace(|value| (value - most).exp());
        let sum = row.sum();
        loss -= share * (own - sum.ln());
        row *= share / sum;
        row[place] -= share;
    }
    likely /= settings.temperature;
    let mut dz = Array2::zeros(z.raw_dim());
    dz.slice_mut(s![..batch.pairs, ..]).assign(&likely.dot(&others));
    dz.slice_mut(s![batch.pairs.., ..]).assign(&likely.t().dot(&anchors));

    // Through the scaling to length 1.
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
    fn zeros(&self) -> Self {
        Tensors {
            w1: Array2::zeros(self.w1.raw_dim()),
            b1: Array1::zeros(self.b1.raw_dim()),
            w2: Array2::zeros(self.w2.raw_dim()),
            b2: Array1::zeros(self.b2.raw_dim()),
            skip: self.skip.as_ref().map(|skip| Array2::zeros(skip.raw_dim())),
        }
    }

    /// Every tensor's numbers, in one order.
    fn parts(&mut self) -> Vec<&mut [f32]> {
        let Tensors { w1, b1, w2, b2, skip } = self;
        let parts = [w1.as_slice_mut(), b1.as_slice_mut(), w2.as_slice_mut(), b2.as_slice_mut()];
        let skip = skip.iter_mut().filter_map(Array2::as_slice_mut);
        parts.into_iter().flatten().chain(skip).collect()
    }

    /// One step of AdamW.
    fn step(
        &mut self,
        gradient: &Tensors,
        first: &mut Tensors,
        second: &mut Tensors,
        step: usize,
        settings: &Settings,
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
        let mut chance = Chance::new(seed);
        let mut all = Array2::from_shape_fn((rows, width), |_| chance.normal() as f32);
        for mut row in all.outer_iter_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        all
    }

    fn small(is_residual: bool) -> Settings {
        Settings { hidden: 7, out: 5, batch: 6, dropout: 0.0, is_residual, hard: true, ..Settings::default() }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let vectors = unit_rows(20, 6, 1);
        let groups = Groups::new(20, (0..10).map(|at| (vec![at, at + 10, (at + 3) % 20], 1.0)));
        for is_residual in [true, false] {
            let settings = small(is_residual);
            let mut tensors = begin(vectors.view(), &settings);
            let mut chance = Chance::new(9);
            for part in tensors.parts() {
                part.iter_mut().for_each(|value| *value += 0.3 * chance.normal() as f32);
            }
            let batch = Batch::draw(vectors.view(), &groups, &settings, &mut Chance::new(5));
            let loss = |tensors: &Tensors| f64::from(slope(tensors, &batch, &settings, &mut Chance::new(1)).0);
            let (_, mut gradient) = slope(&tensors, &batch, &settings, &mut Chance::new(1));
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
    fn what_is_hidden_in_the_vectors_is_found() {
        // Two items belong together where their last numbers agree; the first ones are loud and say nothing.
        let mut chance = Chance::new(4);
        let kinds = 12;
        let signs = unit_rows(kinds, 8, 8);
        let mut vectors = Array2::from_shape_fn((360, 24), |(row, column)| {
            if column < 16 { 0.4 * chance.normal() as f32 } else { signs[[row % kinds, column - 16]] }
        });
        for mut row in vectors.outer_iter_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        let members = |kind: usize| (0..240_u32).filter(move |row| *row as usize % kinds == kind).collect::<Vec<_>>();
        let groups = Groups::new(360, (0..kinds).map(|kind| (members(kind), 1.0)));
        // How often the nearest of the items that were kept back is of the same kind.
        let hits = |adapter: &Adapter| {
            let project = |row: usize| {
                let y = adapter.apply(&vectors.row(row).to_vec());
                let length = y.iter().map(|value| value * value).sum::<f32>().sqrt();
                y.into_iter().map(|value| value / length).collect::<Vec<f32>>()
            };
            let all: Vec<Vec<f32>> = (240..360).map(project).collect();
            let mut right = 0;
            for (a, one) in all.iter().enumerate() {
                let others = all.iter().enumerate().filter(|(b, _)| *b != a);
                let nearest =
                    others.max_by(|x, y| crate::embedding::dot(one, x.1).total_cmp(&crate::embedding::dot(one, y.1)));
                right += usize::from(nearest.is_some_and(|(b, _)| b % kinds == a % kinds));
            }
            f64::from(u32::try_from(right).expect("few")) / 120.0
        };
        let settings = Settings { hidden: 32, out: 16, batch: 64, steps: 200, ..Settings::default() };
        let rows = Rows { width: 24, values: vectors.iter().copied().collect() };
        let before = hits(&begin(vectors.view(), &settings).adapter());
        let train = || train(&rows, &groups, &settings, hits, |_| true).expect("it learns");
        let trained = train();
        assert!(before < 0.6 && trained.score > 0.8, "{before} {}", trained.score);
        assert_eq!(trained.adapter, train().adapter, "the same bytes again");
    }

    #[test]
    fn where_there_is_nothing_to_learn_there_is_no_adapter() {
        let rows = Rows { width: 8, values: unit_rows(40, 8, 2).into_iter().collect() };
        let settings = small(true);
        assert!(train(&rows, &Groups::new(40, []), &settings, |_| 0.0, |_| true).is_none());
        let groups = Groups::new(40, [(vec![0, 1], 1.0)]);
        assert!(train(&rows, &groups, &settings, |_| 0.5, |_| true).is_none(), "it never got better");
    }
}
