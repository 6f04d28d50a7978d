//! scratch
#![allow(clippy::print_stdout)]
use tieout_simulation::exhaustive::*;
fn main() {
    for world in worlds() {
        for w in WALKS {
            let mut covered = Covered::default();
            let began = std::time::Instant::now();
            walk(&world, w, 2, &mut covered);
            println!("{} {:?}: {:?} runs, gates {:?} faults {:?}, {} broken, {:?}", world.name, w, covered.total(), covered.gates.values(), covered.faults.values(), covered.broken.len(), began.elapsed());
            let mut seen = std::collections::BTreeSet::new();
            for (plan, what) in &covered.broken {
                let key: String = what[0].chars().filter(|c| !c.is_ascii_digit()).take(70).collect();
                if seen.insert(key) { println!("   {} {} -> {}", serde_json::to_string(&plan.strikes).unwrap(), serde_json::to_string(&plan.happenings).unwrap(), what[0]); }
                if seen.len() > 12 { break }
            }
            
        }
        if std::env::var("ONE").is_ok() { break }
    }
}
