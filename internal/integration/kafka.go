// Package integration is for tests that need a real Apache Kafka: it starts one with .ci/kafka/kafka, or takes the one that
// KSTREAMLAB_BOOTSTRAP names. Tests that use it carry the build tag integration.
package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment variables.
const (
	// BootstrapVariable names a running cluster, host:port,...: nothing is started then.
	BootstrapVariable = "KSTREAMLAB_BOOTSTRAP"
	// CIVariable, or CI itself, set to 1 says that a missing JDK or Maven is a failure, not a reason to skip.
	CIVariable = "KSTREAMLAB_CI"
	// DirVariable names the directory of a cluster that .ci/kafka/kafka has started: it is used, and left running.
	DirVariable = "KSTREAMLAB_KAFKA_DIR"
)

// Main runs the tests of a package against a real Kafka, as TestMain does: os.Exit(integration.Main(m, ...)). The brokers are
// stopped and their data removed before it returns. Without a JDK or Maven it says so, and returns 0, or 1 in CI.
func Main(m interface{ Run() int }, options ...string) int {
	if named := os.Getenv(BootstrapVariable); named != "" {
		bootstrap = strings.Split(named, ",")
		return m.Run()
	}
	if missing := missing(); len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "\n!!! SKIPPED: the tests on a real Kafka need %s on the PATH, or %s=host:port\n\n", strings.Join(missing, " and "), BootstrapVariable)
		if inCI() {
			return 1
		}
		return 0
	}
	if dir := os.Getenv(DirVariable); dir != "" {
		var err error
		running = &Kafka{Dir: dir}
		if bootstrap, err = running.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "kstreamlab-kafka-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	k := Kafka{Dir: filepath.Join(dir, "cluster")}
	running = &k
	defer os.RemoveAll(dir)
	defer func() {
		if err := k.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if bootstrap, err = k.Start(options...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

var (
	bootstrap []string
	running   *Kafka
)

// Running is the cluster that Main started or found in a directory; nil when it was only told the addresses.
func Running() *Kafka { return running }

// Bootstrap are the addresses of the cluster that Main found or started.
func Bootstrap() []string { return bootstrap }

// missing are the programs that are needed and not there.
func missing() []string {
	var out []string
	for _, name := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(name); err != nil {
			out = append(out, name)
		}
	}
	return out
}

func inCI() bool {
	return os.Getenv("CI") == "1" || os.Getenv("CI") == "true" || os.Getenv(CIVariable) == "1"
}

// Kafka is a cluster that the script .ci/kafka/kafka runs in Dir. Dir must not exist before its first start, or be one of the script's.
type Kafka struct{ Dir string }

// Start starts the brokers that do not run, and returns all addresses. Options are the script's: --brokers 3, --set key=value.
func (k Kafka) Start(options ...string) ([]string, error) {
	out, err := k.script(append([]string{"start", k.Dir}, options...)...)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(out, "\n") {
		if addrs, ok := strings.CutPrefix(line, "bootstrap="); ok {
			return strings.Split(addrs, ","), nil
		}
	}
	return nil, fmt.Errorf("the script named no addresses: %q", out)
}

// Kill kills a broker (1, 2, ...) without warning. Start brings it back.
func (k Kafka) Kill(broker int) error {
	_, err := k.script("kill", k.Dir, fmt.Sprint(broker))
	return err
}

// Stop stops all brokers and removes their data.
func (k Kafka) Stop() error {
	_, err := k.script("stop", k.Dir, "--delete")
	return err
}

// script runs the script and returns what it prints.
func (k Kafka) script(args ...string) (string, error) { return script("kafka", args...) }

// script runs a script of .ci/kafka, and returns what it printed.
func script(name string, args ...string) (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("the sources' place is unknown")
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(file), "..", "..", ".ci", "kafka", name), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}
