//! Vector to vector, learned: `y = unit(S x + W2 relu(W1 x + b1) + b2)`, read from safetensors. safetensors' door.
//! Refuses a file whose shapes do not fit together, that holds a number which is none, or that was trained for
//! another model.

mod file;
mod groups;
mod principal;
mod train;

use crate::embedding::{Embedding, Projection, Unit};

pub use file::{Loaded, bytes_of, find, parse, path};
pub use groups::Groups;
pub use train::{Settings, Trained, train};

/// One dimension's map from embeddings to projections.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// [hidden, in].
    w1: Matrix,
    /// [hidden].
    b1: Vec<f32>,
    /// [out, hidden].
    w2: Matrix,
    /// [out].
    b2: Vec<f32>,
    /// [out, in]; none adds nothing.
    skip: Option<Matrix>,
}

/// Rows of one length, one after another.
#[derive(Debug, Clone, PartialEq)]
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Adapter {
    /// blake3 of its numbers: two that project the same have the same.
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

    /// Width of the embeddings it takes.
    pub fn takes(&self) -> usize {
        self.w1.columns
    }

    /// Width of the projections it gives.
    pub fn gives(&self) -> usize {
        self.w2.rows
    }

    /// Projects one vector, alone and in one fixed order, so that it has the same bits on every path; none where all
    /// of the result is 0 or a number overflowed, or the vector is another model's.
    pub fn project(&self, embedding: &Embedding) -> Option<Projection> {
        let x = embedding.0.to_f32();
        if x.len() != self.takes() {
            return None;
        }
        Unit::from_f32(&self.apply(&x)).map(Projection)
    }

    /// `S x + W2 relu(W1 x + b1) + b2` for as many numbers as it takes, not brought to length 1.
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
            for (value, straight) in y.iter_mut().zip(skip.times(x)) {
                *value += straight;
            }
        }
        y
    }
}

impl Matrix {
    fn times(&self, x: &[f32]) -> Vec<f32> {
        self.values.chunks_exact(self.columns).map(|row| crate::embedding::dot(row, x)).collect()
    }
}

/// What a dimension without an adapter makes of an embedding: itself.
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
    fn it_is_what_the_formula_says() {
        let mut adapter = Adapter {
            w1: matrix(2, 2, &[1.0, 0.0, 0.0, -1.0]),
            b1: vec![0.0, 0.0],
            w2: matrix(2, 2, &[2.0, 0.0, 0.0, 2.0]),
            b2: vec![0.0, 1.0],
            skip: None,
        };
        let x = Embedding(Unit::from_f32(&[0.6, 0.8]).expect("a direction"));
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
        let other = Embedding(Unit::from_f32(&[1.0, 0.0, 0.0]).expect("a direction"));
        assert_eq!(adapter.project(&other), None, "another model's width");
    }

    #[test]
    fn what_comes_to_nothing_is_no_projection() {
        let zero = matrix(1, 1, &[0.0]);
        let adapter = Adapter { w1: zero.clone(), b1: vec![0.0], w2: zero, b2: vec![0.0], skip: None };
        assert_eq!(adapter.project(&Embedding(Unit::from_f32(&[1.0]).expect("a direction"))), None);
    }
}
