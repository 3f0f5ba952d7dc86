package streams

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// CleanUp removes the local state of the application: the directory <state.dir>/<application.id>, with the stores of all its tasks. It is
// KafkaStreams.cleanUp: for an instance that has not been started, or has ended; the stores come back from their changelogs. Another instance
// that uses the directory is an error.
func (i *Instance) CleanUp() error {
	if s := i.State(); s != Created && s != NotRunning && s != Error {
		return fmt.Errorf("streams: local state is removed before the start or after the end of an instance; this one is %s", s)
	}
	fs, dir := i.h.FS(), path.Join(i.cfg.StateDir, i.cfg.ApplicationID)
	if _, err := fs.Stat(dir); err != nil {
		return nil // there is none
	}
	lock, err := fs.Lock(path.Join(dir, ".lock"))
	if err != nil {
		return fmt.Errorf("streams: the state directory %s is in use by another instance: %w", dir, err)
	}
	names, err := fs.List(dir)
	if err == nil {
		err = removeBut(fs, dir, names, ".lock")
	}
	if err = errors.Join(err, lock.Close()); err != nil {
		return fmt.Errorf("streams: local state in %s: %w", dir, err)
	}
	if err := fs.RemoveAll(dir); err != nil {
		return fmt.Errorf("streams: local state in %s: %w", dir, err)
	}
	return nil
}

// removeBut removes what is in a directory but for one name.
func removeBut(fs vfs.FS, dir string, names []string, keep string) error {
	var errs []error
	for _, n := range names {
		if n = strings.TrimSuffix(n, "/"); n != keep {
			errs = append(errs, fs.RemoveAll(path.Join(dir, n)))
		}
	}
	return errors.Join(errs...)
}
