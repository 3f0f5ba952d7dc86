package worker

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// TestGuarded: a plugin's panic is an error with the calls that led to it; what the host panics with goes on.
func TestGuarded(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		name string
		call func() error
		pass bool
		err  string
	}{
		{"nothing", func() error { return nil }, false, ""},
		{"an error", func() error { return cause }, false, "cause"},
		{"a text", func() error { panic("boom") }, false, "X has panicked: boom"},
		{"an error that is panicked with", func() error { panic(cause) }, false, "X has panicked: cause: cause"},
		{"a nil pointer", func() error { return (*data.Error)(nil).Cause }, false, "X has panicked: runtime error: invalid memory address or nil pointer dereference: runtime error: invalid memory address or nil pointer dereference"},
		{"a killed process", func() error { panic(fmt.Errorf("sim: %w", host.ErrKilled)) }, true, ""},
		{"a broken rule", func() error { panic(fmt.Errorf("sim: %w", host.ErrMisuse)) }, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err, passed := tried(c.call)
			if passed != c.pass {
				t.Fatalf("passed on: %v", passed)
			}
			if c.pass {
				return
			}
			if got := fmt.Sprint(err); err != nil && got != c.err || err == nil && c.err != "" {
				t.Errorf("%v, want %s", err, c.err)
			}
			if is := strings.HasPrefix(c.err, "X has panicked"); panicked(err) != is {
				t.Errorf("a panic: %v", panicked(err))
			} else if is && !strings.Contains(data.StackTrace(err), "\n\tat github.com/kstreamlab/kstreamlab/connect/worker.TestGuarded.func") {
				t.Errorf("%s", data.StackTrace(err))
			}
		})
	}
}

func tried(call func() error) (err error, passed bool) {
	defer func() { passed = recover() != nil }()
	return guarded("X", call), false
}

// TestCleanUp keeps the first failure.
func TestCleanUp(t *testing.T) {
	var err error
	cleanUp("a", &err, func() {})
	cleanUp("b", &err, func() { panic(1) })
	cleanUp("c", &err, func() { panic(2) })
	if err == nil || err.Error() != "b has panicked: 1" {
		t.Error(err)
	}
}
