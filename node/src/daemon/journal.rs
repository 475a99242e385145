//! The journal on disk: [`FileJournal`], an append-only file of what the mesh cannot give back.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `STFJ` |
//! | 4 | the version of this format, little endian |
//! | then, for each append: | |
//! | 4 | `note` |
//! | 4 | length of the payload, little endian |
//! | 4 | CRC-32 of length and payload, little endian |
//! | .. | for each note its length (4 bytes, little endian) and its `codec` document |
//!
//! An append returns after its `fsync`, so the next one begins only when it is safe: if the last frame is broken and nothing
//! sound follows, it was never acknowledged, and opening cuts it off. A broken frame with sound ones behind it is damage, and
//! is reported. There is no compaction: the file grows by what this node itself publishes and decides, about as much as its
//! own bodies take in the store, and every part of it may be needed to bring back its own log.

mod mending;

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use starfish_protocol::codec;

use crate::{
    ledger::journal::{Journal, Note, Reader},
    store::StoreError,
};

pub use self::mending::{Mended, mend};

/// The file's name in the data directory.
pub const FILE: &str = "journal";

const MAGIC: [u8; 4] = *b"STFJ";
const VERSION: u32 = 1;
const START: u64 = 8;
const FRAME: [u8; 4] = *b"note";
const FRAME_HEAD: u64 = 12;
/// No append is longer: the engine has at most 64 MiB on their way to the store.
const LONGEST: u32 = 128 << 20;
/// So many bytes are searched at a time for the next frame behind a broken one.
const WINDOW: u64 = 1 << 20;

/// A journal in a file.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
    end: u64,
    torn: u64,
}

impl FileJournal {
    /// Opens the file, or makes it, and cuts off an append that a crash interrupted.
    ///
    /// # Errors
    /// The file cannot be used, is damaged, or is of a later version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let length = file.metadata()?.len();
        if length < START {
            // Nothing was ever acknowledged before the head was written.
            begin(&mut file, path)?;
            return Ok(Self {
                path: path.to_owned(),
                file,
                end: START,
                torn: 0,
            });
        }
        check_head(&file, path)?;
        let end = sound_end(&file, length)?;
        if end < length {
            if next_sound_frame(&file, end, length)?.is_some() {
                return Err(broken(path, format_args!("is broken at byte {end}")));
            }
            file.set_len(end)?;
            file.sync_all()?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            end,
            torn: length - end,
        })
    }

    /// How many bytes of an interrupted append were cut off at the opening.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Whether nothing was ever noted.
    pub fn is_empty(&self) -> bool {
        self.end == START
    }

    /// The position behind the last append.
    pub fn end(&self) -> u64 {
        self.end
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(frame)?;
        self.file.sync_data()
    }
}

impl Journal for FileJournal {
    fn append(&mut self, notes: &[Note]) -> Result<u64, StoreError> {
        let frame = frame(notes)?;
        if let Err(error) = self.write(&frame) {
            // Half a frame must not stand before the next one.
            let cut = self.file.set_len(self.end).and_then(|()| self.file.sync_all());
            tracing::error!(%error, cut = cut.is_ok(), path = %self.path.display(), "the journal was not written");
            return Err(error.into());
        }
        self.end += frame.len() as u64;
        Ok(self.end)
    }

    fn replay(&mut self, from: u64, each: &mut Reader<'_>) -> Result<(), StoreError> {
        // A position that is no frame's belongs to another file: then all of this one is news.
        let known = from == self.end || (from >= START && frame_at(&self.file, from, self.end)?.is_some());
        let mut place = if known { from } else { START };
        while place < self.end {
            let Some(payload) = frame_at(&self.file, place, self.end)? else {
                return Err(broken(&self.path, format_args!("is broken at byte {place}")));
            };
            let next = place + FRAME_HEAD + payload.len() as u64;
            let notes = notes(&payload, &self.path)?;
            let last = notes.len().saturating_sub(1);
            for (index, note) in notes.into_iter().enumerate() {
                // Only behind its last note is an append carried out.
                each(if index == last { next } else { place }, note)?;
            }
            place = next;
        }
        Ok(())
    }
}

