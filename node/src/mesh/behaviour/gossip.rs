//! The gossip mesh: gossipsub with every value set on purpose.
//!
//! Messages are anonymous (the signature inside is the authority), validated by hand, and named by a digest over all of
//! their bytes: an id over the header alone would let a broken copy arrive first and censor the real one (design,
//! protocol 4.1).

use std::{collections::HashSet, time::Duration};

use libp2p::{
    gossipsub::{
        Behaviour, ConfigBuilder, DataTransform, IdentTopic, IdentityTransform, MaxCountSubscriptionFilter, Message,
        MessageAuthenticity, MessageId, MetricsConfig, PeerScoreParams, PeerScoreThresholds, TopicHash,
        TopicScoreParams, TopicSubscriptionFilter, ValidationMode, WhitelistSubscriptionFilter, score_parameter_decay,
    },
    metrics::Registry,
};
use starfish_crypto::Digest;
use starfish_protocol::{
    community::Community,
    limits,
    wire::{Channel, GOSSIP_BYTES},
};

use crate::mesh::settings::{GossipParameters, MeshSettings};

/// Gossipsub as it is used here.
pub(crate) type Gossipsub = Behaviour<IdentityTransform, MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>>;

/// The frame limit. Frames near a smaller one are lost when they are sent back to back (design, protocol 6), so it is
/// four times the hard cap of our own messages.
const FRAME_BYTES: usize = 262_144;
/// Begins the names of the protocols that what is TLP:GREEN travels by.
pub(crate) const GREEN_PROTOCOL: &str = "/starfish-green";
/// The domain of message ids.
const MESSAGE_ID: &str = "starfish 2025 gossip message id v1";
/// The domain of the ids of messages that are longer than allowed. They are refused whatever their topic.
const TOO_LONG_ID: &str = "starfish 2026 overlong gossip message id v1";
/// What one provable fault weighs. Eight of them, at which the rules disconnect, reach the graylist.
const STRIKE: f64 = -10.0;

/// Gossip parameters or score parameters that contradict each other.
#[derive(Debug, thiserror::Error)]
#[error("these gossip parameters do not fit together: {0}")]
pub struct BadParameters(String);

/// The topic of a channel, as gossipsub names it.
pub(crate) fn topic(community: &Community, channel: Channel) -> IdentTopic {
    IdentTopic::new(channel.topic(community))
}

/// The topics of a community, which each message is held against.
pub(crate) struct Topics([TopicHash; Channel::ALL.len()]);

impl Topics {
    pub(crate) fn new(community: &Community) -> Self {
        Self(Channel::ALL.map(|channel| topic(community, channel).hash()))
    }

    pub(crate) fn of(&self, channel: Channel) -> &TopicHash {
        &self.0[channel as usize]
    }
}

/// The application's part of a peer's score.
pub(crate) fn score_of(strikes: u32) -> f64 {
    f64::from(strikes) * STRIKE
}

/// Gossipsub, subscribed to every channel of the community that is open to everyone.
pub(crate) fn gossipsub(
    community: &Community,
    settings: &MeshSettings,
    registry: Option<&mut Registry>,
) -> Result<Gossipsub, BadParameters> {
    if let Some(rule) = settings.gossip.contradiction() {
        return Err(bad(rule));
    }
    let registry = registry.map(|registry| registry.sub_registry_with_prefix("gossipsub"));
    subscribed(community, &Channel::OPEN, &mut builder(&settings.gossip), registry)
}

/// The one for what is TLP:GREEN, by protocol names of its own.
pub(crate) fn confided(
    community: &Community,
    settings: &MeshSettings,
    registry: Option<&mut Registry>,
) -> Result<Gossipsub, BadParameters> {
    let registry = registry.map(|registry| registry.sub_registry_with_prefix("gossipsub_green"));
    let mut builder = builder(&settings.gossip);
    builder.protocol_id_prefix(GREEN_PROTOCOL);
    subscribed(community, &[Channel::Green], &mut builder, registry)
}

