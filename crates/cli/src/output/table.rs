//! A drawn table that streams: widths come from the first rows, so a million rows never sit in memory.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle,
    LineStyle, TableStyle, Width,
};

use super::cell::{Cells, drawable, is_bytes, is_number, options, readable};
use super::records::{Drawing, Shown, count, shown};
use super::{BatchWriter, Look, OutputError, RIGHT};

/// Rows whose widths decide the columns' widths, and rows drawn at once after that.
const SAMPLE_ROWS: usize = 1000;
/// Text kept for the sample, however wide the rows are.
const SAMPLE_BYTES: usize = 2 * 1024 * 1024;
/// Characters of a geometry or of bytes; whole ones go to csv and json.
const BYTES_CHARS_MAX: usize = 48;
/// Characters of any other value, so that one document does not fill the screen.
const TEXT_CHARS_MAX: usize = 2000;
/// Digits by which numbers after the sample may be longer before their column has to widen.
const NUMBER_SLACK: u16 = 3;
/// A word longer than this may be broken to make room.
const WORD_WIDTH_MAX: u16 = 32;
/// A table whose texts would be squeezed below this is drawn as records instead.
const LEGIBLE_WIDTH: usize = 8;
/// The floor of a column of numbers: they stay whole.
const NUMBER: u16 = u16::MAX;
/// A column is not squeezed below this.
const WIDTH_MIN: u16 = 6;

/// The values of a row.
type Row = Vec<Shown>;

/// See the module.
pub(super) struct Table<W> {
    sink: W,
    look: Look,
    columns: Vec<Column>,
    waiting: Vec<Row>,
    waiting_bytes: usize,
    widths: Vec<u16>,
    rows: u64,
    /// Set once the first rows show that no table would be legible here.
    records: Option<Drawing>,
}

struct Column {
    name: String,
    right: bool,
    chars_max: usize,
}

/// Which lines a piece of the table has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    First,
    Next,
}

