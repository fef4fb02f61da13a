//! Checksums and encodings of keys. A valid checksum proves a key wherever it is found.
//!
//! Pure functions over bytes. An invalid checksum proves nothing: formats change, and a new key must not be stored
//! because an old check rejects it.

use sha2::{Digest, Sha256};

/// The base-62 alphabet as used in keys: digits, upper case, lower case.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bech32 alphabet, five bits per letter.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Bitcoin's base-58 alphabet.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Length of a CRC-32 in base 62.
const CRC62_DIGITS: usize = 6;
/// Longest base64 text that is decoded, in bytes.
const MAX_DECODED_BYTES: usize = 4096;

/// Computes the CRC-32 (IEEE, as in zip and Ethernet).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// Returns whether a key ends in the base-62 CRC-32 of the part between its prefix and the checksum, as `ghp_` and
/// `npm_` keys do.
pub(super) fn ends_with_crc62(key: &[u8]) -> bool {
    let Some(prefix) = key.iter().position(|byte| *byte == b'_') else { return false };
    let Some(middle) = key.len().checked_sub(CRC62_DIGITS).filter(|middle| *middle > prefix) else { return false };
    crc62(&key[prefix + 1..middle]) == key[middle..]
}

/// Computes a CRC-32 as six base-62 characters.
pub(super) fn crc62(bytes: &[u8]) -> [u8; CRC62_DIGITS] {
    let mut crc = crc32(bytes) as usize;
    let mut digits = [b'0'; CRC62_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[crc % BASE62.len()];
        crc /= BASE62.len();
    }
    digits
}

/// Returns whether a key ends in `_` and the CRC-32 of everything before, in little-endian hexadecimal, as `glsa_`
/// keys do.
pub(super) fn ends_with_crc_hex(key: &[u8]) -> bool {
    let Some(at) = key.iter().rposition(|byte| *byte == b'_') else { return false };
    crate::event::hex(&crc32(&key[..at]).to_le_bytes()).as_bytes() == &key[at + 1..]
}

/// Returns whether a text is bech32 with a valid checksum (BIP 173), in one case.
pub(super) fn is_bech32(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    let Some(one) = text.iter().rposition(|byte| *byte == b'1') else { return false };
    let (prefix, data) = (&text[..one], &text[one + 1..]);
    let fives: Option<Vec<u32>> =
        data.iter().map(|byte| BECH32.iter().position(|letter| letter == byte).map(|five| five as u32)).collect();
    let Some(fives) = fives.filter(|fives| fives.len() >= 6 && !prefix.is_empty()) else { return false };
    bech32_sum(prefix, fives.into_iter()) == 1
}

/// Computes the bech32 checksum polynomial: 1 if the last six values are a valid checksum of all before them.
fn bech32_sum(prefix: &[u8], fives: impl Iterator<Item = u32>) -> u32 {
    let high = prefix.iter().map(|byte| u32::from(byte >> 5));
    let low = prefix.iter().map(|byte| u32::from(byte & 31));
    let values = high.chain([0]).chain(low).chain(fives);
    values.fold(1_u32, |sum, value| {
        let top = sum >> 25;
        let next = ((sum & 0x01ff_ffff) << 5) ^ value;
        let generators = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        generators.iter().enumerate().fold(
            next,
            |sum, (bit, generator)| {
                if top >> bit & 1 == 1 { sum ^ generator } else { sum }
            },
        )
    })
}

