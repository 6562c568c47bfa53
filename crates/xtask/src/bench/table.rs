//! The figures for people and for programs.

use serde_json::{Map, Value, json};

use super::measure::Row;

/// Ours comes first for every route; what follows on the same route is a yardstick.
const OURS: &str = "endpointforward";

/// One line a figure, one column a row: figures are many, programs few.
pub(crate) fn print(rows: &[Row]) {
    let title = |row: &Row| (row.route.to_owned(), row.program.to_owned());
    let width = OURS.len();
    let (routes, programs): (Vec<_>, Vec<_>) = rows.iter().map(title).unzip();
    for heads in [routes, programs] {
        print!("{:<28}", "");
        heads.iter().for_each(|head| print!("  {head:>width$}"));
        println!();
    }
    let Some(first) = rows.first() else { return };
    for (at, figure) in first.figures.iter().enumerate() {
        print!("{:<28}", format!("{}, {}", figure.name, figure.unit));
        rows.iter().for_each(|row| print!("  {:>width$}", number(row.figures[at].value)));
        println!();
    }
    for ratio in ratios(rows) {
        println!("{ratio}");
    }
}

/// The same as JSON.
pub(crate) fn json(rows: &[Row], quick: bool) -> String {
    let row = |row: &Row| {
        let named = |figure: &super::measure::Figure| {
            (format!("{}, {}", figure.name, figure.unit), json!(figure.value))
        };
        let figures: Map<String, Value> = row.figures.iter().map(named).collect();
        json!({ "route": row.route, "program": row.program, "figures": figures })
    };
    let all = json!({ "quick": quick, "rows": rows.iter().map(row).collect::<Vec<_>>() });
    format!("{all:#}\n")
}

fn ratios(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| row.program != OURS) {
        let Some(ours) =
            rows.iter().find(|other| other.route == row.route && other.program == OURS)
        else {
            continue;
        };
        let pairs = ours.figures.iter().zip(&row.figures).filter(|(figure, _)| figure.compared);
        let pairs = pairs.filter(|(_, theirs)| theirs.value > 0.0);
        let shown: Vec<_> = pairs
            .map(|(ours, theirs)| format!("{} {}", ours.name, number(ours.value / theirs.value)))
            .collect();
        lines.push(format!("{}: ours / {}: {}", row.route, row.program, shown.join(", ")));
    }
    lines
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Figure;
    use super::*;

    fn row(program: &'static str, value: f64) -> Row {
        let figure = |name, compared| Figure { name, unit: "s", value, compared };
        Row {
            route: "tcp-tcp",
            program,
            figures: vec![figure("bulk", true), figure("count", false)],
        }
    }

    #[test]
    fn ours_is_put_against_every_yardstick_of_the_route() {
        let rows = [row(OURS, 1.0), row("socat", 4.0)];
        assert_eq!(ratios(&rows), ["tcp-tcp: ours / socat: bulk 0.25"]);
    }

    #[test]
    fn json_has_every_figure() {
        let value: Value = serde_json::from_str(&json(&[row(OURS, 1.5)], true)).unwrap();
        assert_eq!(value["rows"][0]["figures"]["bulk, s"], 1.5);
        assert_eq!(value["quick"], true);
    }
}
