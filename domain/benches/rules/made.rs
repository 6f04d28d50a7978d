//! Rule sets like those of a site, of any size, and lines that meet them. The same in every run.

use tieout_domain::ids::Email;
use tieout_domain::rules::Witness;

/// Rules of one family: what a site writes for one department. Rules overlap by containment, and where two cross a
/// third settles it; it stands first, so that a set cut off anywhere is free of ambiguity.
const FAMILY: [&str; 18] = [
    // By category, narrowed by policy.
    r#"category = "Group G:Cat K" => account = "61~""#,
    r#"category = "Group G:Cat K", policy = "P1" => account = "62~""#,
    r#"category = "Group G:Cat K", policy = ["P2", "P4"] => account = "63~""#,
    // By category, narrowed by amount, and by merchant; what crosses is settled.
    r#"category = "Group G:Gear K", amount_from = 1000, merchant = "vendor K*" => account = "64~""#,
    r#"category = "Group G:Gear K", amount_from = 1000 => account = "65~""#,
    r#"category = "Group G:Gear K", merchant = "Vendor K*" => account = "66~""#,
    r#"category = "Group G:Gear K" => account = "67~""#,
    // By tag, whole and by level, narrowed by employee.
    r#"tag_level_1 = "Site K" => cost_centre = "C~""#,
    r#"tag = "Site K:Line 1" => cost_centre = "C~-1""#,
    r#"tag = "Site K:Line 1", employee = "eK@example.com" => cost_centre = "C~-2""#,
    r#"tag = ["Site K:Line 2", "Site K:Line 3"], reimbursable = false => cost_centre = "C~-3""#,
    // By report field.
    r#"field.Project = "Project K" => project = "P~""#,
    r#"field.Project = "Project K", amount_to = "49.99" => project = "P~-0""#,
    // By merchant.
    r#"merchant = "Shop K*" => sub_account = "S~""#,
    r#"merchant = "Shop K East*" => sub_account = "S~-1""#,
    r#"merchant = "Shop K East 7" => sub_account = "S~-2""#,
    // What nobody is owed and no card paid.
    r#"category = "Group G:Cat K", reimbursable = false => credit_account = "21~""#,
    r#"category = "Group G:Cat K", reimbursable = false, currency = ["EUR", "CHF"] => credit_account = "22~""#,
];

/// Files that are made to be slow: what they are, and how many rules the largest has.
pub fn hostile(number: usize) -> Vec<(&'static str, String)> {
    let mut random = Random::new(11);
    let mut half = |name: &str| -> String {
        let some: Vec<String> = (0..40)
            .filter(|_| random.below(2) == 0)
            .map(|n| format!("\"{name}{n}\""))
            .collect();
        format!("[{}]", some.join(", "))
    };
    let mut crossing = |code: &dyn Fn(usize) -> usize| -> String {
        let rules = (0..number).map(|at| {
            let (category, tag, kind) = (half("C"), half("T"), half("K"));
            let code = code(at);
            format!("[[rule]]\nwhen = {{ category = {category}, tag = {tag}, kind = {kind} }}\nset.account = \"{code}\"\n")
        });
        rules.collect::<String>() + SETTINGS
    };
    let nested =
        (0..number).map(|at| format!("[[rule]]\nwhen = {{ amount_from = {at} }}\nset.account = \"{at}\"\n"));
    let many = (0..80_000).map(|at| format!("[[rule]]\nwhen.tag = \"{at}\"\nset.account = \"1\"\n"));
    vec![
        ("all cross and disagree", crossing(&|at| at)),
        ("all cross and agree", crossing(&|_| 1)),
        ("each within the next", nested.collect::<String>() + SETTINGS),
        ("80,000 rules", many.collect::<String>() + SETTINGS),
    ]
}

const SETTINGS: &str = r#"
[posting]
date = "approved"
closed_period = "hold"
posted_means = "initial"
invoice_status = "AP-INITIAL"
[suppliers]
match = "table"
"#;

/// A file of so many rules.
pub fn rules(number: usize) -> String {
    let written = (0..number).map(|at| {
        let family = at / FAMILY.len();
        let rule = FAMILY[at % FAMILY.len()]
            .replace(" K", &format!(" {family}"))
            .replace("eK@", &format!("e{family}@"))
            .replace("Group G", &format!("Group {}", family / 10))
            .replace('~', &family.to_string());
        let (when, set) = rule.split_once("=>").unwrap_or_default();
        format!("[[rule]]\nname = \"Rule {at}\"\nwhen = {{ {when} }}\nset = {{ {set} }}\n")
    });
    written.collect::<String>() + SETTINGS
}

/// A line that some rules of a set of so many meet; one in ten bears a category and a tag that no rule names.
pub fn line(random: &mut Random, number: usize) -> Witness {
    let families = number.div_ceil(FAMILY.len());
    let k = random.below(families);
    let (category, tag) = match random.below(10) {
        0 => ("Unmapped".to_owned(), "Nowhere".to_owned()),
        _ => (
            format!("Group {}:{} {k}", k / 10, random.one_of(&["Cat", "Gear", "Old"])),
            format!("Site {k}:Line {}", 1 + random.below(4)),
        ),
    };
    let merchant = match random.below(4) {
        0 => format!("VENDOR {k} of Ohio"),
        1 => format!("Shop {k} East {}", random.below(9)),
        2 => format!("Shop {k}"),
        _ => "Corner café".to_owned(),
    };
    let project = random.one_of(&["Project", "Other"]);
    Witness {
        policy: random.one_of(&["P1", "P2", "P3"]).to_owned(),
        category,
        tag,
        employee: Email::new(&format!("e{}@example.com", random.below(families))).ok(),
        fields: [("Project".to_owned(), format!("{project} {k}"))].into(),
        currency: random.one_of(&["USD", "EUR", "CHF"]).to_owned(),
        reimbursable: random.below(4) > 0,
        merchant,
        kind: "expense".to_owned(),
        amount: (random.below(200_000) as i64).into(),
        ..Witness::default()
    }
}

/// A small generator (SplitMix64), so that every run measures the same.
pub struct Random(u64);
impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
    /// One of these.
    pub fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}
