//! What a mesh counts: [`Figures`], in the registry that the daemon exports. Counters are shared by all clones.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

/// Counters of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// Answers to gossip that came too late to be forwarded.
    pub(crate) late_validations: Counter,
    /// Gossip that was not looked at, because too much of it was being checked.
    pub(crate) dropped_gossip: Counter,
    /// Peers that were put out because they gossiped more than any honest one does.
    pub(crate) ended_floods: Counter,
    /// Messages of our own that no peer could be given.
    pub(crate) undelivered_gossip: Counter,
    /// Streams of peers that were reset for want of room.
    pub(crate) refused_streams: Counter,
    /// Pushes that were left out for want of room.
    pub(crate) dropped_pushes: Counter,
    /// Connections that were closed because their gossip was silent.
    pub(crate) cycled_connections: Counter,
    /// Bytes of bodies that were pulled and fit their digests.
    pub(crate) body_bytes_in: Counter,
    /// Bytes of bodies that were sent to peers that asked.
    pub(crate) body_bytes_out: Counter,
}

impl Figures {
    pub(crate) fn new(registry: Option<&mut Registry>) -> Self {
        let figures = Self::default();
        let Some(registry) = registry else { return figures };
        let registry = registry.sub_registry_with_prefix("mesh");
        let mut register = |name: &str, help: &str, counter: &Counter| registry.register(name, help, counter.clone());
        register(
            "late_validations",
            "Gossip answered too late to be forwarded",
            &figures.late_validations,
        );
        register(
            "dropped_gossip",
            "Gossip not looked at for want of room",
            &figures.dropped_gossip,
        );
        register("ended_floods", "Peers put out for flooding", &figures.ended_floods);
        register(
            "undelivered_gossip",
            "Own gossip that no peer could be given",
            &figures.undelivered_gossip,
        );
        register(
            "refused_streams",
            "Streams reset for want of room",
            &figures.refused_streams,
        );
        register(
            "dropped_pushes",
            "Pushes left out for want of room",
            &figures.dropped_pushes,
        );
        register(
            "cycled_connections",
            "Connections closed for silent gossip",
            &figures.cycled_connections,
        );
        register("body_bytes_in", "Bytes of bodies pulled", &figures.body_bytes_in);
        register(
            "body_bytes_out",
            "Bytes of bodies sent on request",
            &figures.body_bytes_out,
        );
        figures
    }
}
