//! Embeds a stream of texts with one session per core and a short queue.
//!
//! Results are handed on as they come; the sessions end when the queue is empty.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use anyhow::Result;

use super::model::Setup;
use super::vector::Embedding;

/// Most texts in flight.
const WAITING: usize = 64;
/// Texts per session from which loading another session pays off.
const TEXTS_PER_SESSION: usize = 12;

/// The result for one text.
pub struct EmbedResult<K> {
    /// The caller's key of the text.
    pub key: K,
    /// Its embedding; `None` if the model produced no usable vector.
    pub embedding: Option<Embedding>,
}

/// Embeds texts. `take` receives each result on the calling thread, in any order.
///
/// Ends early, and without an error, when `stop` is set or `take` returns false. `expected` is the approximate number
/// of texts.
pub fn embed_all<K: Send>(
    setup: &Setup,
    expected: usize,
    most_sessions: usize,
    stop: &AtomicBool,
    texts: impl Iterator<Item = Result<(K, String)>>,
    mut take: impl FnMut(EmbedResult<K>) -> Result<bool>,
) -> Result<()> {
    if expected == 0 {
        return Ok(());
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sessions = cores.min(most_sessions).min(expected.div_ceil(TEXTS_PER_SESSION)).max(1);
    let ended = AtomicBool::new(false);
    let (send_text, receive_text) = mpsc::sync_channel::<(K, String)>(WAITING);
    let receive_text = Mutex::new(receive_text);
    std::thread::scope(|scope| -> Result<()> {
        let (send_found, receive_found) = mpsc::channel::<Result<EmbedResult<K>>>();
        let (receive_text, ended) = (&receive_text, &ended);
        let work = move |send_found: mpsc::Sender<Result<EmbedResult<K>>>| {
            let mut model = match setup.load(expected < TEXTS_PER_SESSION) {
                Ok(model) => model,
                Err(error) => {
                    let _ = send_found.send(Err(error));
                    return;
                }
            };
            loop {
                let next = receive_text.lock().ok().and_then(|queue| queue.recv().ok());
                let Some((key, text)) = next else { return };
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let found = model.embed(&text).map(|embedding| EmbedResult { key, embedding });
                if send_found.send(found).is_err() {
                    return;
                }
            }
        };
        for _ in 0..sessions {
            let send_found = send_found.clone();
            scope.spawn(move || work(send_found));
        }
        drop(send_found);
        // Read only a little ahead of the sessions: the texts come from a database.
        let mut texts = texts.fuse();
        let mut in_flight = 0_usize;
        let mut send_text = Some(send_text);
        let result = loop {
            while in_flight < WAITING && send_text.is_some() {
                if stop.load(Ordering::Relaxed) {
                    send_text = None;
                    break;
                }
                match texts.next() {
                    Some(Ok(text)) => {
                        let sent = send_text.as_ref().is_some_and(|queue| queue.send(text).is_ok());
                        if !sent {
                            send_text = None;
                        }
                        in_flight += 1;
                    }
                    Some(Err(error)) => return finish(ended, send_text, Err(error)),
                    None => send_text = None,
                }
            }
            let Ok(found) = receive_found.recv() else { break Ok(()) };
            in_flight -= 1;
            match found.and_then(&mut take) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        finish(ended, send_text, result)
    })
}

/// Ends the sessions: sends no more texts and drops those that wait.
fn finish<T>(ended: &AtomicBool, send_text: Option<mpsc::SyncSender<T>>, result: Result<()>) -> Result<()> {
    ended.store(true, Ordering::Relaxed);
    drop(send_text);
    result
}
