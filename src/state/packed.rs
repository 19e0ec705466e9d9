//! Documents as machines send them: a large one is packed by gzip.

use std::io::Read as _;

/// The most bytes of what a machine packed: record, run and progress of 4 MiB each.
const MOST_UNPACKED: u64 = 12 * 1024 * 1024;

/// What was packed by gzip, up to one byte more than a document may have; anything else as it is.
#[must_use]
pub fn unpacked(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut text = Vec::new();
    let reader = flate2::read::GzDecoder::new(bytes.as_slice());
    match reader.take(MOST_UNPACKED + 1).read_to_end(&mut text) {
        Ok(_) => text,
        // What cannot be unpacked cannot be understood either, and is reported so.
        Err(_) => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_is_packed_is_unpacked_and_never_without_end() {
        use std::io::Write as _;
        let packed = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(unpacked(packed(b"a record")), b"a record");
        assert_eq!(unpacked(b"{plain}".to_vec()), b"{plain}");
        let cut = packed(&[b'x'; 5000])[..20].to_vec();
        assert_eq!(unpacked(cut.clone()), cut);
        let bomb = packed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(unpacked(bomb).len() as u64, MOST_UNPACKED + 1);
    }
}
