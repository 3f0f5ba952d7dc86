package worker

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// guarded calls code of a plugin. A panic of it is returned as an error, Java's Error: it is not tolerated, not tried again, and fails the task or
// connector that the plugin belongs to (docs/adr/0008). where names the call.
func guarded(where string, call func() error) (err error) {
	defer caught(where, &err)
	return call()
}

// caught is deferred around a call of a plugin: it makes an error of a panic. What unwinds a killed process, or tells that a rule of the host was
// broken, goes on.
func caught(where string, err *error) {
	r := recover()
	if r == nil {
		return
	}
	cause, _ := r.(error)
	if errors.Is(cause, host.ErrKilled) || errors.Is(cause, host.ErrMisuse) {
		panic(r)
	}
	*err = &data.Error{Class: data.JavaError, Message: where + " has panicked: " + fmt.Sprint(r), Cause: cause, Frames: panicFrames()}
}

// panicked says whether an error is a plugin's panic.
func panicked(err error) bool { return err != nil && data.ClassOfError(err) == data.JavaError }

// cleanUp calls code of a plugin at the end of a task; what goes wrong is the task's failure where it has no other.
func cleanUp(where string, err *error, call func()) {
	e := guarded(where, func() error { call(); return nil })
	if *err == nil {
		*err = e
	}
}

// panicFrames are the calls that led to a panic, the last first, down to guarded; it is called by caught. They have no addresses and no numbers of
// goroutines, so that runs of the simulator are alike.
func panicFrames() (out []string) {
	const self = "github.com/kstreamlab/kstreamlab/connect/worker.caught"
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	started := false
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == self:
			started = true
		case !started || strings.HasPrefix(f.Function, "runtime."):
		case strings.HasPrefix(f.Function, "iter."):
			return out
		default:
			out = append(out, fmt.Sprintf("%s(%s:%d)", f.Function, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line))
		}
	}
	return out
}
