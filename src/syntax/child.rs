//! Runs tree-sitter in a child process that can be stopped.
//!
//! A grammar has no timeout of its own, and some inputs take minutes or overflow the stack; here they only cost the
//! child. Invariant: the parent parses nothing.
//!
//! A frame is its length (u32, little endian) and as many bytes. A request is one byte for the language and the source;
//! an answer is one byte, 0 for a `Parsed` as JSON and 1 for an error message.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, rlim_t, setrlimit};

use super::language::Language;
use super::parsed::Parsed;

/// The hidden subcommand that makes the program a child.
const SUBCOMMAND: &str = "syntax-child";

/// CPU time limit for a source of any size; a typical one takes a few milliseconds.
///
/// CPU time, because on a busy machine wall time says nothing about the source, and the outcome is stored.
const TIMEOUT_BASE: Duration = Duration::from_secs(2);

/// Additional CPU time limit per MiB of source; a typical one takes a fifth of a second.
const TIMEOUT_PER_MIB: Duration = Duration::from_secs(2);

/// Factor of wall time over CPU time after which a child is assumed to hang.
const WALL_TIME_FACTOR: u32 = 60;

/// Interval at which a child checks its CPU time.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Memory limit of the child in bytes. A tree takes some fifty times the size of its source.
const MAX_MEMORY: rlim_t = 2 << 30;

/// Address space for the parsing thread's stack, in bytes; pages are only taken when used.
const STACK_SIZE: usize = 256 << 20;

/// Deepest nesting of brackets that is parsed. Nobody writes deeper source, and parsing time grows with the square of
/// the depth.
const MAX_NESTING: usize = 2000;

/// Largest answer in bytes: it is bounded by a few times the source.
const MAX_FRAME: u32 = 256 << 20;

/// The outcome of parsing one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseOutcome {
    /// It was parsed.
    Parsed(Parsed),
    /// It could not be parsed, and why; the same bytes would fail again.
    Failed(String),
    /// No process could be started, which has nothing to do with the source.
    Unavailable(String),
}

/// Handle of a child process, which is started when it is first needed and again after it was lost.
#[derive(Debug)]
pub struct Child {
    program: PathBuf,
    running: Option<Running>,
}

/// A running process and the thread that talks to it.
///
/// One thread writes and reads, so that neither a full pipe nor a silent child can block the caller, who waits on a
/// channel with a timeout.
#[derive(Debug)]
struct Running {
    process: std::process::Child,
    requests: Sender<Vec<u8>>,
    answers: Receiver<io::Result<Vec<u8>>>,
    /// Whether it has answered before.
    is_proven: bool,
}

/// Why there was no answer.
enum NoAnswer {
    /// It took too long.
    Late,
    /// The process ended or sent an invalid frame.
    Gone,
}

impl Child {
    /// Creates a handle for `program`, which must have the hidden subcommand. No process is started yet.
    pub fn new(program: &Path) -> Child {
        Child { program: program.to_owned(), running: None }
    }

    /// Parses one source.
    ///
    /// A child that died while idle is replaced silently; one that dies over this source, or takes too long, is a
    /// failure of this source.
    pub fn parse(&mut self, language: Language, source: &[u8]) -> ParseOutcome {
        let limit = timeout(source.len()) * WALL_TIME_FACTOR;
        let mut request = Vec::with_capacity(source.len() + 5);
        let Ok(length) = u32::try_from(source.len() + 1) else { return ParseOutcome::Failed("too large".to_owned()) };
        request.extend_from_slice(&length.to_le_bytes());
        request.push(language as u8);
        request.extend_from_slice(source);
        loop {
            if self.running.is_none() {
                match start(&self.program) {
                    Ok(running) => self.running = Some(running),
                    Err(error) => return ParseOutcome::Unavailable(format!("{error:#}")),
                }
            }
            let was_proven = self.running.as_ref().is_some_and(|running| running.is_proven);
            match self.ask(request.clone(), limit) {
                Ok(answer) => return outcome(&answer),
                Err(error) => {
                    self.stop();
                    match error.downcast_ref::<Late>() {
                        Some(_) => return ParseOutcome::Failed(format!("no answer for {} s", limit.as_secs())),
                        None if was_proven => {}
                        None => return ParseOutcome::Failed(format!("{error:#}")),
                    }
                }
            }
        }
    }

    /// Sends a request to a running child and returns the answer.
    fn ask(&mut self, request: Vec<u8>, limit: Duration) -> Result<Vec<u8>> {
        let running = match &mut self.running {
            Some(running) => running,
            None => self.running.insert(start(&self.program)?),
        };
        match running.exchange(request, limit) {
            Ok(answer) => {
                running.is_proven = true;
                Ok(answer)
            }
            Err(NoAnswer::Late) => Err(Late.into()),
            Err(NoAnswer::Gone) => bail!("the parsing process ended"),
        }
    }