/// Returns whether a text is Base58Check: its last four bytes begin the double SHA-256 of the rest.
pub(super) fn is_base58_check(text: &[u8]) -> bool {
    let mut bytes: Vec<u8> = Vec::new();
    for letter in text {
        let Some(digit) = BASE58.iter().position(|other| other == letter) else { return false };
        let mut carry = digit as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * BASE58.len() as u32;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.insert(0, (carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    // Leading zero bytes are written as `1`.
    let zeros = text.iter().take_while(|letter| **letter == BASE58[0]).count();
    bytes.splice(0..0, std::iter::repeat_n(0, zeros));
    let Some(body) = bytes.len().checked_sub(4) else { return false };
    Sha256::digest(Sha256::digest(&bytes[..body]))[..4] == bytes[body..]
}

/// Decodes base64 of either alphabet, with or without padding; `None` if invalid or too long.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = &text[..text.len() - padding];
    if text.len() > MAX_DECODED_BYTES || padding > 2 || text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.chunks(4) {
        let mut bits = 0_u32;
        for byte in four {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

/// Returns whether a text is base64 of `name:password` in printable ASCII.
pub(super) fn is_basic(text: &[u8]) -> bool {
    base64(text).is_some_and(|said| {
        let colon = said.iter().position(|byte| *byte == b':');
        colon.is_some_and(|colon| colon + 1 < said.len()) && said.iter().all(|byte| (b' '..=b'~').contains(byte))
    })
}

/// Returns whether a text is base64 of a JSON object, as the header of a JSON web token is.
pub(super) fn is_json_object(text: &[u8]) -> bool {
    base64(text).is_some_and(|said| serde_json::from_slice::<serde_json::Map<_, _>>(&said).is_ok())
}

/// Returns whether a text is base64 of a decimal number, as the first part of a Discord token is.
pub(super) fn is_number(text: &[u8]) -> bool {
    base64(text).is_some_and(|said| !said.is_empty() && said.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Encodes bytes and their checksum as Base58Check.
    pub(in super::super) fn base58_check(bytes: &[u8]) -> String {
        let sum = Sha256::digest(Sha256::digest(bytes));
        let mut digits: Vec<usize> = Vec::new();
        for byte in bytes.iter().chain(&sum[..4]) {
            let mut carry = usize::from(*byte);
            for digit in digits.iter_mut().rev() {
                carry += *digit << 8;
                *digit = carry % BASE58.len();
                carry /= BASE58.len();
            }
            while carry > 0 {
                digits.insert(0, carry % BASE58.len());
                carry /= BASE58.len();
            }
        }
        digits.into_iter().map(|digit| char::from(BASE58[digit])).collect()
    }

    /// Appends the bech32 checksum to a prefix and data letters.
    pub(in super::super) fn bech32(prefix: &str, letters: &str) -> String {
        let five = |byte: u8| BECH32.iter().position(|letter| *letter == byte).expect("a letter of it") as u32;
        let sum = bech32_sum(prefix.as_bytes(), letters.bytes().map(five).chain([0; 6])) ^ 1;
        let sum: String = (0..6).rev().map(|at| char::from(BECH32[(sum >> (5 * at) & 31) as usize])).collect();
        format!("{prefix}1{letters}{sum}")
    }

    #[test]
    fn the_check_value_of_crc32_is_known() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_key_is_valid_only_with_its_checksum() {
        let middle = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        let key = ["gh", "p_", middle, "0mLq17"].concat();
        assert!(ends_with_crc62(key.as_bytes()), "{key}");
        assert!(!ends_with_crc62(key.replace("0mLq17", "0mLq18").as_bytes()));
        let key = ["gl", "sa_", "abcdefghijklmnopqrstuvwxyz012345"].concat();
        let sum = crate::event::hex(&crc32(key.as_bytes()).to_le_bytes());
        assert!(ends_with_crc_hex(format!("{key}_{sum}").as_bytes()));
        assert!(!ends_with_crc_hex(format!("{key}_00000000").as_bytes()));
    }

    #[test]
    fn bech32_and_base58_need_their_checksum() {
        assert!(is_bech32(b"A12UEL5L") && is_bech32(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"));
        assert!(!is_bech32(b"A12UEL5M") && !is_bech32(b"1pzry9x0s0muk"));
        assert!(is_base58_check(b"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"));
        assert!(!is_base58_check(b"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ") && !is_base58_check(b"0"));
    }

    #[test]
    fn base64_is_read_in_either_alphabet() {
        assert_eq!(base64(b"YTpi").as_deref(), Some(&b"a:b"[..]));
        assert_eq!(base64(b"_-8=").as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!(base64(b"/+8").as_deref(), Some(&[0xff, 0xef][..]));
        assert_eq!((base64(b"a"), base64(b"a b=")), (None, None));
        assert!(is_basic(b"dXNlcjpwYXNz") && !is_basic(b"dXNlcg==") && is_json_object(b"eyJhIjoxfQ"));
        assert!(!is_json_object(b"eyJhIjoxf") && is_number(b"MTIzNA") && !is_number(b"YWJj"));
    }
}
