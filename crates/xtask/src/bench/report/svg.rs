//! Two plots, readable on light and on dark pages.

use std::fmt::Write as _;

use super::super::figures::number;
use super::super::results::Results;
use super::super::subject::programs::REFERENCE;
use super::super::workload::Workload;

/// Bars of every program's ratio to the reference, a group a workload. The axis is logarithmic: twice as much and half
/// as much are equally far from the reference.
pub(crate) fn ratios(results: &Results) -> String {
    let mut groups = Vec::new();
    for workload in Workload::ALL {
        let bars: Vec<_> = results
            .subjects
            .iter()
            .filter(|subject| subject.name != REFERENCE)
            .filter_map(|subject| {
                let of = &results.figures;
                let ratio =
                    of.ratio(&workload.name(), subject.name, REFERENCE, workload.headline())?;
                Some((subject.name, ratio.median))
            })
            .collect();
        if !bars.is_empty() {
            groups.push((workload.name(), bars));
        }
    }
    bars(&groups)
}

fn bars(groups: &[(String, Vec<(&str, f64)>)]) -> String {
    let all = groups.iter().flat_map(|(_, bars)| bars.iter().map(|(_, value)| *value));
    let (least, most) =
        all.fold((0.5_f64, 2.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    let x = |value: f64| LEFT + (value / least).ln() / (most / least).ln() * WIDTH;
    let (mut body, mut y) = (String::new(), 56.0);
    for (name, bars) in groups {
        put(
            &mut body,
            &format!("<text x=\"12\" y=\"{y}\" class=\"head\">{}</text>", escaped(name)),
        );
        y += 8.0;
        for (subject, value) in bars {
            let class = if subject.starts_with("endpointforward") { "ours" } else { "other" };
            let (from, to) = (x(1.0).min(x(*value)), x(1.0).max(x(*value)));
            put(
                &mut body,
                &format!(
                    "<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>\
                 <rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"13\" class=\"{class}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                    LEFT - 8.0,
                    y + 11.0,
                    escaped(subject),
                    (to - from).max(1.0),
                    to + 5.0,
                    y + 11.0,
                    number(*value),
                ),
            );
            y += 17.0;
        }
        y += 22.0;
    }
    let one = x(1.0);
    put(
        &mut body,
        &format!(
            "<line x1=\"{one:.1}\" y1=\"34\" x2=\"{one:.1}\" y2=\"{:.1}\" class=\"axis\"/>\
         <text x=\"{one:.1}\" y=\"28\" class=\"middle\">reference = 1</text>",
            y - 22.0,
        ),
    );
    picture(
        "Processor time as a ratio to the reference; less is better",
        LEFT + WIDTH + 60.0,
        y,
        &body,
    )
}

/// Lines of the cost of a byte by the number of sessions.
pub(crate) fn sessions(results: &Results) -> String {
    let most = results.scale.iter().map(|point| point.sessions).max().unwrap_or(1).max(2);
    let top = results.scale.iter().map(|point| point.ratio.median).fold(1.5, f64::max) * 1.1;
    let x = |sessions: usize| 60.0 + (sessions as f64).ln() / (most as f64).ln() * 520.0;
    let y = |ratio: f64| 300.0 - ratio / top * 250.0;
    let mut body = String::new();
    for (value, class) in [(0.0, "axis"), (1.0, "axis"), (1.2, "bar")] {
        put(
            &mut body,
            &format!(
                "<line x1=\"60\" y1=\"{0:.1}\" x2=\"580\" y2=\"{0:.1}\" class=\"{class}\"/>\
             <text x=\"54\" y=\"{1:.1}\" class=\"name\">{value}</text>",
                y(value),
                y(value) + 4.0,
            ),
        );
    }
    let mut steps: Vec<_> = results.scale.iter().map(|point| point.sessions).collect();
    steps.sort_unstable();
    steps.dedup();
    for step in steps {
        put(
            &mut body,
            &format!("<text x=\"{:.1}\" y=\"318\" class=\"middle\">{step}</text>", x(step)),
        );
    }
    let mut subjects: Vec<_> = results.scale.iter().map(|point| point.subject.as_str()).collect();
    subjects.dedup();
    for subject in subjects {
        let class = if subject.starts_with("endpointforward") { "ours" } else { "other" };
        let points: Vec<_> =
            results.scale.iter().filter(|point| point.subject == subject).collect();
        let places: Vec<_> = points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.sessions), y(point.ratio.median)))
            .collect();
        put(
            &mut body,
            &format!("<polyline points=\"{}\" class=\"line {class}\"/>", places.join(" ")),
        );
        if let Some(last) = points.last() {
            let (x, y) = (x(last.sessions) + 6.0, y(last.ratio.median) + 4.0);
            put(&mut body, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(subject)));
        }
    }
    picture("Processor time a byte by the number of sessions, 1 session = 1", 790.0, 330.0, &body)
}

fn picture(title: &str, width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" class=\"page\"/>\n{body}</svg>\n",
        escaped(title),
    )
}

fn put(body: &mut String, text: &str) {
    writeln!(body, "{text}").expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A picture in a page has the page's scheme, and not its style: it brings its own background.
const STYLE: &str = "
text{font:12px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}.name{text-anchor:end}.middle{text-anchor:middle}
.page{fill:#fff}.ours{fill:#0969da;stroke:#0969da}.other{fill:#8c959f;stroke:#8c959f}rect{stroke:none!important}
.line{fill:none!important;stroke-width:2}.axis{stroke:#8c959f}.bar{stroke:#cf222e;stroke-dasharray:4 3}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.ours{fill:#4493f8;stroke:#4493f8}
.other{fill:#767e88;stroke:#767e88}.bar{stroke:#f85149}}
";

const LEFT: f64 = 190.0;
const WIDTH: f64 = 460.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_well_formed() {
        let groups =
            [("there, <64> B".to_owned(), vec![("endpointforward ws→tcp", 1.2), ("a & b", 0.01)])];
        let picture = bars(&groups);
        assert!(picture.contains("a &amp; b") && picture.contains("there, &lt;64&gt; B"));
        assert_eq!(picture.matches("<rect").count(), 3, "a page and a bar for each");
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        balanced(&picture);
    }

    /// Every element that is opened is closed, in the right order.
    fn balanced(text: &str) {
        let mut open = Vec::new();
        for tag in text.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag
                .split(|c: char| c.is_whitespace() || c == '/')
                .find(|name| !name.is_empty())
                .unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}
