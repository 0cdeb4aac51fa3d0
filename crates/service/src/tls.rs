//! TLS for every client of the program: rustls with the *ring* provider, which needs no C++ or assembler to build.

/// Makes *ring* the process's provider. Call it before the first TLS client is built; calling it again does nothing,
/// and neither does it where the program has chosen another provider already.
pub fn install_default() {
    // The error says only that a provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[cfg(test)]
mod tests {
    #[test]
    fn installing_twice_is_installing_once() {
        super::install_default();
        super::install_default();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
