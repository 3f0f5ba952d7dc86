package streams_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/streams"
)

// TestCleanUp removes the state of an application, but not while another instance uses it, and not that of others.
func TestCleanUp(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"app/0_0/pebble", "app/global", "other/0_0"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "app/0_0/pebble/000001.log"), []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := streams.ParseConfig(map[string]string{"application.id": "app", "bootstrap.servers": "nowhere:1", "state.dir": dir})
	if err != nil {
		t.Fatal(err)
	}
	b := streams.NewBuilder()
	streams.Stream(b, "in", streams.Consumed[string, string]{}).To("out")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	i := streams.NewInstance(topology, cfg, nil, nil)

	lock, err := vfs.Default.Lock(filepath.Join(dir, "app/.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.CleanUp(); err == nil {
		t.Error("state that is in use was removed")
	}
	if _, err := os.Stat(filepath.Join(dir, "app/0_0/pebble/000001.log")); err != nil {
		t.Error(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := i.CleanUp(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "app")); !os.IsNotExist(err) {
		t.Errorf("the application's directory is there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "other/0_0")); err != nil {
		t.Errorf("another application's state: %v", err)
	}
}
