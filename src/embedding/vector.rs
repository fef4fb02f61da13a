//! Unit vectors in f16, and the one dot product by which everything is scored.
//!
//! Invariant: every vector is finite, so any two of a space can be compared.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

/// A vector of Euclidean length 1 in f16, as it is stored, searched and compared.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVector(Vec<f16>);

/// A base embedding: the model's vector of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(pub UnitVector);

/// A projection: an adapter's output, in another space than the base embedding and never compared with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection(pub UnitVector);

/// A matrix of f32 row vectors, row-major; a row of zeros stands for a missing vector.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VectorRows {
    /// Length of a row.
    pub width: usize,
    /// The rows, one after another.
    pub values: Vec<f32>,
}

/// Partial sums in a dot product; their number and order determine the bits of the result.
const LANES: usize = 16;

impl UnitVector {
    /// Scales to length 1 and rounds to f16; `None` if a number is not finite or all are 0.
    pub fn from_f32(values: &[f32]) -> Option<Self> {
        let length = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if !length.is_finite() || length == 0.0 {
            return None;
        }
        Some(UnitVector(values.iter().map(|value| f16::from_f64(f64::from(*value) / length)).collect()))
    }

    /// Reads stored bytes, little-endian f16; `None` if they are not `width` finite numbers.
    pub fn from_bytes(bytes: &[u8], width: usize) -> Option<Self> {
        if bytes.len() != width * 2 {
            return None;
        }
        let values: Vec<f16> = bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]])).collect();
        values.iter().all(|value| value.is_finite()).then_some(UnitVector(values))
    }

    /// Returns the bytes to store, little-endian f16.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Returns the bit patterns of the numbers, as USearch takes and returns them.
    pub fn to_bits(&self) -> Vec<i16> {
        self.0.iter().map(|value| value.to_bits().cast_signed()).collect()
    }

    /// Reads bit patterns; `None` if a number is not finite.
    pub fn from_bits(bits: &[i16]) -> Option<Self> {
        let values: Vec<f16> = bits.iter().map(|bits| f16::from_bits(bits.cast_unsigned())).collect();
        values.iter().all(|value| value.is_finite()).then_some(UnitVector(values))
    }

    /// Returns the length of the vector.
    pub fn width(&self) -> usize {
        self.0.len()
    }

    /// Widens to f32, exactly.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut wide = vec![0.0; self.0.len()];
        self.0.convert_to_f32_slice(&mut wide);
        wide
    }
}

impl VectorRows {
    /// Creates an empty matrix with rows of a length.
    pub fn new(width: usize) -> Self {
        VectorRows { width, values: Vec::new() }
    }

    /// Returns the number of rows.
    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or_default()
    }

    /// Returns a row; `None` if it is missing or all zeros.
    pub fn row(&self, index: u32) -> Option<&[f32]> {
        let start = index as usize * self.width;
        self.values.get(start..start + self.width).filter(|row| row.iter().any(|value| *value != 0.0))
    }

    /// Returns a row to write, growing the matrix with zeros if needed.
    pub fn row_mut(&mut self, index: u32) -> &mut [f32] {
        let start = index as usize * self.width;
        if self.values.len() < start + self.width {
            self.values.resize(start + self.width, 0.0);
        }
        &mut self.values[start..start + self.width]
    }
}

/// Returns the dot product of two vectors: the cosine similarity of unit vectors.
///
/// Summed in one fixed order, so the same two vectors give the same bits wherever they were stored. 0 if the lengths
/// differ.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    let mut sums = [0.0_f32; LANES];
    let (whole, rest) = a.split_at(a.len() - a.len() % LANES);
    for (a, b) in whole.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (a, b)) in rest.iter().zip(&b[whole.len()..]).enumerate() {
        sums[lane] += a * b;
    }
    sums.iter().sum()
}

/// Widens stored f16 bytes into a buffer, for scoring many of them; returns false if the lengths differ.
pub fn widen(bytes: &[u8], into: &mut [f32]) -> bool {
    if bytes.len() != into.len() * 2 {
        return false;
    }
    const AT_ONCE: usize = 64;
    let mut narrow = [f16::ZERO; AT_ONCE];
    for (bytes, into) in bytes.chunks(AT_ONCE * 2).zip(into.chunks_mut(AT_ONCE)) {
        let narrow = &mut narrow[..into.len()];
        for (value, pair) in narrow.iter_mut().zip(bytes.chunks_exact(2)) {
            *value = f16::from_le_bytes([pair[0], pair[1]]);
        }
        narrow.convert_to_f32_slice(into);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_vector_without_direction_is_rejected() {
        for bad in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0], &[]] {
            assert_eq!(UnitVector::from_f32(bad), None, "{bad:?}");
        }
        assert_eq!(UnitVector::from_bytes(&[0, 0x7c], 1), None, "an infinity was stored");
        assert_eq!(UnitVector::from_bytes(&[0, 0, 0], 1), None, "half a number is left over");
        assert!(UnitVector::from_f32(&[1e-30, 2e-30]).is_some(), "short, and a direction all the same");
    }

    proptest! {
        #[test]
        fn a_vector_survives_bytes_and_bits(values in prop::collection::vec(-1.0_f32..1.0, 1..200)) {
            prop_assume!(values.iter().any(|value| value.abs() > 1e-3));
            let unit = UnitVector::from_f32(&values).expect("a direction");
            prop_assert_eq!(UnitVector::from_bytes(&unit.to_bytes(), values.len()), Some(unit.clone()));
            prop_assert_eq!(UnitVector::from_bits(&unit.to_bits()), Some(unit.clone()));
            let mut wide = vec![0.0; values.len()];
            prop_assert!(widen(&unit.to_bytes(), &mut wide));
            prop_assert_eq!(&wide, &unit.to_f32());
            prop_assert!((dot(&wide, &wide) - 1.0).abs() < 2e-3);
        }
    }
}