    /// Ends the process, if there is one.
    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended already.
            let _ = running.process.kill();
            let _ = running.process.wait();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The error for a child that took too long.
#[derive(Debug)]
struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("took too long")
    }
}

impl std::error::Error for Late {}

impl Running {
    /// Sends a request and waits for the answer.
    fn exchange(&mut self, request: Vec<u8>, limit: Duration) -> Result<Vec<u8>, NoAnswer> {
        self.requests.send(request).map_err(|_| NoAnswer::Gone)?;
        match self.answers.recv_timeout(limit) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(NoAnswer::Gone),
            Err(RecvTimeoutError::Timeout) => Err(NoAnswer::Late),
        }
    }
}

/// Returns the CPU time limit for a source of this size.
fn timeout(bytes: usize) -> Duration {
    TIMEOUT_BASE + TIMEOUT_PER_MIB.mul_f64(bytes as f64 / f64::from(1 << 20))
}

/// Starts a child and its thread.
fn start(program: &Path) -> Result<Running> {
    let mut process = Command::new(program)
        .arg(SUBCOMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut input = process.stdin.take().expect("stdin was asked for as a pipe");
    let mut output = BufReader::new(process.stdout.take().expect("stdout was asked for as a pipe"));
    let (requests, to_send) = mpsc::channel::<Vec<u8>>();
    let (received, answers) = mpsc::channel();
    let talk = move || {
        for request in to_send {
            // Rust programs ignore SIGPIPE, so a write to a dead child returns an error here.
            let answer = input.write_all(&request).and_then(|()| read_frame(&mut output));
            let answer = answer.and_then(|frame| frame.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()));
            let failed = answer.is_err();
            if received.send(answer).is_err() || failed {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("syntax-child".to_owned()).spawn(talk) {
        let _ = process.kill();
        let _ = process.wait();
        return Err(error).context("starting a thread");
    }
    Ok(Running { process, requests, answers, is_proven: false })
}

/// Decodes an answer.
fn outcome(answer: &[u8]) -> ParseOutcome {
    match answer.split_first() {
        Some((0, json)) => match serde_json::from_slice(json) {
            Ok(parsed) => ParseOutcome::Parsed(parsed),
            Err(error) => ParseOutcome::Failed(format!("an answer that cannot be read: {error}")),
        },
        Some((_, message)) => ParseOutcome::Failed(String::from_utf8_lossy(message).into_owned()),
        None => ParseOutcome::Failed("an empty answer".to_owned()),
    }
}

/// Reads a frame; `None` at the end of input between two frames.
fn read_frame(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let first = loop {
        match input.read(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if first == 0 {
        return Ok(None);
    }
    input.read_exact(&mut length[first..])?;
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame too long"));
    }
    let mut frame = Vec::new();
    let read = input.take(u64::from(length)).read_to_end(&mut frame)?;
    if read < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(frame))
}

/// Main function of the child: sets limits, then answers requests until its input ends.
///
/// If a parse takes too much time, the child answers so and exits, because a thread cannot be stopped.
pub fn serve(input: impl Read, output: impl Write) -> Result<()> {
    limit(Resource::RLIMIT_AS, MAX_MEMORY);
    limit(Resource::RLIMIT_CORE, 0);
    answer_all(input, output)
}

/// Lowers a resource limit. If the system refuses, the timeout still protects.
fn limit(resource: Resource, to: rlim_t) {
    if let Ok((_, hard)) = getrlimit(resource) {
        let _ = setrlimit(resource, to.min(hard), to.min(hard));
    }
}

/// Answers requests until the input ends.
fn answer_all(input: impl Read, output: impl Write) -> Result<()> {
    let mut input = BufReader::new(input);
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let (requests, to_parse) = mpsc::channel::<Vec<u8>>();
    let (done, answers) = mpsc::channel::<Vec<u8>>();
    thread::Builder::new()
        .name("parse".to_owned())
        .stack_size(STACK_SIZE)
        .spawn(move || {
            for request in to_parse {
                if done.send(answer(&request)).is_err() {
                    return;
                }
            }
        })
        .context("starting the parsing thread")?;
    while let Some(request) = read_frame(&mut input).context("reading a request")? {
        let (limit, began) = (timeout(request.len()), processor_time());
        requests.send(request).context("the parsing thread ended")?;
        let answer = loop {
            match answers.recv_timeout(CHECK_INTERVAL) {
                Ok(answer) => break answer,
                Err(RecvTimeoutError::Timeout) if processor_time().saturating_sub(began) > limit => {
                    let late = format!("took longer than {} ms", limit.as_millis());
                    write_frame(&mut output, &[&[1], late.as_bytes()].concat())?;
                    std::process::exit(1);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the parsing thread ended"),
            }
        };
        write_frame(&mut output, &answer)?;
    }
    Ok(())
}

/// Writes a frame.
fn write_frame(output: &mut impl Write, frame: &[u8]) -> Result<()> {
    let length = u32::try_from(frame.len()).context("an answer too long")?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(frame)?;
    output.flush().context("writing an answer")
}

/// Returns the CPU time of this process.
fn processor_time() -> Duration {
    let of = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), u32::try_from(time.tv_usec()).unwrap_or(0) * 1000)
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(Duration::ZERO, |usage| of(usage.user_time()) + of(usage.system_time()))
}

/// Answers one request.
fn answer(request: &[u8]) -> Vec<u8> {
    let parsed = catch_unwind(AssertUnwindSafe(|| parse(request))).unwrap_or_else(|_| bail!("the parser panicked"));
    let json = parsed.and_then(|parsed| serde_json::to_vec(&parsed).context("writing JSON"));
    match json {
        Ok(mut json) => {
            json.insert(0, 0);
            json
        }
        Err(error) => [&[1], format!("{error:#}").as_bytes()].concat(),
    }
}

/// Decodes and parses one request.
fn parse(request: &[u8]) -> Result<Parsed> {
    let (language, source) = request.split_first().context("an empty request")?;
    let language = Language::ALL.get(usize::from(*language)).context("an unknown language")?;
    if nesting(source) > MAX_NESTING {
        bail!("nested too deep");
    }
    super::parse(*language, source)
}

/// Returns an upper bound on the nesting of brackets; brackets in strings and comments count, too.
fn nesting(source: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in source {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(requests: &[(u8, &[u8])]) -> Vec<ParseOutcome> {
        let mut input = Vec::new();
        for (language, source) in requests {
            input.extend_from_slice(&u32::try_from(source.len() + 1).expect("small").to_le_bytes());
            input.push(*language);
            input.extend_from_slice(source);
        }
        let mut output = Vec::new();
        answer_all(&input[..], &mut output).expect("requests are whole");
        let mut output = &output[..];
        let frames = std::iter::from_fn(|| read_frame(&mut output).expect("whole frames"));
        frames.map(|frame| outcome(&frame)).collect()
    }

    #[test]
    fn each_request_has_its_answer_in_turn() {
        let outcomes =
            ask(&[(Language::Rust as u8, b"fn a() {}"), (200, b"x"), (Language::Python as u8, b"def b(): pass")]);
        let names: Vec<String> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                ParseOutcome::Parsed(parsed) => parsed.definitions[0].name.clone(),
                ParseOutcome::Failed(message) | ParseOutcome::Unavailable(message) => message,
            })
            .collect();
        assert_eq!(names, ["a", "an unknown language", "b"]);
    }

    #[test]
    fn brackets_that_nest_too_deep_are_not_parsed() {
        let deep = "(".repeat(200_000);
        let outcomes = ask(&[(Language::Rust as u8, deep.as_bytes())]);
        assert_eq!(outcomes, [ParseOutcome::Failed("nested too deep".to_owned())]);
    }

    #[test]
    fn a_frame_cut_short_is_an_error() {
        assert!(answer_all(&[9, 0, 0, 0, 1][..], Vec::new()).is_err());
        assert!(answer_all(&[9, 0][..], Vec::new()).is_err());
        assert!(answer_all(&[0xff, 0xff, 0xff, 0xff][..], Vec::new()).is_err());
    }

    #[test]
    fn a_busy_machine_says_nothing_about_a_source() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        let (written, program) = (dir.path().join("written"), dir.path().join("sleeper"));
        // Sleeps longer in wall time than the CPU time limit, while using hardly any CPU time.
        let script = "#!/bin/sh\nsleep 2.2\nprintf '\\005\\000\\000\\000\\001slow'\n";
        std::fs::write(&written, script).expect("a script");
        std::fs::set_permissions(&written, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        // Copied by another process: children of other tests could inherit a handle open for writing (`ETXTBSY`).
        assert!(Command::new("cp").arg("-p").args([&written, &program]).status().expect("it copies").success());
        let outcome = Child::new(&program).parse(Language::Rust, b"fn a() {}");
        assert_eq!(outcome, ParseOutcome::Failed("slow".to_owned()));
    }

    #[test]
    fn a_larger_source_may_take_longer() {
        assert_eq!(timeout(0), Duration::from_secs(2));
        assert_eq!(timeout(1 << 20), Duration::from_secs(4));
    }
}
