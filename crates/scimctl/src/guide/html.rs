//! A page of Markdown as a page of HTML that can be pasted into a product's help pages.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// The look: readable on a phone, in light and in dark.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1rem/1.5 system-ui,sans-serif}\
main{max-width:48rem;margin:0 auto;padding:1rem}\
h1,h2{line-height:1.2;margin:2rem 0 .5rem}\
li{margin:.5rem 0}\
code{font-size:.9em;overflow-wrap:anywhere}\
.table{overflow-x:auto}\
table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #8888;padding:.4rem .6rem;text-align:left;vertical-align:top}";

/// The page as HTML, with the heading of the page as its title. Nothing in it is a script.
pub(crate) fn html(markdown: &str) -> String {
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    let mut title = String::new();
    html::push_html(&mut title, std::iter::once(Event::Text(heading(&events, 0).into())));
    let mut body = String::with_capacity(markdown.len() * 2);
    let safe = (0..events.len()).filter_map(|at| Some((at, events.get(at)?)));
    let safe = safe.flat_map(|(at, event)| shown(&events, at, event));
    html::push_html(&mut body, safe);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}\
         </title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n\
         </html>\n"
    )
}

/// An event as the page shows it: tables scroll, headings have names to link to, and HTML is text.
fn shown<'e>(events: &[Event<'e>], at: usize, event: &Event<'e>) -> Vec<Event<'e>> {
    let raw = |text: &'static str| Event::Html(CowStr::Borrowed(text));
    match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text.clone())],
        Event::Start(Tag::Table(_)) => {
            vec![
                raw("<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n"),
                event.clone(),
            ]
        }
        Event::End(TagEnd::Table) => vec![event.clone(), raw("</div>\n")],
        Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
            let id = Some(slug(&heading(events, at)).into());
            let (level, classes, attrs) = (*level, classes.clone(), attrs.clone());
            vec![Event::Start(Tag::Heading { level, id, classes, attrs })]
        }
        event => vec![event.clone()],
    }
}

/// The text of the first heading from a place on.
fn heading(events: &[Event<'_>], from: usize) -> String {
    let rest = events.iter().skip(from);
    let inside = rest.skip_while(|event| !matches!(event, Event::Start(Tag::Heading { .. })));
    let inside = inside.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let texts = inside.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

/// The name of a heading in links, as GitHub makes it.
fn slug(heading: &str) -> String {
    let letters = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    letters.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
