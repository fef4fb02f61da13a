//! Fail points: named places where a test kills the process, as a crash would, or makes the next step fail, as a full
//! disk would.
//!
//! Does nothing unless patina was built with the feature `fail-points`.

use std::io;

/// A place that a test may choose by its name, with `PATINA_FAIL=NAME:kill` or `PATINA_FAIL=NAME:error`.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn point(_name: &str) -> io::Result<()> {
    Ok(())
}

/// A place that a test may choose by its name, with `PATINA_FAIL=NAME:kill` or `PATINA_FAIL=NAME:error`, or with
/// `PATINA_FAIL=NAME:until FILE` to wait there until a file is made. The file `PATINA_FAIL_SEEN` tells which were come by.
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

/// Whether a test wants a measurement to look ahead here, with `PATINA_LEAK=NAME`, to see that it would be noticed.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub const fn leaks(_name: &str) -> bool {
    false
}

/// Whether a test wants a measurement to look ahead here, with `PATINA_LEAK=NAME`, to see that it would be noticed.
#[cfg(feature = "fail-points")]
pub fn leaks(name: &str) -> bool {
    std::env::var("PATINA_LEAK").is_ok_and(|chosen| chosen == name)
}
