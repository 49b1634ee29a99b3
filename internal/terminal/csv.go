package terminal

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// csvColumns are the names of the columns that a file of people may have, and what each sets.
var csvColumns = map[string]func(entry *v2.BatchEntry, text string) error{
	"phone_number": func(e *v2.BatchEntry, text string) error { e.PhoneNumber = text; return nil },
	"name":         func(e *v2.BatchEntry, text string) error { e.Name = text; return nil },
	"role": func(e *v2.BatchEntry, text string) error {
		e.Role = roleOf(text)
		if text != "" && (e.GetRole() == 0 || strings.ToLower(text) != text) {
			return fmt.Errorf("role %q is not presenter, listener or operator", text)
		}
		return nil
	},
	"muted": func(e *v2.BatchEntry, text string) (err error) {
		e.Muted, err = boolean(text)
		return err
	},
	"send_pin_via_sms": func(e *v2.BatchEntry, text string) (err error) {
		e.SendPinViaSms, err = boolean(text)
		return err
	},
}

func boolean(text string) (bool, error) {
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%q is not true or false", text)
	}
	return value, nil
}

// readPeople reads the entries of a batch from a CSV file, or from in if the name is -. lines has
// the line of each entry.
func readPeople(name string, in io.Reader) (entries []*v2.BatchEntry, lines []int, err error) {
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // The user names the file.
		if err != nil {
			return nil, nil, fmt.Errorf("open the file: %w", err)
		}
		defer file.Close() //nolint:errcheck // It is only read.
		in = file
	}
	entries, lines, err = parsePeople(in)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return entries, lines, nil
}

// parsePeople reads CSV. The first record names the columns; without one, the columns are
// phone_number, name, role.
func parsePeople(in io.Reader) (entries []*v2.BatchEntry, lines []int, err error) {
	buffered := bufio.NewReader(in)
	skipByteOrderMark(buffered)
	reader := csv.NewReader(buffered)
	reader.Comma = separator(buffered)
	reader.FieldsPerRecord, reader.TrimLeadingSpace, reader.Comment = -1, true, '#'
	columns := []string{"phone_number", "name", "role"}
	var failures []error
	for first := true; ; first = false {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the CSV: %w", err)
		}
		line, _ := reader.FieldPos(0)
		if first && slices.Contains(record, "phone_number") {
			if columns, err = checkColumns(record); err != nil {
				return nil, nil, err
			}
			continue
		}
		entry, err := entryOf(columns, record)
		if err != nil {
			failures = append(failures, fmt.Errorf("line %d: %w", line, err))
		}
		entries, lines = append(entries, entry), append(lines, line)
	}
	if len(entries) == 0 {
		failures = append(failures, errors.New("the file has no people"))
	}
	return entries, lines, errors.Join(failures...)
}

func checkColumns(names []string) ([]string, error) {
	for i, name := range names {
		if csvColumns[name] == nil {
			return nil, fmt.Errorf("line 1: unknown column %q: use phone_number, name, role, muted, send_pin_via_sms", name)
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("line 1: the column %s is given twice", name)
		}
	}
	return names, nil
}

func entryOf(columns, record []string) (*v2.BatchEntry, error) {
	entry := &v2.BatchEntry{}
	if len(record) > len(columns) {
		return entry, fmt.Errorf("%d fields, but %d columns", len(record), len(columns))
	}
	for i, text := range record {
		if err := csvColumns[columns[i]](entry, strings.TrimSpace(text)); err != nil {
			return entry, fmt.Errorf("%s: %w", columns[i], err)
		}
	}
	return entry, nil
}

// skipByteOrderMark skips the mark that spreadsheets write at the start of a file.
func skipByteOrderMark(in *bufio.Reader) {
	if mark, _ := in.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(len(mark))
	}
}

// separator returns the separator of the first line: some spreadsheets write semicolons.
func separator(in *bufio.Reader) rune {
	start, _ := in.Peek(in.Size())
	line, _, _ := strings.Cut(string(start), "\n")
	if strings.Contains(line, ";") && !strings.Contains(line, ",") {
		return ';'
	}
	return ','
}
