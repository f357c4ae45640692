// client.go's pgx, version 4
package main

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

const name = "pgx"

var array = func(values []string) interface{} { return values }

func connect(mode string) run {
	c, err := pgx.Connect(context.Background(), "")
	if err != nil {
		panic(err)
	}
	var options []interface{}
	switch mode {
	case "pgx4":
		registerKeys(c)
	case "pgx4-simple":
		options = append(options, pgx.QuerySimpleProtocol(true))
	}
	return func(statement string, values []interface{}) (string, error) {
		rows, err := c.Query(context.Background(), statement, append(append([]interface{}{}, options...), values...)...)
		if err != nil {
			return "", err
		}
		defer rows.Close()
		result := ""
		for rows.Next() {
			result = string(rows.RawValues()[0])
			if rows.FieldDescriptions()[0].Format == 1 {
				v, err := rows.Values()
				if err != nil {
					return "", err
				}
				result = text(v[0])
				if n, ok := v[0].(driver.Valuer); ok {
					s, _ := n.Value()
					result = text(s)
				}
			}
		}
		return result, rows.Err()
	}
}

func state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return "refused"
}
