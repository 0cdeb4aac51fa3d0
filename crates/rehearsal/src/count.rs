//! Tokens of a rehearsal, counted from what is really sent: four bytes of JSON are one, rounded up per part.
//!
//! The parts of a request are what stands before the conversation (tools, instructions), and each message or item. The cache is the
//! provider's in small. Anthropic's: a prefix that an earlier request marked is read, what follows up to the last
//! mark is written, the rest is uncached. That of a provider that caches by itself: the longest prefix that was sent before is read, and
//! nothing is charged as written. Unlike a provider's it keeps everything until the rehearsal stops, and has no least size.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::protocol::{Part, Protocol};

/// The tokens of an answer. But for `reasoning`, which is a part of `output`, no token is counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Input tokens that no cache answered and none stored.
    pub uncached: u64,
    /// Input tokens read from the cache.
    pub cache_read: u64,
    /// Input tokens written to the cache of five minutes.
    pub cache_write_5m: u64,
    /// Output tokens, thoughts included.
    pub output: u64,
    /// Those of the output that were thoughts, where the protocol says so.
    pub reasoning: u64,
}

impl Count {
    /// All input.
    pub(crate) fn input(&self) -> u64 {
        self.uncached + self.cache_read + self.cache_write_5m
    }
}

impl Served {
    pub(crate) fn add(&mut self, count: &Count) {
        self.requests += 1;
        self.uncached += count.uncached;
        self.cache_read += count.cache_read;
        self.cache_write_5m += count.cache_write_5m;
        self.output += count.output;
        self.reasoning += count.reasoning;
    }
}

/// What a rehearsal has served since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that were refused. They cost nothing.
    pub refused: u64,
    /// Input tokens that no cache answered and none stored.
    pub uncached: u64,
    /// Input tokens read from the cache.
    pub cache_read: u64,
    /// Input tokens written to the cache of five minutes.
    pub cache_write_5m: u64,
    /// Output tokens, thoughts included.
    pub output: u64,
    /// Those of the output that were thoughts, where the protocol says so.
    pub reasoning: u64,
}

/// One answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The name of the script that it is from.
    pub script: String,
    /// The protocol in which it was asked for.
    pub protocol: Protocol,
    /// The model that was asked.
    pub asked: String,
    /// What it counted.
    pub count: Count,
}

/// The prefixes that earlier requests left in the cache.
#[derive(Debug, Default)]
pub(crate) struct Cache(HashSet<u64>);

impl Cache {
    /// Counts the input in `parts` and remembers its prefixes. The output is none yet.
    pub fn count(&mut self, parts: &[Part]) -> Count {
        let mut hasher = DefaultHasher::new();
        let (mut total, mut read, mut marked) = (0, 0, 0);
        let mut left = Vec::new();
        let by_itself = parts.iter().all(|part| part.marked.is_none());
        for part in parts {
            part.value.to_string().hash(&mut hasher);
            total += tokens(&part.value);
            if self.0.contains(&hasher.finish()) {
                read = total;
            }
            if part.marked != Some(false) {
                marked = total;
                left.push(hasher.finish());
            }
        }
        self.0.extend(left);
        let read = read.min(marked);
        match by_itself {
            true => Count { uncached: total - read, cache_read: read, ..Count::default() },
            false => {
                let cache_write_5m = marked - read;
                Count { uncached: total - marked, cache_read: read, cache_write_5m, ..Count::default() }
            }
        }
    }
}

/// About how many tokens `value` has as JSON; at least one.
pub(crate) fn tokens(value: &Value) -> u64 {
    (value.to_string().len() as u64).div_ceil(4)
}
