package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// block is a fenced block of a page.
type block struct {
	// where is the page and the line, for messages.
	where    string
	language string
	// script contains the commands or the quoted code.
	script string
	// want is the expected output; empty accepts any.
	want string

	watch, norun bool
	reason, file string
}

// readPages returns the blocks of README.md and docs/*.md under root.
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

// blocksOf returns the sh and console blocks of a page, and the blocks that name a file.
// An output block belongs to the block before it.
func blocksOf(page, text string) ([]block, error) {
	var found []block
	lines := strings.Split(text, "\n")
	for at := 0; at < len(lines); at++ {
		info, opens := strings.CutPrefix(lines[at], fence)
		if !opens {
			continue
		}
		where := fmt.Sprintf("%s:%d", page, at+1)
		length := slices.Index(lines[at+1:], fence)
		if length < 0 {
			return nil, fmt.Errorf("%s: unterminated block", where)
		}
		one := newBlock(where, info, strings.Join(lines[at+1:at+1+length], "\n"))
		at += length + 1
		if one.language != "output" {
			found = append(found, one)
			continue
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: output block without a block before it", where)
		}
		found[len(found)-1].want = one.script
	}
	return slices.DeleteFunc(found, block.ignored), nil
}

// ignored reports whether the block is neither run nor compared.
func (b block) ignored() bool {
	return b.language != "sh" && b.language != "console" && b.file == ""
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

// commands splits a console block into commands, which follow "$ " and continue after a
// backslash, and their output.
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

// checkQuote checks that the file contains the block's code.
func (b block) checkQuote(root string) error {
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	if !strings.Contains(string(text), b.script) {
		return fmt.Errorf("%s does not contain this code", b.file)
	}
	return nil
}
