//! A reader stricter than any other: it follows the directory, and demands that
//! the local headers say the same, that descriptors are where they should be, that
//! nothing overlaps, and that no field is larger than it needs to be.

use flate2::{Decompress, FlushDecompress, Status};

/// One entry as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) needed: u16,
    pub(crate) made_by: u16,
    pub(crate) attributes: u32,
    pub(crate) dos: u32,
    pub(crate) extra: Vec<u8>,
    /// Bytes between the entry before and this one.
    pub(crate) gap: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn size_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32_at(bytes, at)).unwrap()
}

/// Reads an archive below 4 GiB and of fewer than 65,535 entries.
pub(crate) fn read(bytes: &[u8]) -> Vec<Entry> {
    let end = bytes.len() - 22;
    assert_eq!(
        u32_at(bytes, end),
        0x0605_4b50,
        "the end, without a comment"
    );
    let count = usize::from(u16_at(bytes, end + 10));
    assert_eq!(usize::from(u16_at(bytes, end + 8)), count);
    let mut central = size_at(bytes, end + 16);
    assert_eq!(
        central + size_at(bytes, end + 12),
        end,
        "the directory reaches to the end"
    );
    let mut entries = Vec::new();
    let mut position = 0;
    for _ in 0..count {
        let (entry, after, next) = entry(bytes, central, position);
        entries.push(entry);
        position = after;
        central = next;
    }
    assert_eq!(central, end, "nothing follows the last header");
    entries
}

/// The entry of the central header at `central`, where the entry ends, and where the
/// next central header begins.
fn entry(bytes: &[u8], central: usize, position: usize) -> (Entry, usize, usize) {
    let header = &bytes[central..];
    assert_eq!(u32_at(header, 0), 0x0201_4b50);
    let name_length = usize::from(u16_at(header, 28));
    let extra_length = usize::from(u16_at(header, 30));
    assert_eq!(
        header[32..38],
        [0; 6],
        "no comment, no disk, no internal attributes"
    );
    let name = &header[46..46 + name_length];
    let extra: &[u8] = &header[46 + name_length..][..extra_length];
    let (crc, packed, size) = (u32_at(header, 16), size_at(header, 20), size_at(header, 24));

    let offset = size_at(header, 42);
    let local = &bytes[offset..];
    assert_eq!(u32_at(local, 0), 0x0403_4b50);
    assert_eq!(
        local[4..14],
        header[6..16],
        "version, flags, method and time are the same"
    );
    assert_eq!(local[26..30], header[28..32], "lengths are the same");
    assert_eq!(&local[30..30 + name_length], name);
    assert_eq!(&local[30 + name_length..][..extra_length], extra);
    let begin = offset + 30 + name_length + extra_length;
    let data = &bytes[begin..begin + packed];
    let flags = u16_at(header, 8);
    let mut after = begin + packed;
    if flags & 8 == 0 {
        assert_eq!(
            local[14..26],
            header[16..28],
            "CRC-32 and sizes are the same"
        );
    } else {
        assert_eq!(local[14..26], [0; 12], "CRC-32 and sizes come later");
        assert_eq!(u32_at(bytes, after), 0x0807_4b50);
        assert_eq!(
            bytes[after + 4..after + 16],
            header[16..28],
            "the descriptor is the same"
        );
        after += 16;
    }
    let method = u16_at(header, 10);
    let body = match method {
        0 => data.to_vec(),
        _ => inflated(data, size),
    };
    assert_eq!((body.len(), crc32fast::hash(&body)), (size, crc));
    let entry = Entry {
        name: String::from_utf8(name.to_vec()).unwrap(),
        body,
        method,
        flags,
        needed: u16_at(header, 6),
        made_by: u16_at(header, 4),
        attributes: u32_at(header, 38),
        dos: u32_at(header, 12),
        extra: extra.to_vec(),
        gap: offset.checked_sub(position).expect("entries don't overlap"),
    };
    (entry, after, central + 46 + name_length + extra_length)
}

fn inflated(data: &[u8], size: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(size + 1);
    let mut inflate = Decompress::new(false);
    let status = inflate
        .decompress_vec(data, &mut body, FlushDecompress::Finish)
        .unwrap();
    assert_eq!(status, Status::StreamEnd);
    assert_eq!(
        inflate.total_in(),
        data.len() as u64,
        "no bytes after deflate's end"
    );
    body
}
