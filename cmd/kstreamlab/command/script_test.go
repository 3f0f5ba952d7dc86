package command

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kstreamlab/kstreamlab/broker/fake"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kstreamlab": func() { Main(Options{}) }})
}

// TestScripts runs the command lines of testdata/script. $LIBRARY is the folder of the library's scenarios; $BROKERS is a fake cluster that
// has the topics in-1 and corrupt, with one partition each.
func TestScripts(t *testing.T) {
	library, err := filepath.Abs("../../../scenarios/library")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := fake.New(fake.Config{Topics: map[string]int{"in-1": 1, "corrupt": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LIBRARY", library)
			e.Setenv("BROKERS", strings.Join(cluster.Bootstrap(), ","))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exit": exit, "oneline": oneLine},
	})
}

// exit runs a command line and wants an exit code: exit CODE COMMAND ARGS...
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, not %s", got, args[0])
	}
}

// oneLine wants one line, and nothing else, in the last standard error: oneline.
func oneLine(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile("stderr")
	if neg || len(args) > 0 || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("not one line: %q", text)
	}
}
