package terminal

import (
	"fmt"
	"io"
	"strings"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// column is one column of the table of participants.
type column struct {
	title string
	// most is the largest width, in columns of the terminal.
	most int
	of   func(p *v2.Participant) string
}

var tableColumns = []column{
	{"PARTICIPANT", 24, (*v2.Participant).GetId},
	{"NAME", 28, (*v2.Participant).GetName},
	{"NUMBER", 20, (*v2.Participant).GetPhoneNumber},
	{"ROLE", 12, roleWord},
	{"STATUS", 14, statusWord},
	{"MUTED", 5, func(p *v2.Participant) string { return map[bool]string{true: "muted"}[p.GetMuted()] }},
	{"JOINED", 8, joined},
}

// table returns the title and a row for each participant, with the columns only as wide as needed.
func table(people []*v2.Participant) (title string, rows []string) {
	cells := make([][]string, len(people))
	for _, c := range tableColumns {
		size := columns(c.title)
		texts := make([]string, len(people))
		for i, p := range people {
			texts[i] = clean(c.of(p))
			size = max(size, min(columns(texts[i]), c.most))
		}
		title += fit(c.title, size) + "  "
		for i, text := range texts {
			cells[i] = append(cells[i], fit(text, size))
		}
	}
	rows = make([]string, len(people))
	for i, row := range cells {
		rows[i] = strings.TrimRight(strings.Join(row, "  "), " ")
	}
	return strings.TrimRight(title, " "), rows
}

// printTable prints participants as a table.
func printTable(out io.Writer, people []*v2.Participant) error {
	title, rows := table(people)
	if _, err := fmt.Fprintln(out, strings.Join(append([]string{title}, rows...), "\n")); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
