// Runs statements.tsv through a client for Go: client MODE VERSION.  See client.py.
// It is built with client_pq.go, client_pgx4.go or client_pgx5.go.
package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
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
		return array(strings.Split(value, "|"))
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
	}
	return fmt.Sprint(value)
}

type run func(statement string, values []interface{}) (string, error)

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
	do := connect(os.Args[1])
	fmt.Printf("version\t%s %s\n", name, os.Args[2])
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
