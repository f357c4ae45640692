// Keys of any type without a cast, for pgx 5.
//
//	conn, err := pgx.Connect(ctx, "")
//	registerKeys(conn)      // of a pool: in its config's AfterConnect
//
// A key without a cast is text to the server, and pgx sends strings for text
// only. With this it sends numbers and times, too, as PostgreSQL reads them.
package main

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

type keyCodec struct{ pgtype.TextCodec }

type keyPlan struct{}

func registerKeys(conn *pgx.Conn) {
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "text", OID: pgtype.TextOID, Codec: keyCodec{}})
}

func (c keyCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	switch value.(type) {
	case int, int32, int64, time.Time:
		return keyPlan{}
	}
	return c.TextCodec.PlanEncode(m, oid, format, value)
}

func (keyPlan) Encode(value any, buf []byte) ([]byte, error) {
	if t, ok := value.(time.Time); ok {
		return t.AppendFormat(buf, time.RFC3339Nano), nil
	}
	return fmt.Append(buf, value), nil
}
