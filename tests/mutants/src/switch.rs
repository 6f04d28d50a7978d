//! Puts the mutants of one file into its text, each behind a switch: the file is compiled once, and any one of them can
//! be switched on when it runs. Every mutant is a few insertions, so that mutants within mutants need no thought.

use std::collections::BTreeMap;
use std::ops::Range;

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::list::{Genre, Mutant};

/// The function that asks whether a mutant is on, as the mutated crate sees it.
const ON: &str = "crate::mutant_is_on";

/// The text with every mutant in it that could be put there, and the numbers of those.
///
/// # Errors
/// What the parser says of the file.
pub fn switched(text: &str, mutants: &[&Mutant]) -> Result<(String, Vec<usize>), syn::Error> {
    let file = syn::parse_file(text)?;
    let mut hand = Hand {
        mutants,
        edits: Vec::new(),
        placed: Vec::new(),
    };
    hand.visit_file(&file);
    Ok((written(text, hand.edits), hand.placed))
}

/// Something put at the beginning, at the end, or in the place of a range.
struct Edit {
    range: Range<usize>,
    before: String,
    after: String,
}

fn written(text: &str, edits: Vec<Edit>) -> String {
    let mut openings: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    let mut closings: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    let mut replaced: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    for Edit { range, before, after } in edits {
        if let Some(put) = before.strip_prefix(REPLACE) {
            replaced.insert(range.start, (range.end, put.to_owned()));
            continue;
        }
        let length = range.len();
        openings.entry(range.start).or_default().push((length, before));
        closings.entry(range.end).or_default().push((length, after));
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    while at <= text.len() {
        if let Some(mut these) = closings.remove(&at) {
            // What was put around first is the outermost.
            these.reverse();
            these.sort_by_key(|(length, _)| *length);
            these.iter().for_each(|(_, put)| out.push_str(put));
        }
        if let Some(mut these) = openings.remove(&at) {
            these.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
            these.iter().for_each(|(_, put)| out.push_str(put));
        }
        if let Some((end, put)) = replaced.remove(&at) {
            out.push_str(&put);
            at = end;
            continue;
        }
        let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else {
            break;
        };
        out.push(next);
        at += next.len_utf8();
    }
    out
}

/// Marks an edit that takes the place of what it covers.
const REPLACE: &str = "\0";

struct Hand<'a> {
    mutants: &'a [&'a Mutant],
    edits: Vec<Edit>,
    placed: Vec<usize>,
}

