//! What each code means and what to do about it, for a tool that shows help beside a finding.

use serde_json::{Value, json};

/// Code, what it means, what to do.
const CATALOGUE: [(&str, &str, &str); 49] = [
    (
        "account_currency",
        "An account takes one currency, and the rule is for others",
        "Name an account that accepts the currency, or correct `currency`.",
    ),
    (
        "account_held",
        "An account was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "account_not_postable",
        "A control, bank or system account is never posted to",
        "Name an account of type STANDARD.",
    ),
    (
        "ambiguous",
        "Two rules disagree on a line, and neither is more specific",
        "Add a condition to one of them, or a rule for the lines that both match.",
    ),
    (
        "category_partly_covered",
        "Some lines with a category get no account",
        "Add a rule for the line that is shown.",
    ),
    (
        "category_unclear",
        "Whether a category is covered is too entangled to be found out",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "category_without_rule",
        "No rule gives a category an account",
        "Add a rule for it, or disable it in Expensify.",
    ),
    (
        "content",
        "Something in the file is missing, unknown or not of its form",
        "As the finding says.",
    ),
    (
        "contradiction",
        "Two rules match the same lines and disagree",
        "Remove one of the two, or change what it matches.",
    ),
    (
        "cost_centre_and_project",
        "An account takes a cost centre or a project, and lines get both",
        "Narrow one of the two rules so that it leaves out such lines.",
    ),
    (
        "cost_centre_forbidden",
        "An account takes no cost centre, and one is set",
        "Narrow the rule that sets it, or name an account that takes one.",
    ),
    (
        "cost_centre_held",
        "A cost centre was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "cost_centre_or_project_required",
        "An account needs a cost centre or a project, and lines get neither",
        "Add a rule that sets one of the two for such lines.",
    ),
    (
        "cost_centre_required",
        "An account needs a cost centre, and lines get none",
        "Add a rule that sets `cost_centre` for such lines, or name an account that needs none.",
    ),
    (
        "cost_centre_unclear",
        "Whether accounts get the cost centres they want is too entangled to be found out",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "daybook_held",
        "A daybook was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "inactive_account",
        "An account is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "inactive_cost_centre",
        "A cost centre is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "inactive_daybook",
        "A daybook is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "inactive_project",
        "A project is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "inactive_sub_account",
        "A sub-account is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "inactive_supplier",
        "A supplier is inactive in QAD",
        "Name an active one, or have it activated.",
    ),
    (
        "member_without_supplier",
        "Members of a policy have no supplier in QAD",
        "Give each a supplier on the business relation, or name one under [suppliers.table].",
    ),
    (
        "never_wins",
        "More specific rules take every line that a rule matches",
        "Remove it, or widen what it matches.",
    ),
    (
        "policy_not_visible",
        "A policy is not visible to the credentials",
        "Make their account an admin of it, or correct its id.",
    ),
    (
        "project_forbidden",
        "An account takes no project, and one is set",
        "Narrow the rule that sets it, or name an account that takes one.",
    ),
    (
        "project_held",
        "A project was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "project_required",
        "An account needs a project, and lines get none",
        "Add a rule that sets `project` for such lines, or name an account that needs none.",
    ),
    (
        "project_unclear",
        "Whether accounts get the projects they want is too entangled to be found out",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "sub_account_forbidden",
        "An account takes no sub-account, and one is set",
        "Narrow the rule that sets it, or name an account that takes one.",
    ),
    (
        "sub_account_held",
        "A sub-account was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "sub_account_required",
        "An account needs a sub-account, and lines get none",
        "Add a rule that sets `sub_account` for such lines, or name an account that needs none.",
    ),
    (
        "sub_account_unclear",
        "Whether accounts get the sub-accounts they want is too entangled to be found out",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "supplier_held",
        "A supplier was not shown when QAD was last asked",
        "See in QAD whether it is still there and visible; what needs it is held until it is shown again.",
    ),
    (
        "syntax",
        "The file is not valid TOML",
        "Correct it where the finding says; nothing else could be looked at.",
    ),
    (
        "tag_partly_covered",
        "Some lines with a tag get no cost centre",
        "Add a rule for the line that is shown.",
    ),
    (
        "tag_unclear",
        "Whether a tag is covered is too entangled to be found out",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "tag_without_rule",
        "No rule gives a tag a cost centre",
        "Add a rule for it, or disable it in Expensify.",
    ),
    (
        "tags_not_checked",
        "The tags of a policy have too many combinations to be gone through",
        "Make the levels depend on each other, or look at `tieout sync --dry-run`.",
    ),
    (
        "too_entangled",
        "Freedom from ambiguity cannot be proven in a reasonable time",
        "Fewer fields in one rule, a rule for each of its values, or a set for each policy.",
    ),
    (
        "too_large",
        "The file is larger than any rule set",
        "Keep what is no rule elsewhere, or split it by connection.",
    ),
    (
        "unclear",
        "Whether a rule can ever win is too entangled to be found out",
        "Fewer fields in one rule, or a rule for each of its values.",
    ),
    (
        "unknown_account",
        "QAD has no such account",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "unknown_cost_centre",
        "QAD has no such cost centre",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "unknown_daybook",
        "QAD has no such daybook",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "unknown_project",
        "QAD has no such project",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "unknown_sub_account",
        "QAD has no such sub-account",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "unknown_supplier",
        "QAD has no such supplier",
        "Correct the code, or create it in QAD and let a cycle read it.",
    ),
    (
        "wrong_daybook",
        "A daybook is for other documents",
        "Name a daybook of that type.",
    ),
];

/// The entry of a code.
pub(super) fn entry(code: &str) -> Value {
    let (_, means, remedy) = CATALOGUE
        .iter()
        .find(|(known, ..)| *known == code)
        .copied()
        .unwrap_or((code, code, "As the finding says."));
    json!({"id": code, "shortDescription": {"text": means}, "help": {"text": remedy}})
}
