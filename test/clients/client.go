// Runs statements.tsv through a client for Go: client MODE.  See client.py.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/lib/pq"
)

var place = regexp.MustCompile(`\$(\d+)`)

func parameter(text string) interface{} {
	kind, value, _ := strings.Cut(text, ":")
	if value == `\N` {
		return nil
	}
	switch kind {
	case "int":
		n, _ := strconv.Atoi(value)
		return n
	case "bigint":
		n, _ := strconv.ParseInt(value, 10, 64)
		return n
	case "date":
		t, _ := time.Parse("2006-01-02", value)
		return t
	case "texts":
		if strings.HasPrefix(os.Args[1], "pq") {
			return pq.Array(strings.Split(value, "|"))
		}
		return strings.Split(value, "|")
	}
	return value
}

// the parameters that a statement has
func used(statement string, values []interface{}) []interface{} {
	n := 0
	for _, m := range place.FindAllStringSubmatch(statement, -1) {
		if i, _ := strconv.Atoi(m[1]); i > n {
			n = i
		}
	}
	return values[:n]
}

func text(value interface{}) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case interface{ Get() interface{} }:
		return fmt.Sprint(v.Get())
	}
	return fmt.Sprint(value)
}

type run func(statement string, values []interface{}) (string, error)

func withPgx(options ...interface{}) run {
	c, err := pgx.Connect(context.Background(), "")
	if err != nil {
		panic(err)
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

func withPq(options string) run {
	db, err := sql.Open("postgres", options)
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
	var a *pgconn.PgError
	var b *pq.Error
	if errors.As(err, &a) {
		return a.Code
	}
	if errors.As(err, &b) {
		return string(b.Code)
	}
	return "refused"
}

func all(do run, statements string, values []interface{}) (string, error) {
	value := ""
	for _, s := range strings.Split(statements, "; ") {
		var err error
		if value, err = do(s, used(s, values)); err != nil {
			return "", err
		}
	}
	return value, nil
}

func message(err error) string {
	return strings.Split(err.Error(), "\n")[0]
}

func main() {
	var do run
	switch os.Args[1] {
	case "pgx":
		do = withPgx()
	case "pgx-simple":
		do = withPgx(pgx.QuerySimpleProtocol(true))
	case "pq":
		do = withPq("sslmode=disable")
	case "pq-binary":
		do = withPq("sslmode=disable binary_parameters=yes")
	}
	fmt.Printf("version\t%s %s\n", map[bool]string{true: "pgx", false: "lib/pq"}[strings.HasPrefix(os.Args[1], "pgx")], os.Args[2])
	file, err := os.ReadFile("statements.tsv")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		values := []interface{}{}
		for _, p := range f[4:] {
			values = append(values, parameter(p))
		}
		value, err := all(do, f[2], values)
		if err == nil {
			fmt.Printf("%s\tok\t%s\n", f[0], value)
			continue
		}
		if f[3] != "" && !strings.HasPrefix(f[1], "error "+state(err)) {
			value, again := all(do, f[3], values)
			if again == nil {
				fmt.Printf("%s\tcast\t%s\t%s\t%s\n", f[0], value, state(err), message(err))
				continue
			}
			err = fmt.Errorf("%w / %s", err, message(again))
		}
		fmt.Printf("%s\terror\t%s\t%s\n", f[0], state(err), message(err))
	}
}
