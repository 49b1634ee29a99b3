package grpcstatus

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/code"

	"github.com/audian/participant-gateway/internal/apierror"
)

// errorRow is a row of docs/errors.md: reason, code, HTTP status.
var errorRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([A-Z_]+)` \\| ([0-9]+|its own) \\| .+ \\| .+ \\|$")

// upstreamNumbers are the upstream's statuses for the reasons that forward them.
var upstreamNumbers = map[apierror.Reason]int{
	apierror.UpstreamBadRequest:      400,
	apierror.UpstreamUnauthenticated: 401,
	apierror.CredentialRefused:       401,
	apierror.PaymentRequired:         402,
	apierror.UpstreamForbidden:       403,
	apierror.ConferenceNotFound:      404,
	apierror.ParticipantNotFound:     404,
	apierror.UpstreamConflict:        409,
	apierror.ConferenceFull:          409,
	apierror.UpstreamRateLimited:     429,
	apierror.UpstreamUnavailable:     503,
}

func TestErrorsPageDescribesEveryReason(t *testing.T) {
	page, err := os.ReadFile("../../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons := declaredReasons(t)
	for _, row := range errorRow.FindAllStringSubmatch(string(page), -1) {
		reason := apierror.Reason(row[1])
		if !reasons[reason] {
			t.Errorf("%s: the row names no reason, or is the second of its reason", reason)
		}
		delete(reasons, reason)
		if want := code.Code(Code(reason)).String(); row[2] != want {
			t.Errorf("%s: the row has %s, want %s", reason, row[2], want)
		}
		if want := shownStatus(reason); row[3] != want {
			t.Errorf("%s: the row has HTTP %s, want %s", reason, row[3], want)
		}
	}
	for reason := range reasons {
		t.Errorf("%s has no row", reason)
	}
}

// shownStatus returns the HTTP status as the page shows it.
func shownStatus(reason apierror.Reason) string {
	if reason == apierror.UpstreamRefused {
		return "its own"
	}
	st := From(&apierror.Error{Reason: reason, UpstreamStatus: upstreamNumbers[reason]})
	return strconv.Itoa(HTTPStatus(st))
}

// declaredReasons reads the constants of type Reason, so that the test covers new ones too.
func declaredReasons(t *testing.T) map[apierror.Reason]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[apierror.Reason]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Reason" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons[apierror.Reason(text)] = true
		return true
	})
	if len(reasons) == 0 {
		t.Fatal("no reasons were found")
	}
	return reasons
}
