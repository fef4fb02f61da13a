//! Adapter files: `adapters/<dimension>.safetensors` with the F32 tensors `w1.weight`, `w1.bias`, `w2.weight`,
//! `w2.bias` and optionally `skip.weight`.
//!
//! Shapes are read from the tensors. Invariant: a file is used as a whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use safetensors::{Dtype, SafeTensors};

use super::{Adapter, Matrix};
use crate::embedding::ModelIdentity;

/// Largest file that is read, in bytes; the widest adapter that can be trained is a tenth of it.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Metadata key: the sha256 of the graph of the model whose embeddings it was trained on.
const MODEL: &str = "model_sha256";
/// Metadata key: blake3 over the bytes of all tensors in the order of their names, to detect damage.
const SUM: &str = "tensors_blake3";

/// The adapter of a dimension, or why there is none.
#[derive(Debug, Clone, Default)]
pub struct LoadedAdapter {
    /// The adapter and the blake3 of its file; `None` means that the base embedding is used as it is.
    pub adapter: Option<(Adapter, String)>,
    /// A note for the user: why a file is not used, or that it does not name the model it was trained on.
    pub note: Option<String>,
}

/// Returns the path of a dimension's adapter file.
pub fn path(folder: &Path, dimension: &str) -> PathBuf {
    folder.join(format!("{dimension}.safetensors"))
}

/// Loads a dimension's adapter; if its file cannot be used, the note says why and the base embedding serves.
pub fn find(folder: &Path, dimension: &str, identity: &ModelIdentity) -> LoadedAdapter {
    let path = path(folder, dimension);
    if !path.exists() {
        return LoadedAdapter::default();
    }
    match load(&path, identity) {
        Ok((adapter, hash, note)) => LoadedAdapter { adapter: Some((adapter, hash)), note },
        Err(error) => {
            let note = format!("{} is not used: {error:#}", path.display());
            LoadedAdapter { adapter: None, note: Some(note) }
        }
    }
}

/// Reads and verifies an adapter file; returns the adapter, the blake3 of the file, and a note for the user.
fn load(path: &Path, identity: &ModelIdentity) -> Result<(Adapter, String, Option<String>)> {
    let size = std::fs::metadata(path)?.len();
    ensure!(size <= MAX_FILE_BYTES, "it has {size} bytes, more than the limit of {MAX_FILE_BYTES}");
    let bytes = std::fs::read(path)?;
    let adapter = parse(&bytes)?;
    ensure!(
        adapter.input_width() == identity.width,
        "it expects embeddings of width {}, the model {} has width {}",
        adapter.input_width(),
        identity.id,
        identity.width
    );
    let (_, header) = SafeTensors::read_metadata(&bytes).context("reading its header")?;
    if let Some(sum) = header.metadata().as_ref().and_then(|metadata| metadata.get(SUM)) {
        ensure!(*sum == tensors_sum(&bytes)?, "it is damaged: its tensors do not match their checksum");
    }
    let model = header.metadata().as_ref().and_then(|metadata| metadata.get(MODEL));
    let note = match model {
        Some(model) => {
            ensure!(*model == identity.sha256, "it was trained on the embeddings of another model ({model})");
            None
        }
        None => Some(format!("{} does not name the model it was trained on ({MODEL})", path.display())),
    };
    Ok((adapter, blake3::hash(&bytes).to_hex().to_string(), note))
}