impl Hand<'_> {
    /// The mutants of what stands at `span`. Where it ends is not asked: a comma may or may not belong to it.
    fn at(&self, genre: Genre, span: Span) -> Vec<(usize, String)> {
        self.mutants
            .iter()
            .filter(|m| m.genre == genre && begins(m, span.start()))
            .map(|m| (m.number, m.replacement.clone()))
            .collect()
    }

    fn wrap(&mut self, range: Range<usize>, before: impl Into<String>, after: impl Into<String>) {
        self.edits.push(Edit {
            range,
            before: before.into(),
            after: after.into(),
        });
    }

    fn replace(&mut self, range: Range<usize>, put: impl AsRef<str>) {
        self.wrap(range, format!("{REPLACE}{}", put.as_ref()), "");
    }

    fn body(&mut self, block: &syn::Block, signature: &syn::Signature) {
        if signature.constness.is_some() || gives_an_impl(signature) {
            return;
        }
        let Some(first) = block.stmts.first() else { return };
        let start = first.span().start();
        let mutants: Vec<_> = self
            .mutants
            .iter()
            .filter(|m| m.genre == Genre::FnValue && begins(m, start))
            .map(|m| (m.number, m.replacement.clone()))
            .collect();
        let open = block.brace_token.span.open().byte_range().end;
        let put: String = mutants
            .iter()
            .map(|(number, replacement)| format!(" if {ON}({number}) {{ return {{ {replacement} }}; }}"))
            .collect();
        self.placed.extend(mutants.iter().map(|(number, _)| *number));
        self.wrap(open..open, put, "");
    }

    /// An arm can be left out where another catches everything.
    fn arm_of_a_match(&mut self, arm: &syn::Arm, dispensable: bool) {
        let mut deleted = self.at(Genre::MatchArm, arm.span());
        deleted.retain(|_| dispensable);
        let guards = arm
            .guard
            .as_ref()
            .map(|(_, guard)| (guard, self.at(Genre::MatchArmGuard, guard.span())));
        let mut off: String = deleted
            .iter()
            .map(|(number, _)| format!("!{ON}({number}) && "))
            .collect();
        self.placed.extend(deleted.iter().map(|(number, _)| *number));
        match guards {
            Some((guard, mutants)) if !has_let(guard) => {
                let mut yes = String::new();
                for (number, replacement) in mutants {
                    match replacement.as_str() {
                        "true" => yes.push_str(&format!("{ON}({number}) || ")),
                        "false" => off.push_str(&format!("!{ON}({number}) && ")),
                        _ => continue,
                    }
                    self.placed.push(number);
                }
                self.wrap(
                    guard.span().byte_range(),
                    format!("({off}({yes}("),
                    ")))".to_owned(),
                );
            }
            Some(_) => self
                .placed
                .retain(|number| !deleted.iter().any(|(n, _)| n == number)),
            None if !off.is_empty() => {
                let end = arm.pat.span().byte_range().end;
                self.wrap(end..end, format!(" if {}", off.trim_end_matches(" && ")), "");
            }
            None => {}
        }
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let mutants = self.at(Genre::BinaryOperator, node.op.span());
        if mutants.is_empty() || has_let(&node.left) || has_let(&node.right) {
            return;
        }
        let whole = node.span().byte_range();
        let left = node.left.span().byte_range();
        let right = node.right.span().byte_range();
        let between = left.end..right.start;
        // The lines keep their numbers, by which the compiler's complaints are understood.
        let lines = "\n".repeat(node.right.span().start().line - node.left.span().end().line);
        let own = operator(&node.op);
        let choice = |l: &str, r: &str| {
            let mut text = String::new();
            for (number, operator) in &mutants {
                text.push_str(&format!("if {ON}({number}) {{ {l} {operator} {r} }} else "));
            }
            format!("{text}{{ {l} {own} {r} }}")
        };
        use syn::BinOp as Op;
        match node.op {
            Op::And(_) | Op::Or(_) => {
                // `a && b` asks b where a holds, `a || b` where it does not.
                if mutants.iter().any(|(_, to)| to != "&&" && to != "||") {
                    return;
                }
                let Some((number, _)) = mutants.first() else {
                    return;
                };
                let is = if matches!(node.op, Op::And(_)) { "!=" } else { "==" };
                self.wrap(whole, "({ let l: bool = (", ") } else { l } })");
                self.replace(between, format!("); if l {is} {ON}({number}) {{ ({lines}"));
            }
            Op::Eq(_) | Op::Ne(_) | Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => {
                let choice = choice("*l", "*r");
                self.wrap(whole, "(match (&(", format!(")) {{ (l, r) => {{ {choice} }} }})"));
                self.replace(between, format!("), &({lines}"));
            }
            Op::Add(_)
            | Op::Sub(_)
            | Op::Mul(_)
            | Op::Div(_)
            | Op::Rem(_)
            | Op::BitAnd(_)
            | Op::BitOr(_)
            | Op::BitXor(_)
            | Op::Shl(_)
            | Op::Shr(_) => {
                let choice = choice("l", "r");
                self.wrap(whole, "(match ((", format!(")) {{ (l, r) => {{ {choice} }} }})"));
                self.replace(between, format!("), ({lines}"));
            }
            _ => {
                let mut text = String::new();
                for (number, operator) in &mutants {
                    text.push_str(&format!("if {ON}({number}) {{ *l {operator} r }} else "));
                }
                self.wrap(
                    whole,
                    "(match (&mut (",
                    format!(")) {{ (l, r) => {{ {text}{{ *l {own} r }} }} }})"),
                );
                self.replace(between, format!("), ({lines}"));
            }
        }
        self.placed.extend(mutants.iter().map(|(number, _)| *number));
    }

    fn field(&mut self, field: &syn::FieldValue, rest: &str) {
        let mutants = self.at(Genre::StructField, field.span());
        let (Some((number, _)), syn::Member::Named(name)) = (mutants.first(), &field.member) else {
            return;
        };
        let colon = if field.colon_token.is_some() {
            String::new()
        } else {
            format!("{name}: ")
        };
        self.wrap(
            field.expr.span().byte_range(),
            format!("{colon}(if {ON}({number}) {{ ({rest}).{name}.clone() }} else {{ "),
            " })",
        );
        self.placed.push(*number);
    }

    fn unary(&mut self, node: &syn::ExprUnary) {
        let mutants = self.at(Genre::UnaryOperator, node.op.span());
        let Some((number, _)) = mutants.first() else {
            return;
        };
        let own = match node.op {
            syn::UnOp::Not(_) => "!",
            syn::UnOp::Neg(_) => "-",
            _ => return,
        };
        let end = node.expr.span().byte_range();
        self.wrap(
            node.span().byte_range(),
            "(match (",
            format!(") {{ x => {{ if {ON}({number}) {{ x }} else {{ {own}x }} }} }})"),
        );
        self.replace(node.op.span().byte_range().start..end.start, "");
        self.placed.push(*number);
    }
}