impl<W: Write> Table<W> {
    pub(super) fn new(sink: W, schema: &SchemaRef, look: Look) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| Column {
                name: drawable(field.name(), false).into_owned(),
                right: is_number(field.data_type()) || field.metadata().contains_key(RIGHT),
                chars_max: chars_max(is_bytes(field)),
            })
            .collect();
        Self {
            sink,
            look,
            columns,
            waiting: Vec::new(),
            waiting_bytes: 0,
            widths: Vec::new(),
            rows: 0,
            records: None,
        }
    }

    /// Draws what waits. The sample decides the widths; a later piece may only widen them, so that no number is broken in two.
    fn draw(&mut self, more: bool) -> Result<(), OutputError> {
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let piece = if self.widths.is_empty() {
            Piece::First
        } else if rows.is_empty() {
            return Ok(());
        } else {
            Piece::Next
        };
        let floors = self.floors(&rows);
        let undecided = piece == Piece::First && self.records.is_none();
        if undecided && !rows.is_empty() && !self.is_legible(&rows, &floors) {
            let names = self.columns.iter().map(|column| column.name.clone());
            self.records = Some(Drawing::new(names.collect(), self.look.width));
        }
        if let Some(records) = &mut self.records {
            return Ok(rows
                .iter()
                .try_for_each(|row| records.draw(&mut self.sink, row))?);
        }
        let mut drawing = comfy_table::Table::new();
        self.style(&mut drawing, piece);
        for row in rows {
            drawing.add_row(row.into_iter().map(|value| self.cell(value)));
        }
        self.widen(
            drawing.column_max_content_widths(),
            &floors,
            more && piece == Piece::First,
        );
        let columns = drawing.column_iter_mut().zip(&self.columns);
        for ((column, facts), width) in columns.zip(&self.widths) {
            // Two more for the padding.
            let width = Width::Fixed(width.saturating_add(2));
            column.set_constraint(ColumnConstraint::Absolute(width));
            if facts.right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in drawing.lines() {
            writeln!(self.sink, "{line}")?;
        }
        Ok(())
    }

    /// Takes what the new rows want; with `slack`, numbers get room to grow in the rows not yet seen.
    fn widen(&mut self, mut wanted: Vec<u16>, floors: &[u16], slack: bool) {
        for (index, width) in wanted.iter_mut().enumerate() {
            let before = self.widths.get(index).copied().unwrap_or_default();
            let right = self.columns.get(index).is_some_and(|it| it.right);
            let room = if slack && right { NUMBER_SLACK } else { 0 };
            *width = before.max(width.saturating_add(room));
        }
        let columns: Vec<Fit> = wanted
            .into_iter()
            .zip(floors)
            .map(|(wanted, floor)| Fit {
                wanted,
                floor: *floor,
            })
            .collect();
        self.widths = fit(&columns, self.look.width);
    }

    /// Whether the terminal has room for numbers whole and a piece of each text.
    fn is_legible(&self, rows: &[Row], floors: &[u16]) -> bool {
        let Some(width) = self.look.width else {
            return true;
        };
        let mut needed = 1;
        for (index, floor) in floors.iter().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(index)?.as_deref());
            let words = cells.chain(self.columns.get(index).map(|it| it.name.as_str()));
            let widest = words
                .map(|word| word.chars().count())
                .max()
                .unwrap_or_default();
            let least = if *floor == NUMBER {
                widest
            } else {
                widest.min(LEGIBLE_WIDTH)
            };
            needed += least + 3;
        }
        needed <= usize::from(width)
    }

    /// Widths below which a column would be hard to read: its longest word, a number whole, and what is equally long in every row
    /// (an instant, a code).
    fn floors(&self, rows: &[Row]) -> Vec<u16> {
        let mut floors = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(index)?.as_deref());
            let words = cells
                .chain([column.name.as_str()])
                .flat_map(str::split_whitespace);
            let longest = words
                .map(|word| word.chars().count())
                .max()
                .unwrap_or_default();
            let longest = longest.max(self.common_length(rows, index).unwrap_or_default());
            let longest = u16::try_from(longest).unwrap_or(u16::MAX);
            floors.push(if column.right {
                NUMBER
            } else {
                longest.min(WORD_WIDTH_MAX)
            });
        }
        floors
    }

    /// How long each of several values is, if all are equally long.
    fn common_length(&self, rows: &[Row], index: usize) -> Option<usize> {
        let mut lengths = rows
            .iter()
            .filter_map(|row| Some(row.get(index)?.as_deref()?.chars().count()));
        let (first, second) = (lengths.next()?, lengths.next()?);
        (first == second && lengths.all(|it| it == first)).then_some(first)
    }

    fn style(&self, drawing: &mut comfy_table::Table, piece: Piece) {
        drawing.set_content_arrangement(ContentArrangement::Disabled);
        if self.look.color {
            drawing.enforce_styling();
        } else {
            drawing.force_no_tty();
        }
        // The bottom line is drawn by `finish`: only then is it known which piece is the last.
        let style = TableStyle::new()
            .header_lines(ContentLineStyle::new('│', '│', '│'))
            .header_separator(LineStyle::new('├', '─', '┼', '┤'))
            .content_lines(ContentLineStyle::new('│', '│', '│'));
        match piece {
            Piece::First => {
                drawing.load_style(style.top_border(LineStyle::new('╭', '─', '┬', '╮')));
                drawing.set_header(self.columns.iter().map(|column| {
                    let cell = Cell::new(&column.name);
                    if self.look.color {
                        cell.add_attribute(Attribute::Bold)
                    } else {
                        cell
                    }
                }));
            }
            Piece::Next => {
                drawing.load_style(style);
            }
        }
    }

    fn cell(&self, value: Option<String>) -> Cell {
        match value {
            Some(text) => Cell::new_owned(text),
            None if self.look.color => Cell::new("NULL").add_attribute(Attribute::Dim),
            None => Cell::new("NULL"),
        }
    }

    fn bottom(&mut self) -> Result<(), OutputError> {
        let runs: Vec<String> = self
            .widths
            .iter()
            .map(|width| "─".repeat(usize::from(*width) + 2))
            .collect();
        if !runs.is_empty() {
            writeln!(self.sink, "╰{}╯", runs.join("┴"))?;
        }
        Ok(())
    }
}

