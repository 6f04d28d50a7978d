//! Plans that failed once, kept under `regressions`, each named for the mistake it showed.

use std::path::Path;

use crate::plan::Plan;
use crate::run::run;

/// Every kept plan with its name, by name.
pub fn kept() -> Vec<(String, Plan)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut plans: Vec<(String, Plan)> = std::fs::read_dir(&folder)
        .expect("the folder of the kept plans")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a plan");
            let plan = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .replace('-', " ");
            (name, plan)
        })
        .collect();
    plans.sort_by(|one, other| one.0.cmp(&other.0));
    plans
}

/// The first kept plan that breaks a law again, and which.
pub(crate) fn first_violation() -> Option<String> {
    kept().into_iter().find_map(|(name, plan)| {
        let what = run(&plan).violations.into_iter().next()?;
        Some(format!("kept plan «{name}»: {what}"))
    })
}
