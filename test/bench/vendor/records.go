// The records on disk, and slices of them as answers.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	firstYear = 2015
	digits    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idDigits  = 15
)

// One form of all records. `ids` are the places of the two digits of each Id that tell its repetition, `year` that of
// SystemModstamp's year, from the record's first byte.
type formOf struct {
	path    string
	offsets []int64
	ids     []int
	year    int
	joint   bool // a comma stands before each record but the first
}

type records struct {
	rows      int
	seconds   []uint32
	csv, json formOf
	header    string
}

func openRecords(folder string) (*records, error) {
	index, err := os.ReadFile(filepath.Join(folder, "index.bin"))
	if err != nil {
		return nil, err
	}
	rows := len(index) / 12
	found := &records{rows: rows, seconds: make([]uint32, rows)}
	csv, err := os.Open(filepath.Join(folder, "bulk.csv"))
	if err != nil {
		return nil, err
	}
	defer csv.Close()
	start := make([]byte, 8192)
	if _, err = csv.Read(start); err != nil {
		return nil, err
	}
	found.header = string(start[:strings.IndexByte(string(start), '\n')+1])
	url := `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/`
	id := len(url) + 18 + len(`"},"Id":"`)
	found.csv = formOf{path: csv.Name(), ids: []int{4}, year: 22, offsets: make([]int64, rows+1)}
	found.json = formOf{path: filepath.Join(folder, "rest.json"), ids: []int{len(url) + 3, id + 3}, joint: true,
		year: id + 18 + len(`","SystemModstamp":"`), offsets: make([]int64, rows+1)}
	found.csv.offsets[0] = int64(len(found.header))
	for row := 0; row < rows; row++ {
		entry := index[row*12:]
		found.csv.offsets[row+1] = found.csv.offsets[row] + int64(binary.LittleEndian.Uint32(entry))
		found.json.offsets[row+1] = found.json.offsets[row] + int64(binary.LittleEndian.Uint32(entry[4:]))
		found.seconds[row] = binary.LittleEndian.Uint32(entry[8:])
	}
	return found, nil
}

// The first row, of `rows`, that is stamped then or later.
func (r *records) firstAt(at time.Time, rows int) int {
	return sort.Search(rows, func(row int) bool {
		return !r.stampOf(row).Before(at)
	})
}

func (r *records) stampOf(row int) time.Time {
	year := time.Date(firstYear+row/r.rows, 1, 1, 0, 0, 0, 0, time.UTC)
	return year.Add(time.Duration(r.seconds[row%r.rows]) * time.Second)
}

// The first row whose Id is this or later, or later only.
func (r *records) firstOf(id string, rows int, later bool) int {
	if len(id) > idDigits {
		id = id[:idDigits]
	}
	return sort.Search(rows, func(row int) bool {
		own := r.idOf(row)
		return own > id || own == id && !later
	})
}

func (r *records) idOf(row int) string {
	number := int64(5_000_000_000) + int64(row%r.rows)*13
	id := []byte(fmt.Sprintf("001%02d0000000000", row/r.rows))
	for at := idDigits - 1; at >= 5; at-- {
		id[at] = digits[number%62]
		number /= 62
	}
	return string(id)
}

// The first record of a window with one field alone.
func (r *records) edge(a asked) map[string]any {
	list := []map[string]any{}
	if a.lo < a.hi {
		value := r.idOf(a.lo)
		if a.edge == "SystemModstamp" {
			value = r.stampOf(a.lo).Format("2006-01-02T15:04:05.000-0700")
		}
		list = append(list, map[string]any{"attributes": map[string]string{"type": "Account"}, a.edge: value})
	}
	return map[string]any{"totalSize": len(list), "done": true, "records": list}
}

// Records [from, to) between two texts.
type slice struct {
	form          *formOf
	from, to      int
	before, after string
}