/// Parses an adapter from the bytes of its file.
///
/// # Errors
/// If a tensor is missing, is not F32, does not fit the others, or holds a number that is not finite.
pub fn parse(bytes: &[u8]) -> Result<Adapter> {
    let tensors = SafeTensors::deserialize(bytes).context("it is not a safetensors file")?;
    let w1 = matrix(&tensors, "w1.weight")?;
    let w2 = matrix(&tensors, "w2.weight")?;
    let skip = match tensors.names().contains(&"skip.weight") {
        true => Some(matrix(&tensors, "skip.weight")?),
        false => None,
    };
    ensure!(w2.columns == w1.rows, "w2.weight has {} columns, w1.weight has {} rows", w2.columns, w1.rows);
    if let Some(skip) = &skip {
        let (shape, expected) = ((skip.rows, skip.columns), (w2.rows, w1.columns));
        ensure!(shape == expected, "skip.weight has shape {shape:?}, expected {expected:?}");
    }
    let (b1, b2) = (vector(&tensors, "w1.bias", w1.rows)?, vector(&tensors, "w2.bias", w2.rows)?);
    Ok(Adapter { w1, b1, w2, b2, skip })
}

/// Serializes an adapter to the bytes of its file.
///
/// `model` is the sha256 of the model's graph, `metadata` says how the adapter was trained. The same adapter and
/// metadata give the same bytes.
pub fn bytes_of(adapter: &Adapter, model: &str, metadata: &[(&str, String)]) -> Result<Vec<u8>> {
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let matrix = |matrix: &Matrix| (vec![matrix.rows, matrix.columns], bytes(&matrix.values));
        let mut tensors = Vec::new();
        for (name, (shape, values)) in [("w1.weight", matrix(&adapter.w1)), ("w2.weight", matrix(&adapter.w2))] {
            tensors.push((name, shape, values));
        }
        for (name, values) in [("w1.bias", &adapter.b1), ("w2.bias", &adapter.b2)] {
            tensors.push((name, vec![values.len()], bytes(values)));
        }
        tensors.extend(adapter.skip.as_ref().map(matrix).map(|(shape, values)| ("skip.weight", shape, values)));
        tensors.sort_by_key(|(name, ..)| *name);
        tensors
    };
    let mut hasher = blake3::Hasher::new();
    for (_, _, values) in &tensors {
        hasher.update(values);
    }
    // Sorted, so that the same adapter gives the same bytes.
    let mut all_metadata: Vec<(String, String)> =
        vec![(MODEL.to_string(), model.to_string()), (SUM.to_string(), hasher.finalize().to_hex().to_string())];
    all_metadata.extend(metadata.iter().map(|(name, value)| ((*name).to_string(), value.clone())));
    all_metadata.sort();
    write_safetensors(&all_metadata, &tensors)
}

/// Writes a safetensors file: eight bytes of header length, a JSON header, the numbers.
///
/// The library keeps metadata in a hash map without a fixed order, so the header is written here.
fn write_safetensors(metadata: &[(String, String)], tensors: &[(&str, Vec<usize>, Vec<u8>)]) -> Result<Vec<u8>> {
    let quoted = |text: &str| serde_json::to_string(text);
    let mut parts = Vec::new();
    let entries = metadata.iter().map(|(name, value)| Ok(format!("{}:{}", quoted(name)?, quoted(value)?)));
    parts.push(format!("\"__metadata__\":{{{}}}", entries.collect::<Result<Vec<_>>>()?.join(",")));
    let mut start = 0;
    for (name, shape, values) in tensors {
        let (shape, end) = (serde_json::to_string(shape)?, start + values.len());
        let name = quoted(name)?;
        parts.push(format!("{name}:{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}"));
        start = end;
    }
    let mut header = format!("{{{}}}", parts.join(","));
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    tensors.iter().for_each(|(_, _, values)| bytes.extend_from_slice(values));
    Ok(bytes)
}

