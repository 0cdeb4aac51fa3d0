//! Figures as a table for people and as JSON for programs.

use std::fmt;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use serde_json::{Value, json};

/// Columns of a terminal that nobody told us the width of.
const WIDTH: u16 = 150;

/// One measurement: a title, columns, rows, and what its ratios are held against.
pub struct Report {
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
    /// Name, value, and the bound that it is meant to keep.
    pub ratios: Vec<(String, f64, &'static str)>,
}

/// One line of the table, and the single figures behind it in the order in which they were measured.
#[derive(Default)]
pub struct Row {
    pub cells: Vec<String>,
    pub samples: Vec<f64>,
}

impl Report {
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let cells = self.columns.iter().zip(&row.cells);
                let mut json: serde_json::Map<_, _> = cells
                    .map(|(column, cell)| {
                        (if column.is_empty() { "name" } else { column }.to_owned(), json!(cell))
                    })
                    .collect();
                json.insert("samples".to_owned(), json!(row.samples));
                Value::Object(json)
            })
            .collect();
        let ratios: Vec<Value> = self
            .ratios
            .iter()
            .map(|(name, value, bound)| json!({"ratio": name, "value": value, "meant": bound}))
            .collect();
        json!({"title": self.title, "rows": rows, "ratios": ratios})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY).set_header(self.columns.clone());
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if !table.is_tty() {
            table.set_width(WIDTH);
        }
        for row in &self.rows {
            table.add_row(row.cells.clone());
        }
        writeln!(f, "{}\n{table}", self.title)?;
        for (name, value, bound) in &self.ratios {
            writeln!(f, "  {name}: {value:.2} (meant: {bound})")?;
        }
        Ok(())
    }
}

/// The value below which `share` (0 to 1) of the samples lie; NaN when there are none.
pub fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

pub fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// The smallest and the largest sample.
pub fn spread(samples: &[f64]) -> String {
    format!("{:.0} to {:.0}", quantile(samples, 0.0), quantile(samples, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_a_sample_of_the_middle_and_of_nothing_it_is_no_number() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_json_has_the_samples_behind_each_line() {
        let row = Row { cells: vec!["plain".into(), "2".into()], samples: vec![1.0, 2.0, 3.0] };
        let report = Report {
            title: "t".into(),
            columns: vec!["", "median"],
            rows: vec![row],
            ratios: vec![("a / b".into(), 0.5, "at most 1")],
        };
        let json = report.json();
        let row = json!({"name": "plain", "median": "2", "samples": [1.0, 2.0, 3.0]});
        assert_eq!(json["rows"][0], row);
        assert_eq!(json["ratios"][0], json!({"ratio": "a / b", "value": 0.5, "meant": "at most 1"}));
    }
}
