//! Fail points: named places where a test kills the process, as a crash would, or makes the next step fail, as a full
//! disk would.
//!
//! Does nothing unless patina was built with the feature `fail-points`.

use std::io;

/// A fail point. Does nothing in this build, which lacks the feature `fail-points`.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn point(_name: &str) -> io::Result<()> {
    Ok(())
}

/// A fail point, which a test activates through the environment.
///
/// `PATINA_FAIL=NAME:kill` kills the process at the point NAME, `NAME:error` returns an error, and `NAME:until FILE`
/// waits until FILE exists. The names of all points that are reached are appended to the file that `PATINA_FAIL_SEEN`
/// names.
#[cfg(feature = "fail-points")]
pub fn point(name: &str) -> io::Result<()> {
    if let Some(seen) = std::env::var_os("PATINA_FAIL_SEEN") {
        let mut seen = std::fs::File::options().append(true).create(true).open(seen)?;
        io::Write::write_all(&mut seen, format!("{name}\n").as_bytes())?;
    }
    let plan = std::env::var("PATINA_FAIL").unwrap_or_default();
    let Some((_, how)) = plan.split_once(':').filter(|(chosen, _)| *chosen == name) else { return Ok(()) };
    if let Some(file) = how.strip_prefix("until ") {
        while !std::path::Path::new(file).exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    if how == "kill" {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
    if how == "error" { Err(io::Error::other(format!("fail point {name}"))) } else { Ok(()) }
}

/// Returns whether to leak future data into an evaluation here (`PATINA_LEAK=NAME`), to test that leaks are noticed.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn leaks(_name: &str) -> bool {
    false
}

/// Returns whether to leak future data into an evaluation here (`PATINA_LEAK=NAME`), to test that leaks are noticed.
#[cfg(feature = "fail-points")]
pub fn leaks(name: &str) -> bool {
    std::env::var("PATINA_LEAK").is_ok_and(|chosen| chosen == name)
}