fn subscribed(
    community: &Community,
    channels: &[Channel],
    builder: &mut ConfigBuilder,
    registry: Option<&mut Registry>,
) -> Result<Gossipsub, BadParameters> {
    let topics: Vec<IdentTopic> = channels.iter().map(|channel| topic(community, *channel)).collect();
    let hashes: HashSet<TopicHash> = topics.iter().map(IdentTopic::hash).collect();
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter(hashes),
        max_subscribed_topics: topics.len(),
        max_subscriptions_per_request: 2 * topics.len(),
    };
    let config = builder.build().map_err(bad)?;
    let mut behaviour =
        Gossipsub::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter).map_err(bad)?;
    if let Some(registry) = registry {
        behaviour = behaviour.with_metrics(registry, MetricsConfig::default());
    }
    join(&mut behaviour, &topics)?;
    Ok(behaviour)
}

/// Subscribes to topics and scores the peers there, as a node does.
///
/// # Errors
/// When the scores do not fit together, or its filter keeps a topic out.
pub fn join<D, F>(behaviour: &mut Behaviour<D, F>, topics: &[IdentTopic]) -> Result<(), BadParameters>
where
    D: DataTransform + Send + 'static,
    F: TopicSubscriptionFilter + Send + 'static,
{
    behaviour.with_peer_score(scores(), thresholds()).map_err(bad)?;
    for topic in topics {
        behaviour.set_topic_params(topic.clone(), topic_scores()).map_err(bad)?;
        behaviour.subscribe(topic).map_err(bad)?;
    }
    Ok(())
}

fn bad(problem: impl std::fmt::Display) -> BadParameters {
    BadParameters(problem.to_string())
}

fn message_id(message: &Message) -> MessageId {
    if message.data.len() > GOSSIP_BYTES {
        return MessageId::new(Digest::of(TOO_LONG_ID, &message.data).as_bytes());
    }
    let topic = message.topic.as_str().as_bytes();
    let mut bytes = Vec::with_capacity(8 + topic.len() + message.data.len());
    bytes.extend_from_slice(&(topic.len() as u64).to_le_bytes());
    bytes.extend_from_slice(topic);
    bytes.extend_from_slice(&message.data);
    MessageId::new(Digest::of(MESSAGE_ID, &bytes).as_bytes())
}

/// Gossipsub's configuration with these parameters: a node's own, and what the simulator compares with differs from it as
/// little as it can.
pub fn builder(given: &GossipParameters) -> ConfigBuilder {
    let millis = Duration::from_millis;
    let mut builder = ConfigBuilder::default();
    builder
        .mesh_n(given.mesh)
        .mesh_n_low(given.mesh_low)
        .mesh_n_high(given.mesh_high)
        .mesh_outbound_min(given.mesh_outbound)
        .gossip_lazy(given.lazy)
        .gossip_factor(f64::from(given.lazy_percent) / 100.0)
        .history_length(given.history)
        .history_gossip(given.history_gossip)
        .heartbeat_interval(millis(given.heartbeat))
        .heartbeat_initial_delay(millis(given.first_heartbeat))
        .duplicate_cache_time(millis(given.duplicate_cache))
        .connection_handler_queue_len(given.queue)
        .publish_queue_duration(millis(given.publish_wait))
        .forward_queue_duration(millis(given.forward_wait))
        .prune_backoff(millis(given.prune_backoff))
        .unsubscribe_backoff(millis(given.unsubscribe_backoff))
        .idontwant_message_size_threshold(given.notice_bytes)
        .idontwant_on_publish(false)
        .max_transmit_size(FRAME_BYTES)
        .max_control_message_size(16_384)
        .max_control_messages_sent(5_000)
        .max_publish_messages(512)
        .max_ihave_messages_heartbeat(10)
        // On a slow line full of bodies what was announced takes as long as anything that is asked for.
        .iwant_followup_time(Duration::from_millis(limits::REQUEST_DEADLINE.0))
        .gossip_retransimission(3)
        .fanout_ttl(Duration::from_secs(60))
        .check_explicit_peers_ticks(300)
        .retain_scores(4)
        .backoff_slack(1)
        .graft_flood_threshold(Duration::from_secs(10))
        .opportunistic_graft_ticks(60)
        .opportunistic_graft_peers(2)
        // Peers hear of each other through signed endpoints, never through gossipsub.
        .prune_peers(0)
        // A publisher would send each message to every peer instead of to its mesh.
        .flood_publish(false)
        .allow_self_origin(false)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id);
    builder
}