/// How many characters of a value a table shows.
pub(super) fn chars_max(bytes: bool) -> usize {
    if bytes {
        BYTES_CHARS_MAX
    } else {
        TEXT_CHARS_MAX
    }
}

impl<W: Write> BatchWriter for Table<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = readable(batch)?;
        let options = options();
        let cells = Cells::new(&batch, &options)?;
        let chars_max: Vec<usize> = self.columns.iter().map(|it| it.chars_max).collect();
        for row in 0..batch.num_rows() {
            let values = shown(&cells, row, &chars_max)?;
            let bytes = values.iter().map(|it| it.as_ref().map_or(4, String::len));
            self.waiting_bytes += bytes.sum::<usize>();
            self.waiting.push(values);
            self.rows += 1;
            if self.waiting.len() >= SAMPLE_ROWS || self.waiting_bytes >= SAMPLE_BYTES {
                self.draw(true)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if let (0, Some(sentence)) = (self.rows, self.look.empty) {
            writeln!(self.sink, "{sentence}")?;
            return Ok(self.sink.flush()?);
        }
        self.draw(false)?;
        if self.records.is_none() {
            self.bottom()?;
        }
        if self.look.count {
            count(&mut self.sink, self.rows)?;
        }
        Ok(self.sink.flush()?)
    }
}

/// How wide a column would be, and below which width it is hard to read.
#[derive(Debug, Clone, Copy)]
struct Fit {
    wanted: u16,
    floor: u16,
}

/// Content widths that fit a terminal: the widest columns give way first. Words stay whole while there is room, numbers always;
/// no other column is squeezed below [`WIDTH_MIN`].
fn fit(columns: &[Fit], terminal: Option<u16>) -> Vec<u16> {
    let whole = || columns.iter().map(|it| it.wanted).collect();
    let Some(terminal) = terminal else {
        return whole();
    };
    // Each column costs its padding and one line, and there is one line more.
    let lines = u16::try_from(columns.len()).unwrap_or(u16::MAX);
    let room = terminal.saturating_sub(lines.saturating_mul(3).saturating_add(1));
    let words_kept = |cap: u16| -> Vec<u16> {
        let width = |it: &Fit| it.wanted.min(cap.max(it.floor));
        columns.iter().map(width).collect()
    };
    let words_broken = |cap: u16| -> Vec<u16> {
        let width = |it: &Fit| match it.floor {
            NUMBER => it.wanted,
            floor => it.wanted.min(floor).min(cap),
        };
        columns.iter().map(width).collect()
    };
    let fits =
        |widths: &[u16]| widths.iter().map(|it| u32::from(*it)).sum::<u32>() <= u32::from(room);
    let widest = columns.iter().map(|it| it.wanted).max().unwrap_or_default();
    let caps = || (WIDTH_MIN.min(widest)..=widest).rev();
    caps()
        .map(words_kept)
        .chain(caps().map(words_broken))
        .find(|widths| fits(widths))
        .unwrap_or_else(|| words_broken(WIDTH_MIN))
}

#[cfg(test)]
mod tests {
    use super::{Fit, NUMBER, fit};

    #[test]
    fn the_widest_columns_give_way_first() {
        let check = |columns: &[(u16, u16)], terminal, expected: &[u16]| {
            let columns: Vec<Fit> = columns
                .iter()
                .map(|&(wanted, floor)| Fit { wanted, floor })
                .collect();
            assert_eq!(fit(&columns, terminal), expected);
        };
        check(&[(5, 5), (100, 9)], None, &[5, 100]);
        check(&[(5, 5), (100, 9)], Some(200), &[5, 100]);
        check(&[(5, 5), (100, 9), (30, 9)], Some(60), &[5, 22, 22]);
        // Words stay whole while another column can give way.
        check(&[(24, 24), (100, 9), (30, 9)], Some(60), &[24, 13, 13]);
        check(&[(24, 24), (24, 24)], Some(40), &[16, 16]);
        check(&[(12, NUMBER), (50, 40), (50, 40)], Some(50), &[12, 14, 14]);
        check(&[(24, 24), (61, 18), (10, 10)], Some(58), &[20, 18, 10]);
        check(&[(50, 50); 4], Some(20), &[6; 4]);
    }
}
