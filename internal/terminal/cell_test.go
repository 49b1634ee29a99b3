package terminal

import "testing"

func TestCleanLeavesNothingThatControlsATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"Ada":                       "Ada",
		"Zoë \u5c71\u7530":          "Zoë \u5c71\u7530",
		"a\x1b[2Jb":                 "a?[2Jb",
		"a\nb\tc\rd\x00e\x7f\u009b": "a?b?c?d?e??",
		"a\u202eb\u2066":            "a?b?",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		text string
		size int
		want string
	}{
		{"Ada", 5, "Ada  "},
		{"Ada", 3, "Ada"},
		{"Margaret", 5, "Marg…"},
		{"\u5c71\u7530\u592a\u90ce", 8, "\u5c71\u7530\u592a\u90ce"},
		{"\u5c71\u7530\u592a\u90ce", 6, "\u5c71\u7530… "},
		{"e\u0301", 3, "e\u0301  "},
	} {
		got := fit(test.text, test.size)
		if got != test.want || columns(got) != test.size {
			t.Errorf("%q in %d: got %q, %d columns", test.text, test.size, got, columns(got))
		}
	}
}
