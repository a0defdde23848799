//! Contracts that a table does not take, and what is told then.

use std::sync::Arc;

use sectorlake_contract::{Contract, FieldType};

use super::*;
use crate::stage::form::evolution;

#[tokio::test]
async fn what_a_wider_type_does_not_hold_exactly_is_told() {
    let lake = lake().await;
    let rows = vec![row("a", (1 << 53) + 1, "p1", 1)];
    under(&changed("1.0.0", "integer", "", ""), Load::Append)
        .run(&lake, "bus", &[rows])
        .await
        .unwrap();
    let number = under(&changed("1.1.0", "number", "", ""), Load::Append);
    let run = lake.begin("bus").await.unwrap();
    let error = number
        .stage(&run, &[vec![row("b", 1, "p2", 1)]])
        .await
        .unwrap_err();
    run.abandon().await.unwrap();
    insta::assert_snapshot!(told(&error));
    assert_eq!(values(&lake, "bus").await.len(), 1);
}

#[tokio::test]
async fn what_breaks_is_refused_change_by_change() {
    let lake = fed(&changed(
        "1.0.0",
        "integer",
        r#", { "name": "note", "type": "string" }"#,
        "",
    ))
    .await;
    let broken = changed(
        "1.1.0",
        "string",
        r#", { "name": "remark", "type": "string" }"#,
        "",
    );
    insta::assert_snapshot!(told(&refused(&lake, &broken, Load::Append).await));
    // Also where every row goes: who reads the table relies on it.
    let alone = Lake::open_or_create("memory://", crate::Env::manual())
        .await
        .unwrap();
    under(&changed("1.0.0", "integer", "", ""), Load::Replace)
        .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let error = refused(&alone, &changed("1.0.1", "string", "", ""), Load::Replace).await;
    assert!(matches!(error, LakeError::Breaking(_)), "{error}");
    // A tighter rule breaks nothing that stays then, and does where rows stay.
    let required = r#", { "name": "note", "type": "string", "constraints": { "maxLength": 3 } }"#;
    let loose = r#", { "name": "note", "type": "string" }"#;
    let (loose, tight) = (
        changed("1.1.0", "integer", loose, ""),
        changed("1.2.0", "integer", required, ""),
    );
    for contract in [&loose, &tight] {
        under(contract, Load::Replace)
            .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
            .await
            .unwrap();
    }
    under(&loose, Load::Replace)
        .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let error = refused(&alone, &tight, Load::Append).await;
    assert!(error.to_string().contains("maxLength"), "{error}");
}

#[tokio::test]
async fn a_name_that_is_taken_or_gone_is_told() {
    let lake = fed(&changed("2.0.0", "integer", "", "")).await;
    let other = Contract::clone(&changed("1.0.0", "integer", "", ""));
    let other = Arc::new(other.renamed("test.items_v3".parse().unwrap()));
    under(&other, Load::Append)
        .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let taken = refused(&lake, &changed("3.0.0", "string", "", ""), Load::Append).await;
    let gone = refused(&lake, &changed("1.0.0", "string", "", ""), Load::Append).await;
    insta::assert_snapshot!(format!("{}\n{}", told(&taken), told(&gone)));
}

#[tokio::test]
async fn a_table_from_before_contracts_were_stored_is_known_by_its_schema() {
    let lake = fed(&contract_with("")).await;
    let mut old = table(&lake, At::Latest, &items()).await;
    old.metadata.remove(crate::table::CONTRACT);
    let known = old.contract();
    let field = known.field("value").unwrap();
    assert_eq!(
        (field.unit.as_deref(), &field.kind),
        (Some("m"), &FieldType::Integer)
    );
    assert_eq!(known.primary_key, ["id"]);
    // Its rules are not known, so none can be tighter; a type or a unit can be another.
    let name = crate::versions::Family {
        table: items(),
        newest: Some(3),
    };
    let tight = contract_with(r#", "version": "1.1", "key_scope": "lake""#);
    let form = evolution(&old, (&tight, &name), false);
    assert!(form.unwrap().is_some(), "it is given its contract");
    let other = changed("1.1", "string", "", "");
    let refused = evolution(&old, (&other, &name), false);
    let help = refused.unwrap_err().help().unwrap();
    assert!(
        help.contains("to 4.0.0: its rows then go to test.items_v4,"),
        "{help}"
    );
}