impl<'ast> Visit<'ast> for Hand<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.body(&node.block, &node.sig);
        if node.sig.constness.is_none() {
            visit::visit_item_fn(self, node);
        }
    }
    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.body(&node.block, &node.sig);
        if node.sig.constness.is_none() {
            visit::visit_impl_item_fn(self, node);
        }
    }
    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.body(block, &node.sig);
        }
        visit::visit_trait_item_fn(self, node);
    }
    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let catches_the_rest = |arm: &syn::Arm| arm.guard.is_none() && matches!(arm.pat, syn::Pat::Wild(_));
        let dispensable = node.arms.iter().any(catches_the_rest);
        node.arms
            .iter()
            .for_each(|arm| self.arm_of_a_match(arm, dispensable));
        visit::visit_expr_match(self, node);
    }
    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        self.binary(node);
        visit::visit_expr_binary(self, node);
    }
    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        self.unary(node);
        visit::visit_expr_unary(self, node);
    }
    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        if let Some(rest) = &node.rest {
            let rest = rest.span().source_text().unwrap_or_default();
            node.fields.iter().for_each(|field| self.field(field, &rest));
        }
        visit::visit_expr_struct(self, node);
    }
    // Constants are computed when the file is compiled: no switch can stand in them.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
}

/// Such a function returns one type only: the body's and the mutant's do not go together.
fn gives_an_impl(signature: &syn::Signature) -> bool {
    struct Impls(bool);
    impl<'ast> Visit<'ast> for Impls {
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut impls = Impls(false);
    impls.visit_return_type(&signature.output);
    impls.0
}

fn has_let(expression: &syn::Expr) -> bool {
    struct Lets(bool);
    impl<'ast> Visit<'ast> for Lets {
        fn visit_expr_let(&mut self, _: &'ast syn::ExprLet) {
            self.0 = true;
        }
        fn visit_expr_block(&mut self, _: &'ast syn::ExprBlock) {}
        fn visit_expr_if(&mut self, _: &'ast syn::ExprIf) {}
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    }
    let mut lets = Lets(false);
    lets.visit_expr(expression);
    lets.0
}

fn operator(op: &syn::BinOp) -> String {
    op.span().source_text().unwrap_or_default()
}

fn begins(mutant: &Mutant, at: LineColumn) -> bool {
    (mutant.span.start.line, mutant.span.start.column) == (at.line, at.column + 1)
}

#[cfg(test)]
mod tests {
    use super::switched;
    use crate::list::{Extent, Genre, Mutant, Place};

    fn mutant(number: usize, genre: Genre, (line, column): (usize, usize), replacement: &str) -> Mutant {
        Mutant {
            number,
            file: "lib.rs".into(),
            name: String::new(),
            genre,
            replacement: replacement.into(),
            span: Extent {
                start: Place { line, column },
            },
        }
    }

    const TEXT: &str = "\
fn both(a: u8, b: u8) -> bool {
    a < 2 &&
        !(b == 3)
}
fn word(n: u8) -> u8 {
    match n {
        0 if both(n, n) => 1,
        _ => 2,
    }
}
";

    #[test]
    fn every_mutant_stands_behind_its_switch_and_lines_keep_their_numbers() {
        use Genre as G;
        let all = [
            mutant(1, G::FnValue, (2, 5), "true"),
            mutant(2, G::BinaryOperator, (2, 7), ">"),
            mutant(3, G::BinaryOperator, (2, 11), "||"),
            mutant(4, G::UnaryOperator, (3, 9), ""),
            mutant(5, G::MatchArm, (7, 9), ""),
            mutant(6, G::MatchArmGuard, (7, 14), "true"),
            mutant(7, G::MatchArmGuard, (7, 14), "false"),
        ];
        let (text, mut placed) = switched(TEXT, &all.iter().collect::<Vec<_>>()).expect("it is Rust");
        placed.sort_unstable();
        assert_eq!(placed, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(text.lines().count(), TEXT.lines().count());
        syn::parse_file(&text).expect("it is still Rust");
        for piece in [
            "{ if crate::mutant_is_on(1) { return { true }; }",
            "if crate::mutant_is_on(2) { *l > *r } else { *l < *r }",
            "if l != crate::mutant_is_on(3) {",
            "if crate::mutant_is_on(4) { x } else { !x }",
            "0 if (!crate::mutant_is_on(5) && !crate::mutant_is_on(7) && (crate::mutant_is_on(6) || (both(n, n)))) => 1",
        ] {
            assert!(text.contains(piece), "{piece}\n{text}");
        }
    }

    #[test]
    fn where_no_switch_can_stand_none_is_made() {
        let text = "const fn one() -> u8 {\n    1\n}\nfn all() -> impl Iterator<Item = u8> {\n    std::iter::once(1)\n}\n";
        let all = [
            mutant(1, Genre::FnValue, (2, 5), "0"),
            mutant(2, Genre::FnValue, (5, 5), "::std::iter::empty()"),
        ];
        let (same, placed) = switched(text, &all.iter().collect::<Vec<_>>()).expect("it is Rust");
        assert_eq!((same.as_str(), placed), (text, vec![]));
    }
}
