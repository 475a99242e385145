//! The system calls that tell time and give randomness, answered by the simulation for crates that ask the system:
//! `std::time`, the seeds of `HashMap` (gossipsub iterates over some), `rand`'s generators, the keys of handshakes.
//!
//! The C library's symbols are defined here, and the dynamic linker prefers a program's own. Outside a simulation each
//! of them makes the system call. Linux with the GNU C library only.
//!
//! The allocator looks for its settings in the same way.

#![allow(unsafe_code)] // the one place: symbols of the C library and the allocator, and the pointers that they are handed

use std::{
    cell::Cell,
    ffi::{c_char, c_int, c_uint},
    slice,
    time::Duration,
};

use crate::clock;

/// Where the monotonic clock begins: crates subtract lengths of time from it, and to the allocator, which lived before, it must
/// not go back.
const MONOTONIC_S: u64 = 1_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// The allocator's settings, unless the environment has others. A node touches a little of much memory at each message, so
/// that the processor looks up pages most of the time: huge ones are a tenth faster, where the kernel has them. Memory that
/// was given back is kept for 100 s of virtual time, because to return a part of a huge page is to split it.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static SETTINGS: Option<&c_char> = {
    let settings = c"thp:always,dirty_decay_ms:100000";
    // SAFETY: the text ends with a zero and lives for ever; this points to its first byte.
    Some(unsafe { &*settings.as_ptr() })
};

thread_local! {
    static ANSWERED: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread was given randomness by the simulation.
pub fn answered() -> u64 {
    ANSWERED.get()
}

/// Whose wall clock is asked for, in ns since 1970.
#[derive(Clone, Copy, Debug)]
pub struct WallClock;

impl WallClock {
    /// What the wall clock of whoever's turn it is shows, in ns since 1970; none outside a simulation.
    pub fn now() -> Option<u64> {
        let now = clock::now()?;
        Some((clock::EPOCH_S * SECOND + now).saturating_add_signed(clock::skew()))
    }
}

/// The machine's own monotonic time, also inside a simulation.
pub fn real_time() -> Duration {
    machine_time(libc::CLOCK_MONOTONIC)
}

/// The processor time that this thread has used, also inside a simulation.
pub fn processor_time() -> Duration {
    machine_time(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn machine_time(clock_id: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`, which lives here.
    unsafe {
        libc::syscall(libc::SYS_clock_gettime, libc::c_long::from(clock_id), &raw mut time);
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The C library's `clock_gettime`.
///
/// # Safety
/// As there: `time` points to a `timespec` that can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock_id: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let Some(now) = clock::now() else {
        // SAFETY: the caller's promise is the system call's.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, libc::c_long::from(clock_id), time) as c_int };
    };
    let shown = match clock_id {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => WallClock::now().unwrap_or_default(),
        _ => MONOTONIC_S * SECOND + now,
    };
    // SAFETY: the caller promises that it can be written.
    unsafe {
        (*time).tv_sec = (shown / SECOND) as libc::time_t;
        (*time).tv_nsec = (shown % SECOND) as libc::c_long;
    }
    0
}

/// The C library's `getrandom`. Crates try it with no bytes at all and a dangling pointer.
///
/// # Safety
/// As there: `length` bytes can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(bytes: *mut u8, length: usize, flags: c_uint) -> isize {
    if clock::now().is_none() {
        // SAFETY: the caller's promise is the system call's.
        return unsafe { libc::syscall(libc::SYS_getrandom, bytes, length, flags) as isize };
    }
    if length > 0 {
        ANSWERED.set(ANSWERED.get() + 1);
        // SAFETY: the caller promises that so many can be written.
        fill(unsafe { slice::from_raw_parts_mut(bytes, length) });
    }
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// The C library's `getentropy`.
///
/// # Safety
/// As there: `length` bytes can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(bytes: *mut u8, length: usize) -> c_int {
    // SAFETY: the caller's promise is the same.
    let given = unsafe { getrandom(bytes, length, 0) };
    if usize::try_from(given) == Ok(length) { 0 } else { -1 }
}

fn fill(bytes: &mut [u8]) {
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&clock::chance().to_le_bytes()[..part.len()]);
    }
}
