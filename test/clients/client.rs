// Runs statements.tsv through tokio-postgres: client MODE VERSION.  See client.py.
mod tokio_postgres_keys;

use bytes::BytesMut;
use std::error::Error;
use tokio_postgres::types::{to_sql_checked, FromSql, IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_keys::Key;

type Value = Box<dyn ToSql + Sync>;

fn parameter(text: &str, keys: bool) -> Value {
    let (kind, value) = text.split_once(':').unwrap();
    match kind {
        _ if value == r"\N" => Box::new(None::<String>),
        "texts" => Box::new(value.split('|').map(String::from).collect::<Vec<_>>()),
        // no driver of numeric is among Debian's packages
        _ if keys || kind == "numeric" => Box::new(Key(value.to_string())),
        "int" | "bigint" => Box::new(Number(value.parse().unwrap())),
        "uuid" => Box::new(uuid::Uuid::parse_str(value).unwrap()),
        "date" => Box::new(value.parse::<chrono::NaiveDate>().unwrap()),
        "json" => Box::new(serde_json::from_str::<serde_json::Value>(value).unwrap()),
        _ => Box::new(value.to_string()),
    }
}

// an i32 or an i64, as one writes the one that is asked for
#[derive(Debug)]
struct Number(i64);

impl ToSql for Number {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *ty {
            Type::INT4 => i32::try_from(self.0)?.to_sql(ty, out),
            _ => self.0.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT4 | Type::INT8)
    }

    to_sql_checked!();
}

// a value of any type that the statements give
struct Shown(String);

impl<'a> FromSql<'a> for Shown {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Shown(match *ty {
            Type::INT4 => i32::from_sql(ty, raw)?.to_string(),
            Type::INT8 => i64::from_sql(ty, raw)?.to_string(),
            Type::BOOL => bool::from_sql(ty, raw)?.to_string(),
            Type::NUMERIC => numeric(raw),
            _ => std::str::from_utf8(raw)?.to_string(),
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

// digits, the first one's weight, sign and scale, and the digits, of base 10000
fn numeric(raw: &[u8]) -> String {
    let word = |n: usize| i16::from_be_bytes([raw[2 * n], raw[2 * n + 1]]) as i32;
    let digit = |place: i32| match word(1) - place {
        n if n < 0 || n >= word(0) => 0,
        n => word(4 + n as usize),
    };
    let whole = (0..=word(1).max(0)).rev().map(|p| format!("{:04}", digit(p))).collect::<String>();
    let part = (1..=(word(3) + 3) / 4).map(|p| format!("{:04}", digit(-p))).collect::<String>();
    let whole = whole.trim_start_matches('0');
    format!("{}.{}", if whole.is_empty() { "0" } else { whole }, &part[..word(3) as usize])
}

// how many parameters a statement has
fn used(statement: &str) -> usize {
    (1..10).rev().find(|n| statement.contains(&format!("${}", n))).unwrap_or(0)
}

async fn all(db: &Client, statements: &str, values: &[Value]) -> Result<String, tokio_postgres::Error> {
    let mut result = String::new();
    for statement in statements.split("; ") {
        let values: Vec<_> = values[..used(statement)].iter().map(|v| &**v as &(dyn ToSql + Sync)).collect();
        let rows = db.query(statement, &values).await?;
        result = match rows.last() {
            Some(row) => row.try_get::<_, Option<Shown>>(0)?.map_or(String::new(), |shown| shown.0),
            None => String::new(),
        };
    }
    Ok(result)
}

fn state(e: &tokio_postgres::Error) -> &str {
    e.code().map_or("refused", |code| code.code())
}

fn message(e: &tokio_postgres::Error) -> String {
    match (e.as_db_error(), e.source()) {
        (Some(db), _) => db.message().to_string(),
        (None, Some(source)) => source.to_string(),
        (None, None) => e.to_string(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mode = std::env::args().nth(1).unwrap();
    let of = |name| std::env::var(name).unwrap();
    let (db, connection) = Config::new()
        .host(&of("PGHOST"))
        .port(of("PGPORT").parse()?)
        .user(&of("PGUSER"))
        .dbname(&of("PGDATABASE"))
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    println!("version\ttokio-postgres {}", std::env::args().nth(2).unwrap());
    for line in std::fs::read_to_string("statements.tsv")?.lines().filter(|line| !line.starts_with('#')) {
        let f: Vec<_> = line.split('\t').collect();
        let values: Vec<_> = f[4..].iter().map(|p| parameter(p, mode == "tokio-postgres")).collect();
        let e = match all(&db, f[2], &values).await {
            Ok(value) => {
                println!("{}\tok\t{}", f[0], value);
                continue;
            }
            Err(e) => e,
        };
        let mut told = message(&e);
        if !f[3].is_empty() && f[1] != format!("error {}", state(&e)) {
            match all(&db, f[3], &values).await {
                Ok(value) => {
                    println!("{}\tcast\t{}\t{}\t{}", f[0], value, state(&e), told);
                    continue;
                }
                Err(again) => told = format!("{} / {}", told, message(&again)),
            }
        }
        println!("{}\terror\t{}\t{}", f[0], state(&e), told);
    }
    Ok(())
}
