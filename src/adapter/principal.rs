//! Principal directions of a set of vectors, the initial weights of an adapter's skip connection.
//!
//! Source: orthogonal iteration over the second-moment matrix, Golub and Van Loan, Matrix Computations, 8.2.

use ndarray::{Array2, ArrayView2};

use crate::rng::SplitMix64;

/// Rounds of iteration; the leading directions converge after a few.
const ROUNDS: usize = 10;
/// Most vectors that are used, spread evenly over all.
const MAX_VECTORS: usize = 20_000;

/// Returns the `count` strongest directions as orthonormal rows, [count, width], strongest first.
///
/// `vectors` is [n, width]. Rows beyond the width are 0. Deterministic for a seed.
pub fn principal(vectors: ArrayView2<'_, f32>, count: usize, seed: u64) -> Array2<f32> {
    let width = vectors.ncols();
    let kept = count.min(width);
    let stride = vectors.nrows().div_ceil(MAX_VECTORS).max(1);
    let picked = vectors.slice(ndarray::s![..; stride, ..]);
    let moments = picked.t().dot(&picked) / picked.nrows().max(1) as f32;
    let mut rng = SplitMix64::with_label(seed, "principal");
    let mut directions = Array2::from_shape_fn((kept, width), |_| rng.normal() as f32);
    orthonormal(&mut directions);
    for _ in 0..ROUNDS {
        // A small multiple of the directions keeps those independent in which nothing varies.
        directions = directions.dot(&moments) + &directions * 1e-7;
        orthonormal(&mut directions);
    }
    let mut all = Array2::zeros((count, width));
    all.slice_mut(ndarray::s![..kept, ..]).assign(&directions);
    all
}

/// Makes rows orthonormal, first to last (modified Gram-Schmidt, twice for accuracy).
fn orthonormal(rows: &mut Array2<f32>) {
    for _ in 0..2 {
        for i in 0..rows.nrows() {
            let (before, mut rest) = rows.view_mut().split_at(ndarray::Axis(0), i);
            let mut row = rest.row_mut(0);
            if i > 0 {
                let shares = before.dot(&row);
                row -= &shares.dot(&before);
            }
            let length = row.dot(&row).sqrt();
            if length > 1e-20 {
                row /= length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_directions_are_found_and_are_orthogonal() {
        let mut rng = SplitMix64::new(3);
        // Components 2 and 0 vary most.
        let strength = [2.0, 0.1, 3.0, 0.2];
        let vectors = Array2::from_shape_fn((500, 4), |(_, column)| strength[column] * rng.normal() as f32);
        let found = principal(vectors.view(), 2, 1);
        assert!(found[[0, 2]].abs() > 0.98 && found[[1, 0]].abs() > 0.98, "{found}");
        assert!(found.row(0).dot(&found.row(1)).abs() < 1e-4);
        let wide = principal(vectors.view(), 6, 1);
        assert!((4..6).all(|row| wide.row(row).iter().all(|value| *value == 0.0)), "there are four directions");
        assert_eq!(found, principal(vectors.view(), 2, 1), "the same again");
    }
}
