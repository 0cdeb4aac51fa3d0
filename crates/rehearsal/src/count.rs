//! Tokens of a rehearsal, counted from what is really sent: four bytes of JSON are one, rounded up per part.
//!
//! The parts of a request are its tools with its instructions, and each message. The cache is the provider's in small:
//! a prefix that an earlier request marked is read, what follows up to the last mark is written, the rest is uncached.
//! Unlike the provider's it keeps everything until the rehearsal stops, and has no least size.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

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
    /// Output tokens.
    pub output: u64,
}

/// The input tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input {
    pub uncached: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
}

/// The prefixes that earlier requests marked.
#[derive(Debug, Default)]
pub(crate) struct Cache(HashSet<u64>);

impl Cache {
    /// Counts `request` and remembers the prefixes that it marks.
    pub fn count(&mut self, request: &Value) -> Input {
        let mut hasher = DefaultHasher::new();
        let (mut total, mut read, mut marked) = (0, 0, 0);
        let mut marks = Vec::new();
        for part in parts(request) {
            let (part, is_marked) = unmarked(part);
            part.to_string().hash(&mut hasher);
            total += tokens(&part);
            if self.0.contains(&hasher.finish()) {
                read = total;
            }
            if is_marked {
                marked = total;
                marks.push(hasher.finish());
            }
        }
        self.0.extend(marks);
        let read = read.min(marked);
        Input { uncached: total - marked, cache_read: read, cache_write_5m: marked - read }
    }
}

/// About how many tokens `value` has as JSON; at least one.
pub(crate) fn tokens(value: &Value) -> u64 {
    (value.to_string().len() as u64).div_ceil(4)
}

fn parts(request: &Value) -> Vec<Value> {
    let stable = json!([request["model"], request["tools"], request["system"]]);
    let messages = request["messages"].as_array().into_iter().flatten().cloned();
    std::iter::once(stable).chain(messages).collect()
}

/// The part without its marks, and whether it had one. A mark's place is no part of a prefix.
fn unmarked(mut part: Value) -> (Value, bool) {
    let mut found = false;
    let lists = match &mut part {
        Value::Array(stable) => stable.iter_mut().collect::<Vec<_>>(),
        message => message.get_mut("content").into_iter().collect(),
    };
    for block in lists.into_iter().filter_map(Value::as_array_mut).flatten() {
        found |= block.as_object_mut().is_some_and(|block| block.shift_remove("cache_control").is_some());
    }
    (part, found)
}