func send(w http.ResponseWriter, r *http.Request, s slice) {
	rowsSent.Add(int64(s.to - s.from))
	if *zipped && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		sendZipped(w, s)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(s.length(), 10))
	_ = s.write(w)
}

func (s slice) length() int64 {
	length := int64(len(s.before) + len(s.after))
	s.runs(func(repetition, from, to int) error {
		length += s.form.offsets[to] - s.form.offsets[from] + s.shift(repetition, from)
		return nil
	})
	return length
}

// Runs of records that lie together in the file.
func (s slice) runs(each func(repetition, from, to int) error) (err error) {
	rows := len(s.form.offsets) - 1
	for at := s.from; at < s.to && err == nil; {
		to := min(s.to, (at/rows+1)*rows)
		err = each(at/rows, at%rows, to-at/rows*rows)
		at = to
	}
	return err
}

// How many bytes longer a run is than in the file, for the comma before it.
func (s slice) shift(repetition, from int) int64 {
	rows := len(s.form.offsets) - 1
	switch {
	case !s.form.joint:
		return 0
	case repetition*rows+from == s.from && from > 0:
		return -1
	case from == 0 && repetition*rows > s.from:
		return 1
	}
	return 0
}

func (s slice) write(w io.Writer) error {
	if _, err := io.WriteString(w, s.before); err != nil {
		return err
	}
	file, err := os.Open(s.form.path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = s.runs(func(repetition, from, to int) error {
		start, length := s.form.offsets[from], s.form.offsets[to]-s.form.offsets[from]
		if shift := s.shift(repetition, from); shift < 0 {
			start, length = start+1, length-1
		} else if shift > 0 {
			if _, err := io.WriteString(w, ","); err != nil {
				return err
			}
		}
		if repetition > 0 {
			return s.writeShifted(w, file, repetition, from, to)
		}
		if _, err := file.Seek(start, io.SeekStart); err != nil {
			return err
		}
		// The response takes this from file to socket in the kernel.
		_, err := io.CopyN(w, file, length)
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, s.after)
	return err
}

// Rows of a later repetition, some at a time.
func (s slice) writeShifted(w io.Writer, file *os.File, repetition, from, to int) error {
	tens, ones := byte('0'+repetition/10), byte('0'+repetition%10)
	year := strconv.Itoa(firstYear + repetition)
	first := from
	for at := from; at < to; at += 500 {
		end := min(at+500, to)
		start := s.form.offsets[at]
		bytes := make([]byte, s.form.offsets[end]-start)
		if _, err := file.ReadAt(bytes, start); err != nil {
			return err
		}
		for row := at; row < end; row++ {
			record := bytes[s.form.offsets[row]-start:]
			if s.form.joint && row > 0 {
				record = record[1:]
			}
			for _, id := range s.form.ids {
				record[id], record[id+1] = tens, ones
			}
			copy(record[s.form.year:], year)
		}
		if at == first && s.shift(repetition, from) < 0 {
			bytes = bytes[1:]
		}
		if _, err := w.Write(bytes); err != nil {
			return err
		}
	}
	return nil
}

// What was zipped once lies beside the records.
func sendZipped(w http.ResponseWriter, s slice) {
	sum := sha256.Sum256([]byte(s.before))
	name := fmt.Sprintf("%s-%d-%d-%s.gz", filepath.Base(s.form.path), s.from, s.to, hex.EncodeToString(sum[:6]))
	path := filepath.Join(*folder, "gz", name)
	if _, err := os.Stat(path); err != nil {
		if err = zip(path, s); err != nil {
			refuse(w, 500, "UNKNOWN_EXCEPTION", err.Error())
			return
		}
	}
	file, err := os.Open(path)
	if err != nil {
		refuse(w, 500, "UNKNOWN_EXCEPTION", err.Error())
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	_, _ = io.CopyN(w, file, info.Size())
}

func zip(path string, s slice) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	defer file.Close()
	writer := gzip.NewWriter(file)
	if err = s.write(writer); err == nil {
		err = writer.Close()
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
