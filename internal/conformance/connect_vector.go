package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ConnectVector is one recorded case of Connect: a line of a .jsonl file, as testdata/connect/README.md describes it.
type ConnectVector struct {
	File string // without .jsonl
	ID   string
	Kind string
	Line []byte
}

// Area is the file and the part of the id before the first slash.
func (v *ConnectVector) Area() string {
	area, _, _ := strings.Cut(v.ID, "/")
	return v.File + "/" + area
}

// recordings are files of another form: what was seen on a running worker.
var recordings = []string{"-rest", "-topics"}

// LoadConnect reads all declarative cases of a folder.
func LoadConnect(fsys fs.FS) ([]*ConnectVector, error) {
	names, err := fs.Glob(fsys, "*.jsonl")
	if err != nil {
		return nil, err
	}
	var out []*ConnectVector
	for _, name := range names {
		file := strings.TrimSuffix(path.Base(name), ".jsonl")
		if slices.ContainsFunc(recordings, func(s string) bool { return strings.HasSuffix(file, s) }) {
			continue
		}
		if out, err = appendVectors(out, fsys, name, file); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no cases of Connect: a folder with .jsonl files is expected")
	}
	return out, nil
}

func appendVectors(out []*ConnectVector, fsys fs.FS, name, file string) ([]*ConnectVector, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		v := &ConnectVector{File: file, Line: slices.Clone(lines.Bytes())}
		var head struct{ ID, Kind string }
		if err := json.Unmarshal(v.Line, &head); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		v.ID, v.Kind = head.ID, head.Kind
		out = append(out, v)
	}
	return out, lines.Err()
}
