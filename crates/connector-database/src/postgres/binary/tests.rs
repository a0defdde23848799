#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;
use crate::cells::schema;

/// A COPY of two columns, an int4 and a text.
fn copy(rows: &[(Option<i32>, Option<String>)]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([0; 8]);
    for (number, text) in rows {
        bytes.extend(2_i16.to_be_bytes());
        for field in [
            number.map(|it| it.to_be_bytes().to_vec()),
            text.as_ref().map(|it| it.as_bytes().to_vec()),
        ] {
            match field {
                None => bytes.extend((-1_i32).to_be_bytes()),
                Some(field) => {
                    bytes.extend((field.len() as i32).to_be_bytes());
                    bytes.extend(field);
                }
            }
        }
    }
    bytes.extend((-1_i16).to_be_bytes());
    bytes
}

fn decode(
    bytes: &[u8],
    piece: usize,
) -> Result<Vec<(Option<i32>, Option<String>)>, ConnectorError> {
    let mut rows = Rows::new(schema([
        ("n".to_owned(), DataType::Int32),
        ("t".to_owned(), DataType::Utf8),
    ]));
    let mut decoder = Decoder::new(vec![Wire::I32, Wire::Text]);
    for piece in bytes.chunks(piece) {
        decoder.feed(piece, &mut rows)?;
    }
    decoder.end()?;
    let Some((batch, _)) = rows.take()? else {
        return Ok(Vec::new());
    };
    let value = |column: usize, row: usize| {
        let array = batch.column(column);
        (!array.is_null(row)).then(|| array_value_to_string(array, row).unwrap())
    };
    Ok((0..batch.num_rows())
        .map(|row| (value(0, row).map(|it| it.parse().unwrap()), value(1, row)))
        .collect())
}

proptest! {
    #[test]
    fn rows_come_through_whatever_pieces_they_come_in(
        rows in proptest::collection::vec(any::<(Option<i32>, Option<String>)>(), 0..40), piece in 1_usize..300,
    ) {
        prop_assert_eq!(decode(&copy(&rows), piece).unwrap(), rows);
    }

    #[test]
    fn broken_bytes_are_an_error_and_never_a_panic(
        rows in proptest::collection::vec(any::<(Option<i32>, Option<String>)>(), 0..10),
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(), piece in 1_usize..50,
    ) {
        let mut bytes = copy(&rows);
        let _ = decode(&bytes[..cut.index(bytes.len())], piece).unwrap_err();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes, piece);
    }

    #[test]
    fn a_value_of_any_bytes_is_read_or_refused(field in proptest::collection::vec(any::<u8>(), 0..24)) {
        for (wire, data_type) in [
            (Wire::Bool, DataType::Boolean), (Wire::I16, DataType::Int16), (Wire::I64, DataType::Int64), (Wire::F32, DataType::Float32),
            (Wire::Uuid, DataType::Utf8), (Wire::Jsonb, DataType::Utf8), (Wire::Time, DataType::Utf8), (Wire::Date, DataType::Date32),
            (Wire::Timestamp, crate::cells::instant()), (Wire::Numeric(2), crate::cells::decimal(10, 2)), (Wire::Bytes, DataType::Binary),
        ] {
            let mut rows = Rows::new(schema([("c".to_owned(), data_type)]));
            let _ = value(wire, &field, 0, &mut rows);
        }
    }
}

#[test]
fn what_is_no_copy_is_named() {
    let said = |bytes: &[u8]| decode(bytes, 1000).unwrap_err().to_string();
    let whole = copy(&[(Some(1), None)]);
    assert_eq!(
        said(b"hello, world"),
        "row 1 of COPY cannot be read: it does not begin as a binary COPY"
    );
    assert_eq!(said(&whole[..30]), "the rows broke off after 0");
    assert_eq!(
        said(&[&whole[..], b"x"].concat()),
        "row 2 of COPY cannot be read: bytes follow the end"
    );
    let mut flags = whole.clone();
    flags[11] = 1;
    assert_eq!(
        said(&flags),
        "row 1 of COPY cannot be read: its header has a flag that is not known"
    );
    let mut more = whole;
    more[20] = 3;
    assert_eq!(
        said(&more),
        "row 1 of COPY cannot be read: a row has 3 values, not 2"
    );
}

#[test]
fn uuids_and_times_are_written_as_postgresql_does() {
    assert_eq!(
        uuid([
            0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38,
            0x0a, 0x11
        ]),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    );
    assert_eq!(time(86_400_000_000), "24:00:00");
    assert_eq!(time(43_200_000_001), "12:00:00.000001");
    assert_eq!(time(500_000), "00:00:00.5");
}
