//! Speed and memory of reading agents' transcripts, with long and short lines. Prints megabytes per second and the peak
//! memory of the process.
//!
//! `cargo bench --bench transcripts -- [MEGABYTES]`

use std::time::Instant;

use patina::pipeline::peak_rss_bytes;
use patina::sessions::{TranscriptOptions, TranscriptReader, claude, codex};

type Opened = fn(TranscriptOptions) -> Box<dyn TranscriptReader>;

/// Sizes of tool outputs in bytes, in order: mostly short, occasionally a whole file or a picture.
const PRINTED: [usize; 8] = [200, 2_000, 700, 20_000, 1_500, 200_000, 4_000, 3_000_000];

const READERS: [(&str, Opened, &str); 2] = [
    ("claude", claude::reader, include_str!("../tests/fixtures/transcripts/claude-2.0.jsonl")),
    ("codex", codex::reader, include_str!("../tests/fixtures/transcripts/codex-0.146.jsonl")),
];

fn main() {
    let megabytes = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(500);
    for (name, open, fixture) in READERS {
        let mut reader = open(TranscriptOptions {
            prompts: true,
            tops: vec!["/home/mira/bakery".to_string()],
            ..TranscriptOptions::default()
        });
        let (mut bytes, mut round, mut seconds) = (0, 0_usize, 0.0);
        while bytes < megabytes << 20 {
            let printed = "crumbs and more crumbs, ".repeat(PRINTED[round % PRINTED.len()] / 24);
            // Each round is a different part of the session, with different lines and words.
            let text = fixture.replace("22222222-", &format!("{round:08}-")).replace("crumbs", &printed);
            let text = text.replace("valve", &format!("valve {round}")).replace("probe", &format!("probe {round}"));
            let begun = Instant::now();
            text.lines().for_each(|line| reader.line(line.as_bytes()));
            seconds += begun.elapsed().as_secs_f64();
            (bytes, round) = (bytes + text.len(), round + 1);
        }
        let reading = reader.finish();
        println!(
            "{name}: {} MB, {round} parts, {:.0} MB/s, {} entries, {} lines skipped, peak {} MB",
            bytes >> 20,
            (bytes >> 20) as f64 / seconds,
            reading.entries.len(),
            reading.skipped,
            peak_rss_bytes() >> 20
        );
    }
}