fn begin(file: &mut File, path: &Path) -> Result<(), StoreError> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&MAGIC)?;
    file.write_all(&VERSION.to_le_bytes())?;
    file.sync_all()?;
    if let Some(folder) = path.parent() {
        // The name itself must survive.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Damage, with the name of the file: it is not the store that has to be looked at.
fn broken(path: &Path, how: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("its journal {} {how}", path.display()))
}

fn check_head(file: &File, path: &Path) -> Result<(), StoreError> {
    let mut head = [0; START as usize];
    file.read_exact_at(&mut head, 0)?;
    let [magic, version] = [&head[..4], &head[4..]];
    if magic != MAGIC {
        return Err(broken(path, "does not begin as one"));
    }
    match u32::from_le_bytes(version.try_into().expect("four bytes")) {
        found if found > VERSION => Err(StoreError::Newer { found, known: VERSION }),
        _ => Ok(()),
    }
}

fn frame(notes: &[Note]) -> Result<Vec<u8>, StoreError> {
    let mut payload = Vec::new();
    for note in notes {
        let note = codec::encode(note);
        payload.extend((note.len() as u32).to_le_bytes());
        payload.extend(note);
    }
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| StoreError::Io("too much at once for the journal".to_owned()))?;
    let mut frame = Vec::with_capacity(FRAME_HEAD as usize + payload.len());
    frame.extend(FRAME);
    frame.extend(length.to_le_bytes());
    frame.extend(checksum(length, &payload).to_le_bytes());
    frame.extend(payload);
    Ok(frame)
}

fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// The payload of the frame at a place, if there is a sound one that ends before `end`.
fn frame_at(file: &File, place: u64, end: u64) -> Result<Option<Vec<u8>>, StoreError> {
    if place.checked_add(FRAME_HEAD).is_none_or(|head| head > end) {
        return Ok(None);
    }
    let mut head = [0; FRAME_HEAD as usize];
    file.read_exact_at(&mut head, place)?;
    let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
    let length = word(4);
    if head[..4] != FRAME || length > LONGEST || place + FRAME_HEAD + u64::from(length) > end {
        return Ok(None);
    }
    let mut payload = vec![0; length as usize];
    file.read_exact_at(&mut payload, place + FRAME_HEAD)?;
    Ok((checksum(length, &payload) == word(8)).then_some(payload))
}

/// Where the unbroken run of frames from the start ends.
fn sound_end(file: &File, length: u64) -> Result<u64, StoreError> {
    let mut place = START;
    while let Some(payload) = frame_at(file, place, length)? {
        place += FRAME_HEAD + payload.len() as u64;
    }
    Ok(place)
}

/// Where the first sound frame behind a broken one begins.
fn next_sound_frame(file: &File, broken: u64, length: u64) -> Result<Option<u64>, StoreError> {
    // Windows overlap by less than a mark, so that one across two of them is found once.
    let overlap = FRAME.len() as u64 - 1;
    let mut start = broken + 1;
    while start + overlap < length {
        let mut window = vec![0; WINDOW.min(length - start) as usize];
        file.read_exact_at(&mut window, start)?;
        let marks = window
            .windows(FRAME.len())
            .enumerate()
            .filter(|(_, bytes)| *bytes == FRAME);
        for (offset, _) in marks {
            let place = start + offset as u64;
            if frame_at(file, place, length)?.is_some() {
                return Ok(Some(place));
            }
        }
        start += window.len() as u64 - overlap;
    }
    Ok(None)
}

