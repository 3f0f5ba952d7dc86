package conformance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Vector is one case, with what Kafka Streams did.
type Vector struct {
	Name      string           `json:"name"`
	Area      string           `json:"area"`
	Commit    string           `json:"commit"`
	WallClock int64            `json:"wall_clock"`
	Spec      json.RawMessage  `json:"spec"`
	Describe  *string          `json:"describe"`
	Ops       []Op             `json:"ops"`
	Expect    [][]Record       `json:"expect"`
	Stores    map[string]Store `json:"stores"`
	Dropped   *int64           `json:"dropped"`
	Error     *Failure         `json:"error"`
}

// Op is one thing that is done.
type Op struct {
	Pipe    *Record  `json:"pipe"`
	Batch   []Record `json:"batch"`
	Advance *int64   `json:"advance_wall_clock_ms"`
	Commit  bool     `json:"commit"`
}

// Record is a record of a topic. A null Timestamp is the producer's choice.
type Record struct {
	Topic     string   `json:"topic"`
	Key       []byte   `json:"key"`
	Value     []byte   `json:"value"`
	Timestamp *int64   `json:"timestamp"`
	Headers   []Header `json:"headers"`
}

// Header is a name and a value. Any stands for every value.
type Header struct {
	Name  string
	Value []byte
	Any   bool
}

// UnmarshalJSON reads [name, value].
func (h *Header) UnmarshalJSON(b []byte) error {
	var pair [2]*string
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if pair[0] == nil {
		return fmt.Errorf("header %s has no name", b)
	}
	h.Name = *pair[0]
	if pair[1] == nil {
		return nil
	}
	if h.Any = *pair[1] == "*"; h.Any {
		return nil
	}
	quoted, err := json.Marshal(*pair[1])
	if err != nil {
		return err
	}
	return json.Unmarshal(quoted, &h.Value)
}

// Store is what a store holds at the end. Entries are compared as canonical JSON.
type Store struct {
	Kind    string            `json:"kind"`
	Entries []json.RawMessage `json:"entries"`
}

// Failure is the error that ended a case.
type Failure struct {
	At      string `json:"at"` // build, start, or the number of an op
	Class   string `json:"class"`
	Message string `json:"message"`
}

// UnmarshalJSON reads At as text or number.
func (f *Failure) UnmarshalJSON(b []byte) error {
	var raw struct {
		At             json.RawMessage
		Class, Message string
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	f.At, f.Class, f.Message = string(bytes.Trim(raw.At, `"`)), raw.Class, raw.Message
	return nil
}

// Load reads all cases of a folder, in order of their file names.
func Load(fsys fs.FS) ([]*Vector, error) {
	var out []*Vector
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch dir := path.Dir(name); {
		case path.Ext(name) == ".json" && path.Dir(dir) == "cases":
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			out, err = appendVector(out, name, b)
			return err
		case dir == "random" && path.Ext(name) == ".gz":
			out, err = loadLines(out, fsys, name)
			return err
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no case found: cases/<area>/<name>.json or random/<name>.jsonl.gz expected")
	}
	return out, err
}

func appendVector(to []*Vector, name string, b []byte) ([]*Vector, error) {
	v := &Vector{}
	if err := json.Unmarshal(b, v); err != nil {
		return to, fmt.Errorf("%s: %w", name, err)
	}
	return append(to, v), nil
}

func loadLines(to []*Vector, fsys fs.FS, name string) ([]*Vector, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return to, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return to, fmt.Errorf("%s: %w", name, err)
	}
	r := bufio.NewReader(z)
	for {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var bad error
			if to, bad = appendVector(to, name, line); bad != nil {
				return to, bad
			}
		}
		if err == io.EOF {
			return to, nil
		}
		if err != nil {
			return to, fmt.Errorf("%s: %w", name, err)
		}
	}
}
