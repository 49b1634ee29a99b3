package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// plainFault is a Fault without its methods, so that encoding it does not recurse.
type plainFault Fault

// faultJSON is a fault whose latency is a string such as "1.5s".
type faultJSON struct {
	plainFault

	Latency string `json:"latency,omitempty"`
}

// MarshalJSON encodes the latency as a string such as "1.5s".
func (f Fault) MarshalJSON() ([]byte, error) {
	wire := faultJSON{plainFault: plainFault(f)}
	if f.Latency > 0 {
		wire.Latency = f.Latency.String()
	}
	return json.Marshal(wire) //nolint:wrapcheck // The caller adds the context.
}

// UnmarshalJSON decodes and validates a fault.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var wire faultJSON
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&wire); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	*f = Fault(wire.plainFault)
	if wire.Latency != "" {
		latency, err := time.ParseDuration(wire.Latency)
		if err != nil {
			return fmt.Errorf("fault: latency: %w", err)
		}
		f.Latency = latency
	}
	return f.validate()
}

var (
	faultKinds = []FaultKind{
		FaultLatency, FaultLate, FaultStatus, FaultErrorEnvelope, FaultRedirect,
		FaultCut, FaultLost, FaultReset, FaultGarbage, FaultPartial, FaultShift,
		FaultTotal, FaultNull, FaultUnusualJSON, FaultDetached,
	}
	operations  = []Operation{"", Any, Add, Remove, List, Auth, Control, Unknown}
	bodyFormats = []BodyFormat{"", VendorBody, ObjectBody, FailureBody, HTMLBody, TextBody, EmptyBody}
)

func (f *Fault) validate() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("fault: kind %q is not one of %q", f.Kind, faultKinds)
	case !slices.Contains(operations, f.Operation):
		return fmt.Errorf("fault: operation %q is not one of %q", f.Operation, operations[1:])
	case !slices.Contains(bodyFormats, f.Body):
		return fmt.Errorf("fault: body %q is not one of %q", f.Body, bodyFormats[1:])
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("fault: probability %v is not between 0 and 1", f.Probability)
	case f.Skip < 0 || f.Times < 0:
		return fmt.Errorf("fault: skip %d or times %d is negative", f.Skip, f.Times)
	}
	return f.validateKind()
}

// validateKind checks what the kind of the fault requires.
func (f *Fault) validateKind() error {
	isSlow := f.Kind == FaultLatency || f.Kind == FaultLate || f.Kind == FaultDetached
	switch {
	case isSlow && f.Latency <= 0:
		return fmt.Errorf("fault: kind %q needs a latency such as \"2s\"", f.Kind)
	case f.Kind == FaultStatus && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault: status %d is not between 200 and 599", f.Status)
	case f.Kind == FaultRedirect && f.Location == "":
		return fmt.Errorf("fault: kind %q needs a location", f.Kind)
	}
	return nil
}

// ReadFaults decodes a JSON array of faults.
func ReadFaults(r io.Reader) ([]Fault, error) {
	var faults []Fault
	if err := json.NewDecoder(r).Decode(&faults); err != nil {
		return nil, fmt.Errorf("read faults: %w", err)
	}
	return faults, nil
}
