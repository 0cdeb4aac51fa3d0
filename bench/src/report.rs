//! Figures as a table for people and as JSON for programs.

use std::fmt;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::{Value, json};

/// One measurement: a title, columns, rows, and what its ratios are held against.
pub struct Report {
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// Name, value, and the bound that it is meant to keep.
    pub ratios: Vec<(&'static str, f64, &'static str)>,
}

impl Report {
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                self.columns.iter().zip(row).map(|(column, cell)| (column.to_string(), json!(cell))).collect()
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
        for row in &self.rows {
            table.add_row(row.clone());
        }
        writeln!(f, "{}\n{table}", self.title)?;
        for (name, value, bound) in &self.ratios {
            writeln!(f, "  {name}: {value:.2} (meant: {bound})")?;
        }
        Ok(())
    }
}

/// The value below which `share` (0 to 1) of the samples lie.
pub fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
