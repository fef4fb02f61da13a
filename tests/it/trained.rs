//! Tests that other software reads a trained adapter: Python's safetensors and MLX project with it as patina does.
//! Without MLX that part is reported as skipped.

use std::path::Path;

use patina::adapter::{self, Adapter, Groups, TrainingSettings};
use patina::embedding::VectorRows;

use crate::support::{Random, figure, mlx, python};

/// The shape that the author of the six queries trains: two layers without a skip connection.
const WIDTH: usize = 768;
const HIDDEN: usize = 1024;
const OUT: usize = 256;
/// The number of vectors that every reader projects.
const SHOWN: usize = 5;

/// Returns unit vectors in eight clusters.
fn vectors() -> VectorRows {
    let random = &mut Random::new(3);
    let number = |random: &mut Random| random.below(2001) as f32 / 1000.0 - 1.0;
    let kinds: Vec<f32> = (0..8 * WIDTH).map(|_| number(random)).collect();
    let mut rows = VectorRows::new(WIDTH);
    for item in 0..160_u32 {
        let row = rows.row_mut(item);
        let kind = &kinds[item as usize % 8 * WIDTH..][..WIDTH];
        row.iter_mut().zip(kind).for_each(|(value, kind)| *value = kind + 2.0 * number(random));
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter_mut().for_each(|value| *value /= length);
    }
    rows
}

fn trained(rows: &VectorRows) -> Adapter {
    let groups = Groups::new(160, (0..8).map(|kind| ((0..16).map(|at| kind + 8 * at).collect(), 1.0)));
    let settings = TrainingSettings {
        hidden: HIDDEN,
        out: OUT,
        is_residual: false,
        steps: 6,
        validate_every: 2,
        batch: 32,
        ..TrainingSettings::default()
    };
    let mut validations = 0.0;
    let better = |_: &Adapter| {
        validations += 1.0;
        validations
    };
    adapter::train(rows, &groups, &settings, better, |_| true).expect("each validation is better").adapter
}

/// The part that all readers share: load the tensors, read the vectors from a text file, and apply the formula.
const NUMPY: &str = "
import sys, numpy
from safetensors import safe_open
from safetensors.numpy import load_file
with safe_open(sys.argv[1], 'numpy') as file: print(file.metadata()['model_sha256'], *sorted(file.keys()))
t = load_file(sys.argv[1])
for x in numpy.loadtxt(sys.argv[2], dtype='float32'):
    y = t['w2.weight'] @ numpy.maximum(t['w1.weight'] @ x + t['w1.bias'], 0) + t['w2.bias']
    print(*y)
";
const MLX: &str = "
import sys, mlx.core as mx
t, said = mx.load(sys.argv[1], return_metadata=True)
print(said['model_sha256'], *sorted(t.keys()))
for line in open(sys.argv[2]):
    x = mx.array([float(number) for number in line.split()])
    y = mx.maximum(x @ t['w1.weight'].T + t['w1.bias'], 0) @ t['w2.weight'].T + t['w2.bias']
    print(*y.tolist())
";

/// Compares a reader's output with patina's projections.
fn compare(reader: &str, said: &str, rows: &VectorRows, adapter: &Adapter) {
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("of-no-model w1.bias w1.weight w2.bias w2.weight"), "{reader}");
    let (mut most, mut compared) = (0.0_f32, 0);
    for (item, line) in (0..).zip(lines) {
        let theirs: Vec<f32> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
        let ours = adapter.apply(rows.row(item).expect("a vector"));
        assert_eq!(theirs.len(), OUT, "{reader}");
        assert!(ours.iter().any(|value| value.abs() > 1e-3), "{reader}: it projects to something");
        most = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(most, f32::max);
        compared += 1;
    }
    assert_eq!(compared, SHOWN, "{reader}");
    assert!(most < 1e-5, "{reader}: {most:e}");
    figure(&format!("a trained adapter of 768 -> 1024 -> 256 in {reader}: off by {most:.1e} at most"));
}

#[test]
fn an_adapter_trained_here_projects_the_same_in_python_and_mlx() {
    let rows = vectors();
    let adapter = trained(&rows);
    let bytes = adapter::bytes_of(&adapter, "of-no-model", &[("dimension", "temporal".to_string())]).expect("written");
    let read = adapter::parse(&bytes).expect("it loads");
    assert_eq!((&read, read.input_width(), read.output_width()), (&adapter, WIDTH, OUT));
    assert_eq!(trained(&rows), adapter, "the same again");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| -> String {
        let path: &Path = &folder.path().join(name);
        std::fs::write(path, bytes).expect("a file");
        path.display().to_string()
    };
    let line = |item| rows.row(item).expect("a vector").iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
    let shown: Vec<String> = (0..SHOWN as u32).map(line).collect();
    let arguments = [write("a.safetensors", &bytes), write("x.txt", shown.join("\n").as_bytes())];
    let arguments = arguments.each_ref().map(String::as_str);
    compare("numpy", &python(NUMPY, &arguments), &rows, &adapter);
    match mlx(MLX, &arguments) {
        Ok(said) => compare("MLX", &said, &rows, &adapter),
        Err(why) => figure(&format!("SKIPPED: a trained adapter in MLX: {why}")),
    }
}
