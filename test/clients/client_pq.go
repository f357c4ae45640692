// client.go's lib/pq
package main

import (
	"database/sql"
	"errors"

	"github.com/lib/pq"
)

const name = "lib/pq"

var array = func(values []string) interface{} { return pq.Array(values) }

func connect(mode string) run {
	db, err := sql.Open("postgres", map[string]string{
		"pq":        "sslmode=disable",
		"pq-binary": "sslmode=disable binary_parameters=yes",
	}[mode])
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	return func(statement string, values []interface{}) (string, error) {
		rows, err := db.Query(statement, values...)
		if err != nil {
			return "", err
		}
		defer rows.Close()
		var value interface{}
		for rows.Next() {
			if err := rows.Scan(&value); err != nil {
				return "", err
			}
		}
		return text(value), rows.Err()
	}
}

func state(err error) string {
	var e *pq.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return "refused"
}
