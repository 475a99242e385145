//! A world that runs on the machine's clock or randomness looks alive and proves nothing: [`sing`] fails before it begins.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant, SystemTime},
};

use starfish_sim_kernel::{EPOCH_S, answered};

/// Checks that time and randomness of this thread are the simulation's.
///
/// # Panics
/// When they are not.
pub(super) fn sing() {
    let start = Instant::now();
    let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_S);
    assert_eq!(SystemTime::now(), epoch, "the wall clock is not the simulation's");
    let before = answered();
    // The first map of a thread draws its seed.
    std::hint::black_box(RandomState::new().hash_one(0));
    assert_ne!(
        before,
        answered(),
        "the seeds of hash maps are not the simulation's, or this thread had maps before"
    );
    assert_eq!(Instant::now(), start, "the monotonic clock is not the simulation's");
}
