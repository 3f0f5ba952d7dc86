package conformance_test

import (
	"os"
	"testing"

	"github.com/kstreamlab/kstreamlab/internal/conformance"
)

// TestConnectDeadLetters plays the recorded scenario of error handling in the simulator, and compares the dead letter queues and traces.
func TestConnectDeadLetters(t *testing.T) {
	folder, _ := connectFolder()
	diffs, missing, err := conformance.RunConnectScenario(os.DirFS(folder), "dlq", conformance.ConnectPlugins())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Error(d)
	}
	for topic, why := range missing {
		t.Logf("not compared: %s: %s", topic, why)
	}
}

// TestConnectValidation compares what validation says with the recorded conversation with a worker.
func TestConnectValidation(t *testing.T) {
	folder, _ := connectFolder()
	ran, diffs, err := conformance.RunConnectValidations(os.DirFS(folder), "worker", conformance.ConnectPlugins())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Error(d)
	}
	if ran == 0 {
		t.Error("no recorded validation was compared")
	}
}
