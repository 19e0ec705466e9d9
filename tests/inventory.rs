//! Inventories as files: what is read, and every message of what is refused.

use fleetprov::inventory::parse;
use fleetprov::model::Source;

#[test]
fn the_sketch_of_the_design_is_an_inventory() {
    let text = include_str!("cases/inventory/sketch.yaml");
    let fleet = parse(&Source::new("sketch.yaml", text), None).unwrap();
    assert_eq!(fleet.machines.len(), 6);
}