/// Scores only punish: what a peer can earn is capped far below what one fault costs.
fn scores() -> PeerScoreParams {
    PeerScoreParams {
        topic_score_cap: 8.0,
        app_specific_weight: 1.0,
        // Many nodes of one mesh may share an address, and gossipsub can exempt addresses only when it is made: before a
        // peer is paired, and before a name is resolved. What strangers behind one address may cost is bounded elsewhere.
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -1.0,
        // What honest nodes come to: one that visits an author joins its mesh, is sent away, and leaves before it has heard so;
        // a line breaks before what was announced is through. Whoever spams is beyond it within seconds.
        behaviour_penalty_threshold: 20.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(600)),
        // A slow line is nobody's fault: a list of fifty thousand names at once fills the queue to an honest peer.
        slow_peer_weight: 0.0,
        decay_interval: Duration::from_secs(1),
        decay_to_zero: 0.1,
        retain_score: Duration::from_secs(3_600),
        ..PeerScoreParams::default()
    }
}

fn topic_scores() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 200.0,
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_decay: score_parameter_decay(Duration::from_secs(600)),
        first_message_deliveries_cap: 20.0,
        // A quiet mesh is a healthy one: nobody is punished for having delivered little.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Each of these is a strike of the rules as well; weighed twice, the graylist would come before the rules disconnect.
        invalid_message_deliveries_weight: -0.1,
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(600)),
        ..TopicScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -20.0,
        publish_threshold: -40.0,
        graylist_threshold: -80.0,
        accept_px_threshold: 1_000.0,
        opportunistic_graft_threshold: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::{
        PeerId,
        core::ConnectedPoint,
        swarm::{ConnectionId, FromSwarm, NetworkBehaviour, behaviour::ConnectionEstablished},
    };

    use super::*;

    fn message(topic: &str, data: &[u8]) -> Message {
        Message {
            source: None,
            data: data.to_vec(),
            sequence_number: None,
            topic: TopicHash::from_raw(topic),
        }
    }

    #[test]
    fn an_id_covers_topic_and_bytes() {
        let id = message_id(&message("a", b"bc"));
        assert_eq!(id, message_id(&message("a", b"bc")));
        for (topic, data) in [
            ("ab", &b"c"[..]),
            ("a", b"bd"),
            ("b", b"bc"),
            ("a", b"bc\0"),
            ("a", b""),
        ] {
            assert_ne!(id, message_id(&message(topic, data)), "{topic}");
        }
    }

    #[test]
    fn parameters_are_checked() {
        let community = Community::named("test");
        let check = |change: fn(&mut GossipParameters), good: bool| {
            let mut settings = MeshSettings::default();
            change(&mut settings.gossip);
            assert_eq!(gossipsub(&community, &settings, None).is_ok(), good);
        };
        check(|_| {}, true);
        check(|gossip| gossip.history = 1, false);
        check(|gossip| gossip.unsubscribe_backoff = 0, false);
    }

    #[test]
    fn an_overlong_message_has_an_id_too() {
        let long = vec![7; GOSSIP_BYTES + 1];
        assert_eq!(message_id(&message("a", &long)), message_id(&message("a", &long)));
        assert_ne!(message_id(&message("a", &long)), message_id(&message("a", &long[1..])));
    }

    #[test]
    fn many_peers_may_share_an_address() {
        let mut gossip = gossipsub(&Community::named("test"), &MeshSettings::default(), None).expect("its defaults");
        let endpoint = ConnectedPoint::Listener {
            local_addr: "/ip4/192.0.2.1/tcp/1".parse().expect("an address"),
            send_back_addr: "/ip4/198.51.100.1/tcp/1".parse().expect("an address"),
        };
        let peers: Vec<PeerId> = std::iter::repeat_with(PeerId::random).take(40).collect();
        for (peer_id, number) in peers.iter().zip(0..) {
            gossip.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id: *peer_id,
                connection_id: ConnectionId::new_unchecked(number),
                endpoint: &endpoint,
                failed_addresses: &[],
                other_established: 0,
            }));
        }
        for peer in peers {
            assert_eq!(gossip.peer_score(&peer), Some(0.0));
        }
    }

    #[test]
    fn faults_outweigh_merit() {
        let merit = scores().topic_score_cap;
        assert!(score_of(1) + merit < 0.0);
        assert!(score_of(8) <= thresholds().graylist_threshold);
    }
}