fn notes(mut payload: &[u8], path: &Path) -> Result<Vec<Note>, StoreError> {
    let broken = || broken(path, "has a note that does not decode");
    let mut notes = Vec::new();
    while !payload.is_empty() {
        let (length, rest) = payload.split_first_chunk::<4>().ok_or_else(broken)?;
        let (note, rest) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(broken)?;
        notes.push(codec::decode(note, codec::DOCUMENT_BYTES).map_err(|_| broken())?);
        payload = rest;
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn note(number: u8) -> Note {
        Note::Setting(format!("setting {number}"), vec![number; usize::from(number) * 3])
    }

    fn replayed(journal: &mut FileJournal, from: u64) -> Result<Vec<(u64, Note)>, StoreError> {
        let mut found = Vec::new();
        journal.replay(from, &mut |position, note| {
            found.push((position, note));
            Ok(())
        })?;
        Ok(found)
    }

    /// A journal of four appends, and the position behind each.
    fn filled(path: &Path) -> Vec<u64> {
        let mut journal = FileJournal::open(path).expect("a new journal");
        [
            vec![note(1)],
            vec![note(2), note(3)],
            vec![note(4)],
            vec![note(5), note(6)],
        ]
        .iter()
        .map(|notes| journal.append(notes).expect("room on the disk"))
        .collect()
    }

    #[test]
    fn what_was_appended_is_replayed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let ends = filled(&path);
        let mut journal = FileJournal::open(&path).expect("a sound journal");
        assert_eq!((journal.torn(), journal.is_empty()), (0, false));
        let all = replayed(&mut journal, 0).expect("a sound journal");
        assert_eq!(
            all.iter().map(|(_, note)| note.clone()).collect::<Vec<_>>(),
            (1..=6).map(note).collect::<Vec<_>>()
        );
        // An append counts only behind its last note.
        let positions: Vec<u64> = all.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [ends[0], ends[0], ends[1], ends[2], ends[2], ends[3]]);
        let check = |journal: &mut FileJournal, from: u64, expected: usize| {
            assert_eq!(
                replayed(journal, from).expect("a sound journal").len(),
                expected,
                "from {from}"
            );
        };
        check(&mut journal, ends[1], 3);
        check(&mut journal, ends[3], 0);
        // Positions of another file: everything is news.
        check(&mut journal, ends[1] + 1, 6);
        check(&mut journal, ends[3] + 1_000, 6);
        check(&mut journal, u64::MAX, 6);
    }

    #[test]
    fn a_torn_tail_is_cut_off_at_every_byte() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let ends = filled(&path);
        let bytes = fs::read(&path).expect("the journal");
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).expect("a shorter journal");
            let mut journal = FileJournal::open(&path).unwrap_or_else(|error| panic!("{length} bytes: {error}"));
            let whole = ends.iter().filter(|end| **end <= length as u64).count();
            let expected = [0, 1, 3, 4, 6][whole];
            assert_eq!(
                replayed(&mut journal, 0).expect("a sound journal").len(),
                expected,
                "{length} bytes"
            );
            // It goes on from there.
            journal.append(&[note(9)]).expect("room on the disk");
            let mut journal = FileJournal::open(&path).expect("a sound journal");
            assert_eq!(
                replayed(&mut journal, 0).expect("a sound journal").len(),
                expected + 1,
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_broken_byte_is_damage_in_the_middle_and_a_torn_tail_at_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let ends = filled(&path);
        let bytes = fs::read(&path).expect("the journal");
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 0x55;
            fs::write(&path, &broken).expect("a broken journal");
            let opened = FileJournal::open(&path);
            if place as u64 >= ends[2] {
                assert_eq!(opened.expect("a torn tail").torn(), ends[3] - ends[2], "byte {place}");
            } else {
                let error = opened.expect_err("damage");
                assert!(
                    matches!(error, StoreError::Corrupt(_) | StoreError::Newer { .. }),
                    "byte {place}: {error}"
                );
            }
        }
    }

    #[test]
    fn a_later_version_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        filled(&path);
        let mut bytes = fs::read(&path).expect("the journal");
        bytes[4] = 2;
        fs::write(&path, bytes).expect("a later journal");
        assert_eq!(
            FileJournal::open(&path).map(|_| ()),
            Err(StoreError::Newer { found: 2, known: 1 })
        );
    }
}
