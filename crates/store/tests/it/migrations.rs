use store::{Config, Database, StoreError, migrate};
use testkit::TestDatabase;

fn config(database: &TestDatabase) -> Config {
    Config::parse(&database.url("postgres"), "test").unwrap()
}

#[tokio::test]
async fn many_programs_may_migrate_the_same_fresh_database_at_once() {
    let database = TestDatabase::empty().await;
    let starts: Vec<_> = (0..20).map(|_| tokio::spawn(migrate(config(&database)))).collect();
    let mut migrated = 0;
    for start in starts {
        let report = start.await.unwrap().unwrap();
        migrated += usize::from(!report.applied.is_empty());
    }
    assert_eq!(migrated, 1, "exactly one of them has something to do");
    Database::open(config(&database)).await.unwrap();
}

#[tokio::test]
async fn a_database_without_the_schema_says_how_to_get_it() {
    let database = TestDatabase::empty().await;
    let error = Database::open(config(&database)).await.err().unwrap();
    assert!(matches!(error, StoreError::SchemaOlder { found: 0, .. }), "{error:?}");
    assert!(error.to_string().contains("codeteam migrate"), "{error}");
}

/// Before V16 there was nothing that says for whom a schema is good.
#[tokio::test]
async fn a_schema_older_than_the_program_is_named_with_what_to_do() {
    let database = TestDatabase::new().await;
    let admin = database.client("postgres").await;
    admin.batch_execute("delete from codeteam.schema_history where version > 12").await.unwrap();
    for also in ["", "drop function codeteam.works_since"] {
        admin.batch_execute(also).await.unwrap();
        let error = Database::open(config(&database)).await.err().unwrap();
        assert!(matches!(error, StoreError::SchemaOlder { found, known } if found < known), "{error:?}");
        assert!(error.to_string().contains("codeteam migrate"), "{error}");
    }
}

#[tokio::test]
async fn a_fresh_database_is_good_for_the_program_that_made_it() {
    let database = TestDatabase::empty().await;
    let migrated = migrate(config(&database)).await.unwrap();
    assert_eq!(migrated.version, migrated.known);
    assert!(migrated.applied.len() > 1 && migrated.functions_replaced, "{migrated:?}");
    let again = migrate(config(&database)).await.unwrap();
    assert!(again.applied.is_empty() && !again.functions_replaced, "{again:?}");
    Database::open(config(&database)).await.unwrap();
}

#[tokio::test]
async fn changed_functions_are_put_in_place_again() {
    let database = TestDatabase::new().await;
    let admin = database.client("postgres").await;
    admin
        .batch_execute(
            "create or replace function codeteam.schema_version() returns integer language sql as 'select 0';
             update codeteam.functions_applied set digest = 'another'",
        )
        .await
        .unwrap();
    assert!(migrate(config(&database)).await.unwrap().functions_replaced);
    assert!(!migrate(config(&database)).await.unwrap().functions_replaced);
    Database::open(config(&database)).await.unwrap();
}

/// `UPDATE_SCHEMA=1 cargo test -p store schema` writes the dump anew.
#[tokio::test]
async fn the_committed_schema_is_what_the_migrations_make() {
    let database = TestDatabase::new().await;
    // The server may be found through a link in a folder that has no pg_dump.
    let server = std::fs::canonicalize(embedded::find().unwrap().dir.join("postgres")).unwrap();
    let dump = tokio::process::Command::new(server.with_file_name("pg_dump"))
        .args(["--schema-only", "--schema=codeteam", "--no-owner", "--dbname"])
        .arg(database.url("postgres"))
        .output()
        .await
        .unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let found = normalised(&String::from_utf8(dump.stdout).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/schema.sql");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == found,
        "sql/schema.sql has drifted: UPDATE_SCHEMA=1 cargo test -p store schema writes it anew"
    );
}

/// Without what differs from one pg_dump to the next: its comments, its settings and its random keys.
fn normalised(dump: &str) -> String {
    let kept = dump.lines().filter(|line| {
        !line.starts_with("--")
            && !line.starts_with("SET ")
            && !line.starts_with("SELECT pg_catalog")
            && !line.starts_with('\\')
    });
    let mut text = String::from(
        "-- The schema as `pg_dump` 15 writes it, for reading. It is made, not edited: a test compares it.\n",
    );
    let mut blank = false;
    for line in kept {
        if !(line.is_empty() && blank) {
            text.push_str(line);
            text.push('\n');
        }
        blank = line.is_empty();
    }
    text
}
