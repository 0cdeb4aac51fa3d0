//! What clients upload.

/// The largest body that is taken, in bytes.
pub const LIMIT: u64 = 8 << 20;

#[derive(Debug, PartialEq)]
pub enum Refused {
    NoLength,
    TooLarge,
}

/// The room that a body needs, by its Content-Length.
pub fn room(content_length: Option<&str>) -> Result<usize, Refused> {
    let length: u64 = content_length.and_then(|text| text.parse().ok()).ok_or(Refused::NoLength)?;
    if length > LIMIT {
        return Err(Refused::TooLarge);
    }
    usize::try_from(length).map_err(|_| Refused::TooLarge)
}
