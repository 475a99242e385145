//! Equal bytes held once: [`Pool`].

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bytes that several stores hold. Clones are the same pool. What no store holds any more goes when the pool would grow.
#[derive(Clone, Debug, Default)]
pub struct Pool(Arc<Mutex<Held>>);

/// Never iterated in a way that anybody sees, so that its order does not matter.
type Held = HashSet<Arc<[u8]>>;

impl Pool {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These bytes, the same ones whenever they are asked for.
    pub fn hold(&self, bytes: &[u8]) -> Arc<[u8]> {
        let mut held = self.held();
        if let Some(known) = held.get(bytes) {
            return Arc::clone(known);
        }
        if held.len() == held.capacity() {
            held.retain(|bytes| Arc::strong_count(bytes) > 1);
        }
        let bytes: Arc<[u8]> = bytes.into();
        held.insert(Arc::clone(&bytes));
        bytes
    }

    /// How many bytes are held, each once.
    pub fn bytes(&self) -> usize {
        self.held().iter().map(|bytes| bytes.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_goes() {
        let pool = Pool::default();
        let kept = pool.hold(b"kept");
        assert!(Arc::ptr_eq(&kept, &pool.hold(b"kept")));
        for number in 0..10_000_u32 {
            pool.hold(&number.to_be_bytes());
        }
        assert!(pool.held().len() < 100, "{}", pool.held().len());
        assert!(Arc::ptr_eq(&kept, &pool.hold(b"kept")));
    }
}
