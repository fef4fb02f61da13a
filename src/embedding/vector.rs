//! Vectors of length 1 as half floats, and the one dot product by which everything is scored. Refuses numbers that
//! are not finite: whatever is built here can be compared.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

/// A vector of length 1, in f16: what is stored, searched and compared, always the same bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit(Vec<f16>);

/// A text as the model sees it: the base vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(pub Unit);

/// What a dimension makes of an embedding: another space, never compared with the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection(pub Unit);

/// Vectors as single floats, one after another; one that is all 0 stands for none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Numbers a vector.
    pub width: usize,
    /// One vector after another.
    pub values: Vec<f32>,
}

/// Sums kept side by side in a dot product. Their number and order are part of the result's bits.
const LANES: usize = 16;

impl Unit {
    /// Scales to length 1 and rounds to f16; none where a number is not finite or all of them are 0.
    pub fn from_f32(values: &[f32]) -> Option<Self> {
        let length = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if !length.is_finite() || length == 0.0 {
            return None;
        }
        Some(Unit(values.iter().map(|value| f16::from_f64(f64::from(*value) / length)).collect()))
    }

    /// Reads stored bytes, two a number, little-endian; none where they do not hold `width` finite numbers.
    pub fn from_bytes(bytes: &[u8], width: usize) -> Option<Self> {
        if bytes.len() != width * 2 {
            return None;
        }
        let values: Vec<f16> = bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]])).collect();
        values.iter().all(|value| value.is_finite()).then_some(Unit(values))
    }

    /// The bytes that are stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The bit patterns of the numbers, as USearch takes and gives them.
    pub fn to_bits(&self) -> Vec<i16> {
        self.0.iter().map(|value| value.to_bits().cast_signed()).collect()
    }

    /// From bit patterns.
    pub fn from_bits(bits: &[i16]) -> Option<Self> {
        let values: Vec<f16> = bits.iter().map(|bits| f16::from_bits(bits.cast_unsigned())).collect();
        values.iter().all(|value| value.is_finite()).then_some(Unit(values))
    }

    /// How many numbers.
    pub fn width(&self) -> usize {
        self.0.len()
    }

    /// As single floats, exactly.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut wide = vec![0.0; self.0.len()];
        self.0.convert_to_f32_slice(&mut wide);
        wide
    }
}

impl Rows {
    /// Of a width, none yet.
    pub fn new(width: usize) -> Self {
        Rows { width, values: Vec::new() }
    }

    /// How many there is room for.
    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or_default()
    }

    /// The vector at a place; none where there is none.
    pub fn row(&self, place: u32) -> Option<&[f32]> {
        let start = place as usize * self.width;
        self.values.get(start..start + self.width).filter(|row| row.iter().any(|value| *value != 0.0))
    }

    /// The numbers at a place, with room made for them.
    pub fn row_mut(&mut self, place: u32) -> &mut [f32] {
        let start = place as usize * self.width;
        if self.values.len() < start + self.width {
            self.values.resize(start + self.width, 0.0);
        }
        &mut self.values[start..start + self.width]
    }
}

/// The cosine of two vectors of length 1, both widened to single floats. Summed in one fixed order, so that the same
/// two vectors give the same bits wherever they were stored. Vectors of different width have nothing in common: 0.
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

/// Widens stored bytes into a buffer of the same width, for scoring many of them; false where the length differs.
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
    fn what_is_no_direction_is_no_vector() {
        for bad in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0], &[]] {
            assert_eq!(Unit::from_f32(bad), None, "{bad:?}");
        }
        assert_eq!(Unit::from_bytes(&[0, 0x7c], 1), None, "an infinity was stored");
        assert_eq!(Unit::from_bytes(&[0, 0, 0], 1), None, "half a number is left over");
        assert!(Unit::from_f32(&[1e-30, 2e-30]).is_some(), "short, and a direction all the same");
    }

    proptest! {
        #[test]
        fn a_vector_survives_bytes_and_bits(values in prop::collection::vec(-1.0_f32..1.0, 1..200)) {
            prop_assume!(values.iter().any(|value| value.abs() > 1e-3));
            let unit = Unit::from_f32(&values).expect("a direction");
            prop_assert_eq!(Unit::from_bytes(&unit.to_bytes(), values.len()), Some(unit.clone()));
            prop_assert_eq!(Unit::from_bits(&unit.to_bits()), Some(unit.clone()));
            let mut wide = vec![0.0; values.len()];
            prop_assert!(widen(&unit.to_bytes(), &mut wide));
            prop_assert_eq!(&wide, &unit.to_f32());
            prop_assert!((dot(&wide, &wide) - 1.0).abs() < 2e-3);
        }
    }
}
