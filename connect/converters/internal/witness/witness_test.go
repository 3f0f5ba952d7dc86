package witness_test

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leanovate/gopter"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/avro"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/converters/jsonschema"
	"github.com/kstreamlab/kstreamlab/connect/converters/protobuf"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/proptest/sample"
)

var (
	java  = flag.String("java", "", "ask testdata/Witness.java, compiled with Confluent's converters: the class path; writes testdata anew")
	cases = flag.Int("cases", 60, "with -java: random values for each set of properties")
	seed  = flag.Int64("seed", 1, "with -java: the seed of the random values")
)

type converter interface {
	Configure(props config.Props, key bool) error
	FromConnect(topic string, headers *[]broker.Header, s *data.Schema, v any) ([]byte, error)
	ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error)
}

// format is a converter with properties, as "name=value;name=value".
type format struct {
	name, properties string
	kind             string
	rules            sample.Rules
}

var flat = sample.Rules{Root: true, Flat: true, Undefaulted: true}

var formats = []format{
	{"avro", "", registry.Avro, sample.Rules{}},
	{"avro", "enhanced.avro.schema.support=true;scrub.invalid.names=true", registry.Avro, sample.Rules{}},
	{"avro", "connect.meta.data=false", registry.Avro, sample.Rules{}},
	{"json", "", registry.JSON, sample.Rules{}},
	{"json", "decimal.format=numeric;object.additional.properties=false", registry.JSON, sample.Rules{}},
	{"json", "use.optional.for.nonrequired=true;generalized.sum.type.support=true", registry.JSON, sample.Rules{}},
	{"protobuf", "", registry.Protobuf, flat},
	{"protobuf", "enhanced.protobuf.schema.support=true;wrapper.for.nullables=true", registry.Protobuf, flat},
	{"protobuf", "optional.for.nullables=true;generalized.sum.type.support=true", registry.Protobuf, flat},
}

// scope is that of a registry in memory: what is written and what is read have each their own, so that none knows a schema by another text.
func (f format) scope(use string) string { return "witness-" + use + f.name + f.properties }

func (f format) open(t *testing.T, use string) converter {
	t.Helper()
	c := map[string]converter{"avro": avro.New(nil), "json": jsonschema.New(nil), "protobuf": protobuf.New(nil)}[f.name]
	registry.DropScope(f.scope(use))
	p := config.Props{"schema.registry.url": "mock://" + f.scope(use)}
	for pair := range strings.SplitSeq(f.properties, ";") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			p[k] = v
		}
	}
	if err := c.Configure(p, false); err != nil {
		t.Fatal(data.StackTrace(err))
	}
	return c
}

