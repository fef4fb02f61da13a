//! Adapters: small trained networks that project base embeddings, `y = unit(S x + W2 relu(W1 x + b1) + b2)`.
//!
//! Invariants: only this module uses safetensors; a file is rejected if its shapes do not fit together, if it contains
//! a number that is not finite, or if it was trained on another model's embeddings.

mod file;
mod groups;
mod principal;
mod train;

use crate::embedding::{Embedding, Projection, UnitVector};

pub use file::{LoadedAdapter, bytes_of, find, parse, path};
pub use groups::Groups;
pub use train::{TrainedAdapter, TrainingSettings, train};

/// A trained map from base embeddings to projections, one per dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// First layer, [hidden, in].
    w1: Matrix,
    /// Bias of the first layer, `[hidden]`.
    b1: Vec<f32>,
    /// Second layer, [out, hidden].
    w2: Matrix,
    /// Bias of the second layer, `[out]`.
    b2: Vec<f32>,
    /// Linear skip connection, [out, in]; `None` for a network without one.
    skip: Option<Matrix>,
}

/// A row-major matrix.
#[derive(Debug, Clone, PartialEq)]
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Adapter {
    /// Returns the blake3 of its parameters, in hexadecimal; equal for adapters that project the same.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let skip = self.skip.as_ref().map_or(&[][..], |skip| &skip.values);
        for part in [&self.w1.values, &self.b1, &self.w2.values, &self.b2, skip] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            for value in part {
                hasher.update(&value.to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Returns the width of its input embeddings.
    pub fn input_width(&self) -> usize {
        self.w1.columns
    }

    /// Returns the width of its projections.
    pub fn output_width(&self) -> usize {
        self.w2.rows
    }

    /// Projects one embedding, with sums in one fixed order, so that every caller gets the same bits.
    ///
    /// `None` if the result is all 0 or not finite, or the embedding has another width.
    pub fn project(&self, embedding: &Embedding) -> Option<Projection> {
        let x = embedding.0.to_f32();
        if x.len() != self.input_width() {
            return None;
        }
        UnitVector::from_f32(&self.apply(&x)).map(Projection)
    }

    /// Returns `S x + W2 relu(W1 x + b1) + b2`, not normalized; `x` has [`Self::input_width`] numbers.
    pub fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut hidden = self.w1.times(x);
        for (value, bias) in hidden.iter_mut().zip(&self.b1) {
            *value = (*value + bias).max(0.0);
        }
        let mut y = self.w2.times(&hidden);
        for (value, bias) in y.iter_mut().zip(&self.b2) {
            *value += bias;
        }
        if let Some(skip) = &self.skip {
            for (value, linear) in y.iter_mut().zip(skip.times(x)) {
                *value += linear;
            }
        }
        y
    }
}

impl Matrix {
    /// Returns the matrix-vector product.
    fn times(&self, x: &[f32]) -> Vec<f32> {
        self.values.chunks_exact(self.columns).map(|row| crate::embedding::dot(row, x)).collect()
    }
}

/// Returns the embedding itself: the projection of a dimension without an adapter.
pub fn identity(embedding: &Embedding) -> Projection {
    Projection(embedding.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, values: &[f32]) -> Matrix {
        Matrix { rows, columns, values: values.to_vec() }
    }

    #[test]
    fn the_projection_is_that_of_the_formula() {
        let mut adapter = Adapter {
            w1: matrix(2, 2, &[1.0, 0.0, 0.0, -1.0]),
            b1: vec![0.0, 0.0],
            w2: matrix(2, 2, &[2.0, 0.0, 0.0, 2.0]),
            b2: vec![0.0, 1.0],
            skip: None,
        };
        let x = Embedding(UnitVector::from_f32(&[0.6, 0.8]).expect("a direction"));
        let check = |adapter: &Adapter, expect: [f32; 2]| {
            let y = adapter.project(&x).expect("a projection").0.to_f32();
            let length = (expect[0].powi(2) + expect[1].powi(2)).sqrt();
            for (found, expect) in y.iter().zip(expect) {
                assert!((found - expect / length).abs() < 1e-3, "{y:?}");
            }
        };
        // relu lets 0.6 through and stops -0.8.
        check(&adapter, [1.2, 1.0]);
        adapter.skip = Some(matrix(2, 2, &[0.0, 1.0, 1.0, 0.0]));
        check(&adapter, [2.0, 1.6]);
        let other = Embedding(UnitVector::from_f32(&[1.0, 0.0, 0.0]).expect("a direction"));
        assert_eq!(adapter.project(&other), None, "another model's width");
    }

    #[test]
    fn a_zero_result_is_no_projection() {
        let zero = matrix(1, 1, &[0.0]);
        let adapter = Adapter { w1: zero.clone(), b1: vec![0.0], w2: zero, b2: vec![0.0], skip: None };
        assert_eq!(adapter.project(&Embedding(UnitVector::from_f32(&[1.0]).expect("a direction"))), None);
    }
}
