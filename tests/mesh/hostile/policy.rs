//! Two honest nodes of differing policy: one lists an organisation, the other does not. Neither lowers the other's score.

use starfish_protocol::community::Community;
use starfish_tests::{
    cast::{Organisation, now, sealed_names},
    nodes::Nodes,
};

use super::{bare, inline, script::Script, speaker::Speaker};

#[test]
fn differing_policies_cost_no_score() {
    let community = Community::named("starfish");
    let disputed = Organisation::new("Disputed", 67, community, now());
    let lists = |index: usize| {
        if index == 0 {
            vec![disputed.id.to_string()]
        } else {
            Vec::new()
        }
    };
    let mesh = Nodes::start_listing(3, &[(0, 1), (1, 2)], lists);
    let script = Script::new(&disputed, community);
    let topic = starfish_protocol::wire::Channel::Clear.topic(&community);
    let mut speakers: Vec<Speaker> = [0, 1]
        .map(|node| Speaker::connect(&mesh[node].tcp_address(), script.key(), script.manners()))
        .into();
    for speaker in &mut speakers {
        speaker.ask(&script.introduction()).expect("the node answers a Hello");
        speaker.join(&topic);
    }
    let mut position = script.opening();
    for number in 0..60 {
        let sealed = sealed_names(&format!("disputed-{number}"), 1 + number % 3 * 400);
        script.holds(&sealed);
        let header = script.writes(position, &sealed, |_| {});
        position = script.behind(&header);
        let payload = if sealed.compressed.len() < 1_000 {
            inline(&header, &sealed.compressed)
        } else {
            bare(&header)
        };
        speakers[number % 2].publish(&topic, &payload);
        speakers[(number + 1) % 2].publish(&topic, &payload);
    }
    // Everybody believes what everybody lists.
    for (index, node) in mesh.all().enumerate() {
        node.publish("c2", &[format!("agreed-{index}.example")]);
    }
    for node in mesh.all() {
        (0..3).for_each(|index| node.gets(&format!("agreed-{index}.example")));
    }
    mesh[0].gets("disputed-59-0.example");
    for index in [1, 2] {
        assert!(mesh[index].believed("disputed-59-0.example").is_empty());
    }
    for node in mesh.all() {
        for peer in node.json(&["peers"]) {
            assert!(peer["strikes"] == 0 && peer["score"].as_f64() >= Some(0.0), "{peer}");
        }
    }
    assert!(speakers.iter().all(Speaker::is_connected));
}
