//! A damaged journal: [`mend`] takes what is sound on both sides of the damage, and sets the file itself aside.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

use super::{FRAME_HEAD, FileJournal, Journal, MAGIC, START, VERSION, check_head, frame_at, next_sound_frame, notes};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// Where the damaged file is now.
    pub aside: PathBuf,
    /// How many appends were sound.
    pub kept: u64,
    /// How many bytes were not.
    pub lost: u64,
}

/// Mends a journal that cannot be opened or read because of damage; none if it is sound, or not there.
///
/// The new file is whole and durable before it takes the name, and the damaged one keeps all its bytes under `aside`.
///
/// # Errors
/// The file is of a later version, or the disk failed.
pub fn mend(path: &Path, aside: &Path) -> Result<Option<Mended>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    match FileJournal::open(path).and_then(|mut journal| journal.replay(0, &mut |_, _| Ok(()))) {
        Ok(()) => return Ok(None),
        Err(StoreError::Corrupt(_)) => {}
        Err(other) => return Err(other),
    }
    let old = File::open(path)?;
    let new_path = path.with_extension("new");
    let mut new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new_path)?;
    let (kept, lost) = copy_sound(&old, path, &mut new)?;
    new.sync_all()?;
    // With a second name in the place of a rename there is a journal at every moment.
    fs::hard_link(path, aside)?;
    fs::rename(&new_path, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(Some(Mended {
        aside: aside.to_owned(),
        kept,
        lost,
    }))
}

/// How many frames were copied, and how many bytes were left behind.
fn copy_sound(old: &File, path: &Path, new: &mut File) -> Result<(u64, u64), StoreError> {
    let length = old.metadata()?.len();
    new.write_all(&MAGIC)?;
    new.write_all(&VERSION.to_le_bytes())?;
    let has_head = length >= START && check_head(old, path).is_ok();
    let mut place = if has_head { START } else { 0 };
    let (mut kept, mut lost) = (0, 0);
    while place < length {
        match frame_at(old, place, length)?.filter(|payload| notes(payload, path).is_ok()) {
            Some(payload) => {
                let mut frame = vec![0; FRAME_HEAD as usize + payload.len()];
                old.read_exact_at(&mut frame, place)?;
                new.write_all(&frame)?;
                kept += 1;
                place += frame.len() as u64;
            }
            None => {
                let next = next_sound_frame(old, place, length)?.unwrap_or(length);
                lost += next - place;
                place = next;
            }
        }
    }
    Ok((kept, lost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::journal::Note;

    fn note(number: u8) -> Note {
        Note::Setting(format!("setting {number}"), vec![number; 40])
    }

    fn replayed(path: &Path) -> Vec<Note> {
        let mut found = Vec::new();
        let mut journal = FileJournal::open(path).expect("a sound journal");
        let each = &mut |_, note| {
            found.push(note);
            Ok(())
        };
        journal.replay(0, each).expect("a sound journal");
        found
    }

    #[test]
    fn what_is_sound_on_both_sides_of_the_damage_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        let mut journal = FileJournal::open(&path).expect("a new journal");
        let appends = [vec![note(1)], vec![note(2), note(3)], vec![note(4)], vec![note(5)]];
        let ends: Vec<u64> = appends
            .iter()
            .map(|notes| journal.append(notes).expect("room on the disk"))
            .collect();
        drop(journal);
        let bytes = fs::read(&path).expect("the journal");
        let check = |name: &str, damaged: Vec<u8>, expected: &[u8]| {
            fs::write(&path, &damaged).expect("a damaged journal");
            let aside = folder.path().join(format!("aside {name}"));
            let error = FileJournal::open(&path).expect_err(name).to_string();
            assert!(error.contains(&path.display().to_string()), "{name}: {error}");
            let mended = mend(&path, &aside).expect(name).expect(name);
            assert_eq!(fs::read(&aside).expect("the damaged journal"), damaged, "{name}");
            assert_eq!(mended.aside, aside);
            let expected: Vec<Note> = expected.iter().map(|number| note(*number)).collect();
            assert_eq!(replayed(&path), expected, "{name}: {mended:?}");
            assert_eq!(mend(&path, &aside).expect("a sound journal"), None, "{name}: twice");
        };
        let flipped = |places: &[u64]| {
            let mut damaged = bytes.clone();
            places.iter().for_each(|place| damaged[*place as usize] ^= 0x55);
            damaged
        };
        let cut = |from: u64, to: u64| [&bytes[..from as usize], &bytes[to as usize..]].concat();
        check("in the first", flipped(&[START + 20]), &[2, 3, 4, 5]);
        check("in a length", flipped(&[ends[0] + 4]), &[1, 4, 5]);
        check("in two", flipped(&[START + 14, ends[1] + 13]), &[2, 3, 5]);
        check("in the head", flipped(&[1]), &[1, 2, 3, 4, 5]);
        check("in the head and the last", flipped(&[1, ends[2] + 1]), &[1, 2, 3, 4]);
        check("without its middle", cut(ends[0] + 5, ends[1] + 3), &[1, 5]);
        check("without its beginning", cut(0, ends[0] - 5), &[2, 3, 4, 5]);
        check("of zeros", vec![0; 4_000], &[]);
    }

    #[test]
    fn what_is_sound_or_of_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, aside) = (folder.path().join("journal"), folder.path().join("aside"));
        assert_eq!(mend(&path, &aside), Ok(None));
        assert!(!path.exists());
        let mut journal = FileJournal::open(&path).expect("a new journal");
        journal.append(&[note(1)]).expect("room on the disk");
        assert_eq!(mend(&path, &aside), Ok(None));
        let mut bytes = fs::read(&path).expect("the journal");
        bytes[4] = 2;
        fs::write(&path, bytes).expect("a later journal");
        assert_eq!(mend(&path, &aside), Err(StoreError::Newer { found: 2, known: 1 }));
        assert!(!aside.exists());
    }
}
