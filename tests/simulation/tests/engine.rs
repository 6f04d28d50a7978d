//! Whole runs over the engine that speaks to an EventStoreDB server, through the server's stand-in: what befalls the wire
//! is hidden from the workflow, and every answer is the model's.

use tieout_simulation::exhaustive::{Covered, Walk, walk_one, worlds};
use tieout_simulation::wire::WIRE_FAULTS;
use tieout_simulation::{Engine, random};

#[test]
fn over_the_engine_seeds_go_as_over_memory_whatever_befalls_the_wire() {
    let seeds = random::seeds_over(Engine::EventStore, 0, 16);
    assert!(seeds.broken.is_empty(), "{:#?}", seeds.broken);
    for fault in WIRE_FAULTS {
        assert!(
            seeds.wire.contains_key(&fault),
            "{fault:?} struck: {:?}",
            seeds.wire
        );
    }
}

#[test]
fn over_the_engine_a_log_is_put_back_and_gone_on_with() {
    let mut covered = Covered {
        engine: Engine::EventStore,
        every: 40,
        ..Covered::default()
    };
    for world in worlds()
        .iter()
        .filter(|world| world.name == "an invoice and a journal")
    {
        walk_one(world, Walk::Restored, &mut covered);
    }
    assert!(covered.total() > 0, "something is put back");
    assert!(covered.broken.is_empty(), "{:#?}", covered.broken);
}