/// Returns the blake3 over the bytes of all tensors in the order of their names, in hexadecimal.
fn tensors_sum(bytes: &[u8]) -> Result<String> {
    let tensors = SafeTensors::deserialize(bytes).context("it is not a safetensors file")?;
    let mut names = tensors.names();
    names.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for name in names {
        hasher.update(tensors.tensor(name)?.data());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads a tensor with two axes.
fn matrix(tensors: &SafeTensors<'_>, name: &str) -> Result<Matrix> {
    let (shape, values) = floats(tensors, name)?;
    let [rows, columns] = shape[..] else { bail!("{name} has {} axes, expected 2", shape.len()) };
    ensure!(rows > 0 && columns > 0, "{name} is empty");
    Ok(Matrix { rows, columns, values })
}

/// Reads a tensor with one axis of a length.
fn vector(tensors: &SafeTensors<'_>, name: &str, length: usize) -> Result<Vec<f32>> {
    let (shape, values) = floats(tensors, name)?;
    ensure!(shape == [length], "{name} has shape {shape:?}, expected [{length}]");
    Ok(values)
}

/// Reads the shape and the numbers of an F32 tensor.
fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
    let tensor = tensors.tensor(name).with_context(|| format!("the tensor {name} is missing"))?;
    ensure!(tensor.dtype() == Dtype::F32, "{name} is {:?}, expected F32", tensor.dtype());
    let values: Vec<f32> = tensor
        .data()
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("chunks of four")))
        .collect();
    ensure!(values.iter().all(|value| value.is_finite()), "{name} holds a number that is not finite");
    Ok((tensor.shape().to_vec(), values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use safetensors::tensor::TensorView;

    /// Returns a file of tensors, each given by its shape and the one value of all its elements.
    fn file(tensors: &[(&str, &[usize], f32)]) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|(_, shape, value)| value.to_le_bytes().repeat(shape.iter().product())).collect();
        let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
            (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("it fits"))
        });
        safetensors::serialize(views, None).expect("it serializes")
    }

    #[test]
    fn what_is_written_is_what_is_read_and_the_same_each_time() {
        let adapter = parse(&file(&GOOD)).expect("reads");
        let metadata = [("dimension", "temporal".to_string()), ("seed", "1".to_string())];
        let bytes = bytes_of(&adapter, "abc", &metadata).expect("writes");
        assert_eq!(parse(&bytes).expect("reads"), adapter);
        assert_eq!(bytes, bytes_of(&adapter, "abc", &metadata).expect("writes"));
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a header");
        let written = header.metadata().clone().expect("metadata");
        assert_eq!((written[MODEL].as_str(), written["dimension"].as_str()), ("abc", "temporal"));
        assert_eq!(written[SUM], tensors_sum(&bytes).expect("a sum"));
    }

    const GOOD: [(&str, &[usize], f32); 5] = [
        ("w1.weight", &[3, 4], 0.1),
        ("w1.bias", &[3], 0.1),
        ("w2.weight", &[2, 3], 0.1),
        ("w2.bias", &[2], 0.1),
        ("skip.weight", &[2, 4], 0.1),
    ];

    #[test]
    fn shapes_are_read_from_the_tensors() {
        let adapter = parse(&file(&GOOD)).expect("reads");
        assert_eq!((adapter.input_width(), adapter.output_width(), adapter.skip.is_some()), (4, 2, true));
        let without = parse(&file(&GOOD[..4])).expect("reads");
        assert!(without.skip.is_none(), "a file of w1 and w2 alone loads");
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let check = |at: usize, shape: &'static [usize], value: f32, word: &str| {
            let mut tensors = GOOD;
            tensors[at] = (tensors[at].0, shape, value);
            let error = format!("{:#}", parse(&file(&tensors)).expect_err(word));
            assert!(error.contains(word), "{error}");
        };
        check(0, &[5, 4], 0.1, "w2.weight has 3 columns");
        check(1, &[4], 0.1, "w1.bias");
        check(2, &[2, 3, 1], 0.1, "3 axes");
        check(3, &[2], f32::NAN, "w2.bias holds");
        check(4, &[2, 5], 0.1, "skip.weight");
        let missing = parse(&file(&GOOD[1..])).expect_err("no w1.weight");
        assert!(format!("{missing:#}").contains("w1.weight is missing"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(at in 0_usize..400, value: u8, cut in 0_usize..400) {
            let mut bytes = file(&GOOD);
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = parse(&bytes);
            bytes.truncate(cut);
            let _ = parse(&bytes);
        }
    }
}
