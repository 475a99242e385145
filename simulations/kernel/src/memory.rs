//! The allocator of every program with a world in it: [`Memory`].
//!
//! A world is millions of small pieces that one thread touches all over. The C library's allocator took a sixth of a run's
//! time, and as much went into misses of the processor's table of pages. Here small sizes are rounded up to classes, and
//! what a thread gives back it gets again for the next piece of that class; new pieces are cut from huge pages, one after
//! the other, so that what is made together lies together. Large pieces stay the C library's: libp2p makes buffers that
//! nobody ever fills, and of those only the ordinary pages that are touched take memory.
//!
//! A piece does not say whose it is: it may be given back by any thread. What a thread has when it ends is lost, which a
//! process of one world can afford.

#![allow(unsafe_code)] // an allocator is pointers

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ptr,
};

/// Classes are so many bytes apart.
const STEP: usize = 16;
/// Larger pieces are the C library's.
const SMALL: usize = 2_048;
const CLASSES: usize = SMALL / STEP;
/// What the machine is asked for at a time, and what it calls a huge page.
const BLOCK: usize = 64 << 20;
const HUGE_PAGE: usize = 2 << 20;

#[global_allocator]
static MEMORY: Memory = Memory;

/// The allocator.
#[derive(Debug)]
struct Memory;

/// A piece that was given back says which one was before it.
struct Piece(*mut Piece);

/// What one thread can give out.
struct Shelf {
    returned: [Cell<*mut Piece>; CLASSES],
    /// What is left of the block that pieces are cut from.
    next: Cell<*mut u8>,
    rest: Cell<usize>,
}

thread_local! {
    // Constant and without a destructor, so that it is there from a thread's first piece to its last.
    static SHELF: Shelf = const {
        Shelf {
            returned: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            next: Cell::new(ptr::null_mut()),
            rest: Cell::new(0),
        }
    };
}

/// The class of pieces of this layout, none when they are the C library's.
fn class_of(layout: Layout) -> Option<usize> {
    let is_small = layout.align() <= STEP && layout.size() <= SMALL;
    is_small.then(|| layout.size().saturating_sub(1) / STEP)
}

/// How many bytes a piece of a class has.
fn size_of(class: usize) -> usize {
    (class + 1) * STEP
}

impl Shelf {
    fn take(&self, class: usize) -> *mut u8 {
        let place = &self.returned[class];
        let piece = place.get();
        if piece.is_null() {
            return self.cut(size_of(class));
        }
        // SAFETY: what lies on the shelf was given back and begins with this.
        place.set(unsafe { (*piece).0 });
        piece.cast()
    }

    fn put(&self, class: usize, given: *mut u8) {
        let place = &self.returned[class];
        let piece = given.cast::<Piece>();
        // SAFETY: whoever gives it back has no more use for it; it has 16 bytes at least, and lies on a multiple of 16.
        unsafe { piece.write(Piece(place.get())) };
        place.set(piece);
    }

    fn cut(&self, size: usize) -> *mut u8 {
        if self.rest.get() < size {
            let Some(block) = block() else {
                return ptr::null_mut();
            };
            self.next.set(block);
            self.rest.set(BLOCK);
        }
        let piece = self.next.get();
        self.next.set(piece.wrapping_add(size));
        self.rest.set(self.rest.get() - size);
        piece
    }
}

/// A new block of huge pages, as far as the machine has any. Only what is touched of it is resident.
fn block() -> Option<*mut u8> {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
    );
    // SAFETY: new memory that nobody else knows of, some more of it than is used, to begin with a whole page.
    unsafe {
        let mapped = libc::mmap(ptr::null_mut(), BLOCK + HUGE_PAGE, access, kind, -1, 0);
        if mapped == libc::MAP_FAILED {
            return None;
        }
        let first = mapped.cast::<u8>();
        let begin = first.wrapping_add(first.align_offset(HUGE_PAGE));
        libc::madvise(begin.cast(), BLOCK, libc::MADV_HUGEPAGE);
        Some(begin)
    }
}

// SAFETY: pieces of a class are at least as large as every layout of that class, lie on multiples of 16 because blocks do and
// sizes are, and are given out again only after they were given back.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class_of(layout) {
            Some(class) => SHELF.with(|shelf| shelf.take(class)),
            // SAFETY: the caller's promise is the same.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match class_of(layout) {
            Some(class) => SHELF.with(|shelf| shelf.put(class, piece)),
            // SAFETY: the same layout, so that it came from there.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class_of(layout).is_none() {
            // SAFETY: the caller's promise is the same. The machine's new pages are zero already.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as above, and a piece has as many bytes as the layout at least.
        unsafe {
            let piece = self.alloc(layout);
            if !piece.is_null() {
                piece.write_bytes(0, layout.size());
            }
            piece
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size fits the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (class_of(layout), class_of(wanted)) {
            // SAFETY: it came from there and stays there.
            (None, None) => unsafe { System.realloc(piece, layout, size) },
            (old, new) if old == new => piece,
            // SAFETY: both pieces have the bytes that are copied, and are two.
            _ => unsafe {
                let moved = self.alloc(wanted);
                if !moved.is_null() {
                    moved.copy_from_nonoverlapping(piece, layout.size().min(size));
                    self.dealloc(piece, layout);
                }
                moved
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("a layout")
    }

    #[test]
    fn every_size_has_the_smallest_class_that_holds_it() {
        for size in 1..=SMALL {
            let class = class_of(layout(size)).expect("a class");
            assert!(size_of(class) >= size && size_of(class).is_multiple_of(STEP), "{size}");
            assert!(class == 0 || size_of(class - 1) < size, "{size}");
        }
        assert_eq!(class_of(layout(SMALL)), Some(CLASSES - 1));
        assert_eq!(class_of(layout(SMALL + 1)), None);
        let aligned = Layout::from_size_align(64, 64).expect("a layout");
        assert_eq!(class_of(aligned), None);
    }

    #[test]
    fn pieces_hold_what_was_written_until_they_are_given_back() {
        // Sizes that go up and down over every class, many at a time.
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        for round in 0..20_000_usize {
            let size = 1 + round * 7_919 % (SMALL + 2_000);
            let mark = (round % 251) as u8;
            pieces.push(vec![mark; size]);
            if round % 3 == 0 {
                let mut piece = pieces.swap_remove(round * 31 % pieces.len());
                let mark = piece[0];
                piece.resize(piece.len() * 2, mark);
                piece.shrink_to_fit();
                assert!(piece.iter().all(|byte| *byte == mark), "{round}");
            }
        }
        for piece in pieces {
            assert!(piece.iter().all(|byte| *byte == piece[0]));
        }
    }

    #[test]
    fn zeroed_pieces_are_zero_though_they_were_used() {
        for size in [1, 100, SMALL, SMALL + 1] {
            drop(vec![255_u8; size]);
            assert!(vec![0_u8; size].iter().all(|byte| *byte == 0), "{size}");
        }
    }

    #[test]
    fn a_thread_may_give_back_what_another_one_took() {
        let pieces: Vec<Vec<u8>> = (1..2_000).map(|size| vec![7; size]).collect();
        let sum = std::thread::spawn(move || pieces.iter().flatten().map(|byte| usize::from(*byte)).sum::<usize>());
        assert_eq!(sum.join().expect("it ends"), 7 * 1_999 * 1_000);
    }
}
