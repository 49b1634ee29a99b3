package redact_test

import (
	"testing"

	"github.com/audian/participant-gateway/internal/redact"
)

func TestMaskNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"+12025551234":                        "…1234",
		"at 12025551234":                      "at …1234",
		"the number (202) 555-1234 is busy":   "the number …1234 is busy",
		"+1 (202) 555-1234, 202.555.1235":     "…1234, …1235",
		"+44\u00a020\u20117183\u20138750":     "…8750",
		"/participants/%2B12025551234/x":      "/participants/…1234/x",
		"+12025551234x99":                     "…1234x99",
		"+12025551234 +12025551235":           "…1234 …1235",
		`{"phone_number":"+12025551234"}`:     `{"phone_number":"…1234"}`,
		"req_0000000001 took 12345 ms":        "req_0000000001 took 12345 ms",
		"dial tcp 192.168.100.200:8443: busy": "dial tcp 192.168.100.200:8443: busy",
		"since 2026-11-25T10:00:00Z":          "since 2026-11-25T10:00:00Z",
		"conf_abc123def456 is gone":           "conf_abc123def456 is gone",
	} {
		if got := redact.MaskNumbers(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestMaskNumber(t *testing.T) {
	for number, want := range map[string]string{
		"+12025551234": "…1234", "2025551234": "…1234", "202-555-1234": "…1234", "(202) 555-1234 x99": "…3499", "1234": "…", "": "…",
	} {
		if got := redact.MaskNumber(number); got != want {
			t.Errorf("%q: got %q, want %q", number, got, want)
		}
	}
}

func TestA13_MaskDigits(t *testing.T) {
	for number, want := range map[string]string{
		"+12025551234":                          "+*******1234",
		"12025551234":                           "*******1234",
		"+1 (202) 555-1234":                     "+* (***) ***-1234",
		"+12025551234;ext=99":                   "+*********34;ext=99",
		"sip:1234567@host":                      "sip:***4567@host",
		"+4402079460000":                        "+*********0000",
		"12345":                                 "*2345",
		"1234":                                  "1234",
		"+123":                                  "+123",
		"anonymous":                             "anonymous",
		"":                                      "",
		"+\u0661\u0662\u0663\u0664\u0665\u0666": "+**\u0663\u0664\u0665\u0666",
		"\uff11\uff12\uff13\uff14\uff15":        "*\uff12\uff13\uff14\uff15",
		"+12025551234\xff":                      "+*******1234\uFFFD",
		"*67 12025551234":                       "*** *******1234",
	} {
		if got := redact.MaskDigits(number); got != want {
			t.Errorf("%q: got %q, want %q", number, got, want)
		}
	}
}

func TestA13_MaskNumberIn(t *testing.T) {
	const number = "+442071838750"
	for _, test := range []struct{ text, number, want string }{
		{"Ada", number, "Ada"},
		{"", number, ""},
		{number, number, "+********8750"},
		{"442071838750", number, "********8750"},
		{"Ada +442071838750", number, "Ada +********8750"},
		{"Ada, +44 20 7183 8750.", number, "Ada, +** ** **** 8750."},
		{"020 7183 8750 (desk)", number, "0** **** 8750 (desk)"},
		{"7183-8750", number, "****-8750"},
		{"442071838750 442071838750", number, "********8750 ********8750"},
		{"+442071838751", number, "+442071838751"},
		{"room 8750", number, "room 8750"},
		{"room 838750", number, "room 838750"},
		{"x12345y", "12345", "x*2345y"},
		{"1234", "1234", "1234"},
		{"1111111111111", "1111111", "*********1111"},
		{"2 442071838750", number, "2 ********8750"},
		{"Ada", "", "Ada"},
		{"\u0661\u0662\u0663\u0664\u0665", "\u0661\u0662\u0663\u0664\u0665", "*\u0662\u0663\u0664\u0665"},
	} {
		if got := redact.MaskNumberIn(test.text, test.number); got != test.want {
			t.Errorf("%q with %q: got %q, want %q", test.text, test.number, got, test.want)
		}
	}
}
