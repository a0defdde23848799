//! Whether a field that is gone stands under another name: the same kind of values, and a name or title that is near.

use crate::contract::Contract;
use crate::field::Field;
use crate::parse::nearest;

/// The new name of a field that is gone.
pub(super) fn successor<'a>(old: &Contract, new: &'a Contract, gone: &Field) -> Option<&'a str> {
    let added = new.fields.iter();
    best(gone, added.filter(|field| old.field(&field.name).is_none()))
}

/// The old name of a field that is new.
pub(super) fn predecessor<'a>(old: &'a Contract, new: &Contract, added: &Field) -> Option<&'a str> {
    let gone = old.fields.iter();
    best(added, gone.filter(|field| new.field(&field.name).is_none()))
}

fn best<'a>(field: &Field, others: impl Iterator<Item = &'a Field>) -> Option<&'a str> {
    let others: Vec<&Field> = others
        .filter(|other| other.kind == field.kind && other.unit == field.unit)
        .collect();
    let meant = |other: &&&Field| {
        let same_notion = field.rdf_type.is_some() && other.rdf_type == field.rdf_type;
        same_notion || (!field.title.is_empty() && other.title == field.title)
    };
    let by_meaning = others.iter().find(meant).map(|other| other.name.as_str());
    by_meaning.or_else(|| nearest(&field.name, others.iter().map(|other| other.name.as_str())))
}
