//! The interpreter against outputs that the real engine gives.

use super::*;

fn data<'a>() -> Record<'a> {
    let item = |name: &'a str, amount| {
        Value::hash(
            Record::default()
                .with("name", Value::text(name))
                .with("amount", Value::integer(amount)),
        )
    };
    Record::default()
        .with("title", Value::text("A & B \"quoted\""))
        .with("yes", Value::Bool(true))
        .with("n", Value::integer(1_234_567))
        .with("blank", Value::text(""))
        .with("at", Value::text("2026-09-02 10:11:12"))
        .with("evil", Value::text("${7*7} <#list x as y>"))
        .with(
            "items",
            Value::list(vec![item("taxi", 1200), item("hotel", 34500)]),
        )
        .with("none", Value::list(vec![]))
}

fn render_with(template: &str, rendering: Rendering) -> Result<String, TemplateError> {
    let template = Template::parse(template)?;
    let mut out = Vec::new();
    let now = chrono::NaiveDate::from_ymd_opt(2026, 1, 2)
        .unwrap()
        .and_hms_opt(3, 4, 5)
        .unwrap();
    template.render(data(), now, rendering, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(
        render_with(template, Rendering::default()).unwrap(),
        expected,
        "{template}"
    );
}

#[test]
fn interpolations_print_text_and_numbers_and_leave_booleans_and_missing_names_blank() {
    check(
        "${title}|${n}|${yes}|${nobody}|${blank}",
        "A & B \"quoted\"|1234567|||",
    );
    check(
        "${yes?c} ${yes?string} ${yes?string('J','N')} ${n?c} ${yes?then(1, 2)}",
        "true true J 1234567 1",
    );
}

#[test]
fn numbers_print_locale_style_when_asked_to() {
    let strict = Rendering {
        strict_numbers: true,
        ..Rendering::default()
    };
    assert_eq!(
        render_with("${n} ${n?c} ${n?string('0.00')}", strict).unwrap(),
        "1,234,567 1234567 1234567.00"
    );
}

#[test]
fn defaults_forgive_one_step_and_in_parentheses_every_step() {
    check(
        "[${nobody!'x'}][${(nobody.a.b)!'y'}][${(nobody.a)!}][${title!'z'}]",
        "[x][y][][A & B \"quoted\"]",
    );
    check(
        "${(nobody??)?c}${(title??)?c}${((nobody.a)??)?c}${(nobody.a)?has_content?c}",
        "falsetruefalsefalse",
    );
    check("${nobody.a!'not forgiven'}|", "|");
    check(
        "${blank?has_content?c}${items?has_content?c}${none?has_content?c}",
        "falsetruefalse",
    );
}

#[test]
fn a_failing_directive_prints_nothing_or_aborts() {
    check(
        "a<#if nobody.x == 1>b<#else>c</#if>d<#list nobody.y as z>e</#list>f",
        "adf",
    );
    let abort = Rendering {
        abort_on_error: true,
        ..Rendering::default()
    };
    assert!(matches!(
        render_with("a${nobody.x}b", abort),
        Err(TemplateError::Stopped(_))
    ));
    assert_eq!(render_with("a${nobody}b", abort).unwrap(), "ab");
}

#[test]
fn lists_know_where_they_are() {
    check(
        "<#list items as i>${i?index}${i?counter}:${i.name}=${i.amount?c}<#sep>, </#list>",
        "01:taxi=1200, 12:hotel=34500",
    );
    check(
        "<#list items as i>${i.name}<#if i_has_next>;</#if></#list>",
        "taxi;hotel",
    );
    check(
        "<#list items as i>${i.name}<#sep>, </#sep>!</#list>",
        "taxi, !hotel!",
    );
    check("<#list none as i>x<#else>empty</#list>", "empty");
    check(
        "<#list items>[<#items as i>${i.name}<#sep>,</#items>]</#list>",
        "[taxi,hotel]",
    );
    check(
        "<#list 1..3 as i>${i}</#list>|<#list 1..<3 as i>${i}</#list>|<#list [1,2,3,4] as i><#if i == 3><#break></#if>${i}</#list>",
        "123|12|12",
    );
    check("<#list {'a': 1, 'b': 2} as k, v>${k}${v}</#list>", "a1b2");
}

#[test]
fn lines_of_tags_leave_no_space_behind() {
    check("<#if yes>\n  in\n</#if>\nout\n", "  in\nout\n");
    check("<#list items as i>\n${i.name}\n</#list>\n", "taxi\nhotel\n");
    check("<#list items as i>${i.name}<#lt>\n</#list>", "taxi\nhotel\n");
    check("a\n  <#-- note -->\nb", "a\nb");
    check("<#list items as i>\n  ${i.name}<#t>\n</#list>", "taxihotel");
    check("x <#rt>\n  y", "x  y");
    check("<#assign a = 1>\n\n<#assign b = 2>\n${a + b}", "3");
}

#[test]
fn assignments_macros_and_functions() {
    check(
        "<#assign x = 3, y = x * 2 z = 'q'>${x}${y}${z}<#assign x += 4>${x}<#assign x++>${x}",
        "36q78",
    );
    check("<#assign t>a${n}b</#assign>[${t}]", "[a1234567b]");
    check(
        "<#macro m a b='B'>${a}${b}<#nested 5></#macro><@m a='x'; k>n${k}</@m><@m 'p' 'q'/>",
        "xBn5pq",
    );
    check("<#function twice x><#return x * 2></#function>${twice(21)}", "42");
    check(
        "<#function clean s><#return s?replace('\\n', ' ')?trim></#function>${clean(' a\\nb ')}",
        "a b",
    );
    check("<#macro m><#local v = 1>${v}</#macro><@m/>${v!'gone'}", "1gone");
}

#[test]
fn expressions_bind_as_in_freemarker() {
    check(
        "${1 + 2 * 3 - 4 / 2} ${(1 + 2) * 3} ${7 % 3} ${-2 + 5} ${1200 / 100}",
        "5 9 1 3 12",
    );
    check(
        "<#if n gt 5 && !(blank == 'x') || false>y</#if><#if (n > 5)>z</#if>",
        "yz",
    );
    check(
        "${'a' + 1 + title[0]} ${title[0..0]} ${\"in ${n + 1}\"} ${r'${raw}'}",
        "aA1".replace("aA1", "a1A A in 1234568 ${raw}").as_str(),
    );
}

#[test]
fn built_ins_on_text_sequences_and_dates() {
    check(
        "${'a,b,c'?split(',')?join('-')} ${'abc'?upper_case} ${' x '?trim} ${'abc'?length} ${items?size}",
        "a-b-c ABC x 3 2",
    );
    check(
        "${items?map(i -> i.amount)?join('+')} ${items?filter(i -> i.amount gt 2000)?size} ${items?first.name}",
        "1200+34500 1 taxi",
    );
    check(
        "${at?date('yyyy-MM-dd')?string('dd.MM.yyyy')} ${at?datetime('yyyy-MM-dd HH:mm:ss')?string(\"yyyyMMdd'T'HHmm\")}",
        "02.09.2026 20260902T1011",
    );
    check("${.now?string('yyyy-MM-dd HH:mm:ss')}", "2026-01-02 03:04:05");
    check(
        "${title?json_string} ${title?html} ${'x'?left_pad(3, '0')} ${items?sort_by('name')?first.name}",
        "A & B \\\"quoted\\\" A &amp; B &quot;quoted&quot; 00x hotel",
    );
}

#[test]
fn switch_attempt_and_compress() {
    check(
        "<#switch n><#case 1>a<#break><#case 1234567>b<#break><#default>c</#switch>",
        "b",
    );
    check("<#attempt>${nobody.x}<#recover>saved</#attempt>", "saved");
    check("<#compress>\n a   b \n\n c </#compress>", "a b\nc");
}

#[test]
fn text_in_the_data_is_never_evaluated() {
    check(
        "${evil} ${evil?json_string}",
        "${7*7} <#list x as y> ${7*7} <#list x as y>",
    );
}

#[test]
fn what_is_not_freemarker_or_not_known_is_refused_when_parsed() {
    for bad in [
        "${",
        "<#if x>",
        "<#list x as>y</#list>",
        "${x?no_such_thing}",
        "<#nosuch>",
        "</#if>",
        "${1 +}",
        "<#assign x>",
        "${'a}",
        "<#include 'x'>",
        "${x?eval}",
        "<#else>",
    ] {
        assert!(
            matches!(Template::parse(bad), Err(TemplateError::Parse { .. })),
            "{bad}"
        );
    }
    let deep = format!("${{{}1{}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(Template::parse(&deep).is_err());
}

#[test]
fn a_macro_that_calls_itself_without_end_is_stopped() {
    let abort = Rendering {
        abort_on_error: true,
        ..Rendering::default()
    };
    assert!(render_with("<#macro m><@m/></#macro><@m/>", abort).is_err());
}
