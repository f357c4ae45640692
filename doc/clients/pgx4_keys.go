// Keys of any type without a cast, for pgx 4: as pgx5_keys.go for version 5.
package main

import (
	"fmt"
	"time"

	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
)

type keyText struct{ pgtype.Text }

func registerKeys(conn *pgx.Conn) {
	conn.ConnInfo().RegisterDataType(pgtype.DataType{Value: &keyText{}, Name: "text", OID: pgtype.TextOID})
}

func (k *keyText) Set(value interface{}) error {
	switch v := value.(type) {
	case int, int32, int64:
		value = fmt.Sprint(v)
	case time.Time:
		value = v.Format(time.RFC3339Nano)
	}
	return k.Text.Set(value)
}
