package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// block is one fenced block of a page that is to be checked.
type block struct {
	// where is the page and the line, for the reader of a failure.
	where    string
	language string
	// script are the commands, or the quoted code.
	script string
	// want is the output to come; empty where any will do.
	want string

	watch, norun bool
	reason, file string
}

// readPages gives the blocks of README.md and docs/*.md under root.
func readPages(root string) ([]block, error) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, fmt.Errorf("find pages: %w", err)
	}
	var all []block
	for _, page := range append([]string{filepath.Join(root, "README.md")}, pages...) {
		text, err := os.ReadFile(page)
		if err != nil {
			return nil, fmt.Errorf("read pages: %w", err)
		}
		found, err := blocksOf(page, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

const fence = "```"

// blocksOf gives the blocks of a page: sh and console, go where it names a file. An
// output block belongs to the one before it.
func blocksOf(page, text string) ([]block, error) {
	var found []block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		info, opens := strings.CutPrefix(lines[i], fence)
		if !opens {
			continue
		}
		began := i + 1
		for i++; i < len(lines) && lines[i] != fence; i++ {
		}
		if i == len(lines) {
			return nil, fmt.Errorf("%s:%d: the block has no end", page, began)
		}
		content := strings.Join(lines[began:i], "\n")
		switch one := newBlock(fmt.Sprintf("%s:%d", page, began), info, content); one.language {
		case "sh", "console":
			found = append(found, one)
		case "go":
			if one.file != "" {
				found = append(found, one)
			}
		case "output":
			if len(found) == 0 {
				return nil, fmt.Errorf("%s:%d: output of no block", page, began)
			}
			found[len(found)-1].want = content
		}
	}
	return found, nil
}

var attribute = regexp.MustCompile(`(\w+)(?:="([^"]*)")?`)

func newBlock(where, info, content string) block {
	language, rest, _ := strings.Cut(info, " ")
	one := block{where: where, language: language, script: content}
	for _, match := range attribute.FindAllStringSubmatch(rest, -1) {
		switch match[1] {
		case "watch":
			one.watch = true
		case "norun":
			one.norun = true
		case "reason":
			one.reason = match[2]
		case "file":
			one.file = match[2]
		}
	}
	if language == "console" {
		one.script, one.want = commands(content)
	}
	return one
}

// commands parts a console's commands, which stand after "$ " and go on after a
// backslash, from what they print.
func commands(content string) (script, want string) {
	var typed, printed []string
	continues := false
	for line := range strings.SplitSeq(content, "\n") {
		command, prompted := strings.CutPrefix(line, "$ ")
		if !prompted && !continues {
			printed = append(printed, line)
			continue
		}
		typed = append(typed, command)
		continues = strings.HasSuffix(line, `\`)
	}
	return strings.Join(typed, "\n"), strings.Join(printed, "\n")
}

// quotes holds a block of code to the file that it quotes.
func (b block) quotes(root string) error {
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	if !strings.Contains(string(text), b.script) {
		return fmt.Errorf("is not what %s says", b.file)
	}
	return nil
}
