// As much of SOQL as is asked: the fields of all records, or their number, of a window, or one field of its first or last
// record. Rows are sorted by stamp and by Id at once, so that each condition is an interval of rows.
package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type asked struct {
	object string
	counts bool
	edge   string // the field whose least or greatest value is asked for
	lo, hi int
}

var (
	form  = regexp.MustCompile(`^SELECT (.+?) FROM (\w+)(?: WHERE (.+?))?(?: ORDER BY (.+?))?(?: LIMIT (1))?$`)
	token = regexp.MustCompile(`'[^']*'|[()]|[<>!=]+|[^\s()<>!='"]+`)
)

func parse(text string) (asked, error) {
	match := form.FindStringSubmatch(text)
	if match == nil {
		return asked{}, fmt.Errorf("not known here: %s", text)
	}
	object := objects.FindStringSubmatch(match[2])
	if object == nil {
		return asked{}, fmt.Errorf("no object %s", match[2])
	}
	rows, err := strconv.Atoi(object[1])
	if err != nil {
		return asked{}, err
	}
	what := strings.ReplaceAll(match[1], " ", "")
	found := asked{object: match[2], counts: what == "COUNT()", hi: rows}
	order := strings.Split(match[4], " ")
	if match[5] != "" && (what == "Id" || what == "SystemModstamp") && order[0] == what {
		found.edge = what
	} else if match[5] != "" || !found.counts && what != selected {
		return found, fmt.Errorf("only all fields in the order of the description are given: %s", selected)
	}
	switch strings.ReplaceAll(match[4], " ", "") {
	case "", "Id", "SystemModstamp", "SystemModstamp,Id":
	default:
		if found.edge == "" {
			return found, fmt.Errorf("no order by %s", match[4])
		}
	}
	if match[3] != "" {
		reader := &reader{tokens: token.FindAllString(match[3], -1), rows: rows}
		window, err := reader.or()
		if err != nil {
			return found, err
		}
		if reader.at < len(reader.tokens) {
			return found, fmt.Errorf("not understood from %s", reader.tokens[reader.at])
		}
		found.lo, found.hi = window.lo, window.hi
	}
	if found.edge != "" && len(order) > 1 && order[1] == "DESC" {
		found.lo = max(found.lo, found.hi-1)
	}
	return found, nil
}

type window struct{ lo, hi int }

type reader struct {
	tokens []string
	at     int
	rows   int
}

func (r *reader) next() string {
	if r.at >= len(r.tokens) {
		return ""
	}
	r.at++
	return r.tokens[r.at-1]
}

func (r *reader) is(word string) bool {
	if r.at < len(r.tokens) && strings.EqualFold(r.tokens[r.at], word) {
		r.at++
		return true
	}
	return false
}

func (r *reader) or() (window, error) {
	all, err := r.and()
	for err == nil && r.is("OR") {
		var one window
		if one, err = r.and(); err != nil {
			break
		}
		switch {
		case one.lo >= one.hi:
		case all.lo >= all.hi:
			all = one
		case one.lo > all.hi || all.lo > one.hi:
			err = fmt.Errorf("rows that do not lie together")
		default:
			all = window{min(all.lo, one.lo), max(all.hi, one.hi)}
		}
	}
	return all, err
}

func (r *reader) and() (window, error) {
	all, err := r.condition()
	for err == nil && r.is("AND") {
		var one window
		if one, err = r.condition(); err == nil {
			all = window{max(all.lo, one.lo), min(all.hi, one.hi)}
			all.hi = max(all.lo, all.hi)
		}
	}
	return all, err
}

func (r *reader) condition() (window, error) {
	if r.is("(") {
		inner, err := r.or()
		if err == nil && !r.is(")") {
			err = fmt.Errorf("a bracket is open")
		}
		return inner, err
	}
	field, operator, value := r.next(), r.next(), r.next()
	var first, behind int // rows before the value, and up to it
	switch field {
	case "SystemModstamp":
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return window{}, err
		}
		first, behind = store.firstAt(at, r.rows), store.firstAt(at.Add(time.Nanosecond), r.rows)
	case "Id":
		id := strings.Trim(value, "'")
		first, behind = store.firstOf(id, r.rows, false), store.firstOf(id, r.rows, true)
	default:
		return window{}, fmt.Errorf("no conditions on %s", field)
	}
	switch operator {
	case "<":
		return window{0, first}, nil
	case "<=":
		return window{0, behind}, nil
	case ">":
		return window{behind, r.rows}, nil
	case ">=":
		return window{first, r.rows}, nil
	case "=":
		return window{first, behind}, nil
	}
	return window{}, fmt.Errorf("no operator %s", operator)
}
