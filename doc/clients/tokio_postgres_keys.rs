// Keys of any type without a cast, for tokio-postgres: Key(7), Key("/"), Key(day).
//
// A key without a cast is text to the server, and tokio-postgres sends strings for
// text only.  A Key is sent as it is displayed, and PostgreSQL reads it; so a table's
// name and JSON are keys, too.
use bytes::BytesMut;
use std::error::Error;
use std::fmt::{Debug, Display, Write};
use tokio_postgres::types::{to_sql_checked, Format, IsNull, ToSql, Type};

#[derive(Debug)]
pub struct Key<T>(pub T);

impl<T: Debug + Display> ToSql for Key<T> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        write!(out, "{}", self.0)?;
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
