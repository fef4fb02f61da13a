//! One event as it is stored, and the decoding of its data.

use anyhow::{Context as _, Result, anyhow};

use crate::event::Seq;
use crate::facts::{Body, CommitData, EntryData, SessionData};

/// One event as it is stored, not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Position in the log.
    pub seq: Seq,
    /// Event type: `git.commit`, `code.function`, ...
    pub event_type: String,
    /// Data as one JSON object.
    pub data: String,
}

impl StoredEvent {
    /// Decodes the data; `None` if it was erased.
    pub fn body(&self) -> Result<Option<Body<'_>>> {
        Body::decode(&self.event_type, &self.data).with_context(|| format!("event {} cannot be read", self.seq))
    }

    /// Decodes the data of a commit.
    ///
    /// # Errors
    /// If the event is not a commit, or was erased.
    pub fn commit(&self) -> Result<CommitData<'_>> {
        match self.body()? {
            Some(Body::Commit(data)) => Ok(data),
            _ => Err(self.is_no("commit")),
        }
    }

    /// Decodes the metadata of a session.
    ///
    /// # Errors
    /// If the event is not a `session.read`, or was erased.
    pub fn session(&self) -> Result<SessionData> {
        match self.body()? {
            Some(Body::SessionRead(data)) => Ok(data),
            _ => Err(self.is_no("reading of a session")),
        }
    }

    /// Decodes an entry of a session.
    ///
    /// # Errors
    /// If the event is not a session entry, or was erased.
    pub fn entry(&self) -> Result<EntryData> {
        match self.body()? {
            Some(Body::Entry(data)) => Ok(data),
            _ => Err(self.is_no("entry of a session")),
        }
    }

    fn is_no(&self, what: &str) -> anyhow::Error {
        anyhow!("event {} of type `{}` is no {what}", self.seq, self.event_type)
    }
}