// envelopes is the JSON in which values with schemas go to Java and come from it.
func envelopes(t *testing.T) *json.Converter {
	t.Helper()
	c := json.New()
	if err := c.Configure(config.Props{"schemas.enable": "true"}, false); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestConfluent writes what Confluent's converters have written, and reads it.
func TestConfluent(t *testing.T) {
	if *java != "" {
		ask(t)
	}
	for i, f := range formats {
		t.Run(f.name+" "+f.properties, func(t *testing.T) {
			file, err := os.Open(filepath.Join("testdata", fmt.Sprint(f.name, i, ".tsv")))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			w, r, envelope := f.open(t, "writer"), f.open(t, "reader"), envelopes(t)
			lines := bufio.NewScanner(file)
			lines.Buffer(nil, 1<<24)
			for n := 1; lines.Scan(); n++ {
				f.check(t, w, r, envelope, n, strings.Split(lines.Text(), "\t"))
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// check compares a line: the value, and Java's bytes, schema and value of them, or an error; without a value at first, another's schema and
// bytes with the value that Java read.
func (f format) check(t *testing.T, c, reader converter, envelope *json.Converter, n int, line []string) {
	if line[0] == "" {
		b, err := hex.DecodeString(line[2])
		if err != nil {
			t.Fatal(err)
		}
		f.read(t, reader, envelope, n, line[1], b, line[3])
		return
	}
	topic := fmt.Sprint("t", n)
	v, err := envelope.ToConnect(topic, nil, []byte(line[0]))
	if err != nil {
		t.Fatal(n, data.StackTrace(err))
	}
	b, err := c.FromConnect(topic, nil, v.Schema, hashed(v.Value))
	if line[1] == "-" {
		if b != nil || err != nil {
			t.Errorf("%d: %s was written as %q, %v, and nothing by Java", n, line[0], b, err)
		}
		return
	}
	if strings.HasPrefix(line[1], "!") {
		if err == nil {
			t.Errorf("%d: %s was written, not so by Java: %s", n, line[0], line[1])
		}
		return
	}
	if err != nil {
		t.Errorf("%d: %s: Java wrote it: %s", n, line[0], data.StackTrace(err))
		return
	}
	r, err := registry.MockScope(f.scope("writer")).ByVersion(t.Context(), topic+"-value", registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Text, unescape(line[2]); got != want {
		t.Errorf("%d: schema of %s:\n got %s\nwant %s", n, line[0], got, want)
	}
	want, err := hex.DecodeString(line[1])
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(b[5:]); got != line[1][10:] {
		t.Errorf("%d: bytes of %s:\n got %q\nwant %q", n, line[0], b[5:], want[5:])
	}
	f.read(t, reader, envelope, n, line[2], want[5:], line[3])
}

// read compares what is read of bytes without their id.
func (f format) read(t *testing.T, c converter, envelope *json.Converter, n int, schema string, b []byte, want string) {
	topic := fmt.Sprint("back", n)
	id, err := registry.MockScope(f.scope("reader")).Register(t.Context(), topic+"-value", registry.Schema{Type: f.kind, Text: unescape(schema)}, false)
	if err != nil {
		t.Errorf("%d: schema %s: %v", n, schema, err)
		return
	}
	var got []byte
	v, err := c.ToConnect(topic, nil, append([]byte{0, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}, b...))
	if err == nil {
		got, err = envelope.FromConnect(topic, nil, v.Schema, v.Value)
	}
	switch refused := strings.HasPrefix(want, "!"); {
	case err != nil && !refused:
		t.Errorf("%d: %q of %s: Java read %s: %s", n, b, schema, want, data.StackTrace(err))
	case err == nil && refused:
		t.Errorf("%d: %q of %s was read as %s, not so by Java: %s", n, b, schema, got, want)
	case err == nil && string(got) != want:
		t.Errorf("%d: read of %q of %s:\n got %s\nwant %s", n, b, schema, got, want)
	}
}

// hashed puts the entries of maps in the order in which Java's envelope has them, that of a HashMap.
func hashed(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = hashed(v[i])
		}
	case *data.Map:
		entries := slices.Clone(v.Entries())
		for i := range entries {
			entries[i].Value = hashed(entries[i].Value)
		}
		return data.NewMap(confluent.HashOrder(entries, 16)...)
	case *data.Struct:
		for i := range v.Schema().Fields() {
			v.Set(i, hashed(v.At(i)))
		}
	}
	return v
}

func unescape(text string) string { return strings.ReplaceAll(text, "\v", "\n") }

// ask writes testdata.
func ask(t *testing.T) {
	cmd := exec.Command("java", "-cp", *java, "Witness")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	answers.Buffer(nil, 1<<24)
	envelope := envelopes(t)
	for i, f := range formats {
		var text strings.Builder
		params := gopter.DefaultGenParameters()
		params.Rng = rand.New(rand.NewSource(*seed + int64(i)))
		request := func(topic, rest string) []string {
			fmt.Fprintf(in, "%s %s\t%s\n", f.name, f.properties, strings.Replace(rest, "\t", "\t"+topic+"\t", 1))
			if !answers.Scan() {
				t.Fatal("Java has ended", answers.Err())
			}
			parts := strings.Split(answers.Text(), "\t")
			for p := range parts {
				if p > 0 && !strings.HasPrefix(parts[p], "!") {
					plain, err := hex.DecodeString(parts[p])
					if err != nil {
						t.Fatal(err)
					}
					parts[p] = strings.ReplaceAll(string(plain), "\n", "\v")
				}
			}
			return parts
		}
		write := func(topic, envelope string) {
			fmt.Fprintf(&text, "%s\t%s\n", envelope, strings.Join(request(topic, fmt.Sprintf("W\t%x", envelope)), "\t"))
		}
		for n, e := range envelopesOf[f.name] {
			write(fmt.Sprintf("special%d-%d", i, n), e)
		}
		for n, c := range foreign(t, f) {
			answer := request(fmt.Sprintf("foreign%d-%d", i, n), fmt.Sprintf("R\t%s\t%x\t%x", f.kind, c.schema, c.bytes))
			back := answer[len(answer)-1]
			fmt.Fprintf(&text, "\t%s\t%x\t%s\n", strings.ReplaceAll(c.schema, "\n", "\v"), c.bytes, back)
			if !strings.HasPrefix(back, "!") {
				write(fmt.Sprintf("back%d-%d", i, n), back)
			}
		}
		for n := range *cases {
			drawn, _ := f.rules.Gen()(params).Retrieve()
			v := drawn.(data.SchemaAndValue)
			b, err := envelope.FromConnect("t", nil, v.Schema, v.Value)
			if err != nil {
				t.Fatal(err)
			}
			write(fmt.Sprintf("topic%d-%d", i, n), string(b))
		}
		if err := os.WriteFile(filepath.Join("testdata", fmt.Sprint(f.name, i, ".tsv")), []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
