//go:build integration

package registry_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/typepb"

	"github.com/kstreamlab/kstreamlab/internal/integration"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
	"github.com/kstreamlab/kstreamlab/streams/serde/jsonschema"
	"github.com/kstreamlab/kstreamlab/streams/serde/protobuf"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// address is the real registry's.
var address string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	for _, name := range []string{"java", "mvn", "python3", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Fprintf(os.Stderr, "\n!!! SKIPPED: the tests on a real Schema Registry need %s on the PATH\n\n", name)
			if os.Getenv(integration.CIVariable) == "1" || os.Getenv("CI") != "" {
				return 1
			}
			return 0
		}
	}
	dir, err := os.MkdirTemp("", "kstreamlab-registry-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "registry")
	defer func() {
		if err := integration.StopRegistry(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if address, err = integration.StartRegistry(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func open(t *testing.T, url string, properties ...string) *schemaregistry.Registry {
	t.Helper()
	p := map[string]string{"schema.registry.url": url}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i]] = properties[i+1]
	}
	r, err := schemaregistry.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var order = avro.MustParse(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`)

func TestAvro(t *testing.T) {
	topic := t.Name()
	b, err := avro.Generic(open(t, address)).Append(nil, topic, avro.NewRecord(order, "id", int64(1), "note", "x"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := avro.Generic(open(t, address)).Decode(topic, b) // with empty caches
	if err != nil || back.Get("note") != "x" {
		t.Error(back, err)
	}
	type Order struct {
		ID    int64  `avro:"id"`
		State string `avro:"state,default=NEW"`
	}
	typed, err := avro.Of[Order](open(t, address), avro.Named("shop.Order")).Decode(topic, b)
	if d := cmp.Diff(Order{1, "NEW"}, typed); d != "" || err != nil {
		t.Error(err, d)
	}
	// Compatible: it registers. Then what is not.
	if _, err := avro.Of[Order](open(t, address), avro.Named("shop.Order")).Append(nil, topic, Order{ID: 2}); err != nil {
		t.Error(err)
	}
	clash := avro.MustParse(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}`)
	_, err = avro.Generic(open(t, address)).Append(nil, topic, avro.NewRecord(clash, "id", "x"))
	var e *registry.Error
	if !errors.As(err, &e) || e.Status != 409 {
		t.Error(err)
	}
	if _, err := avro.Generic(open(t, address, "auto.register.schemas", "false")).Append(nil, "none", avro.NewRecord(order, "id", int64(1))); !errors.As(err, &e) || e.Status != 404 {
		t.Error(err)
	}
	latest := open(t, address, "auto.register.schemas", "false", "use.latest.version", "true")
	b, err = avro.Generic(latest).Append(nil, topic, avro.NewRecord(order, "id", int64(3)))
	if err != nil {
		t.Fatal(err)
	}
	if typed, err = avro.Of[Order](latest, avro.Named("shop.Order")).Decode(topic, b); err != nil || typed.State != "NEW" {
		t.Error(typed, err)
	}
	if _, err := avro.Any(open(t, address).Keys()).Append(nil, topic, "key"); err != nil {
		t.Error(err)
	}
}

func TestProtobuf(t *testing.T) {
	topic := t.Name()
	b, err := protobuf.Of[*typepb.Field](open(t, address)).Append(nil, topic, &typepb.Field{Name: "f", Number: 3})
	if err != nil {
		t.Fatal(err)
	}
	back, err := protobuf.Dynamic(open(t, address)).Decode(topic, b)
	if err != nil || back.Get(back.Descriptor().Fields().ByName("number")).Int() != 3 {
		t.Error(back, err)
	}
	f, err := protobuf.Parse(`syntax = "proto3"; package a; import "a/inner.proto"; message Outer { Inner in = 1; map<string, int32> m = 2; message Deep { bool b = 1; } }`,
		map[string]string{"a/inner.proto": `syntax = "proto3"; package a; message Inner { int32 n = 1; }`})
	if err != nil {
		t.Fatal(err)
	}
	deep := f.Descriptor.Messages().ByName("Outer").Messages().ByName("Deep")
	m := dynamicpb.NewMessage(deep)
	m.Set(deep.Fields().ByName("b"), protoreflect.ValueOf(true))
	if b, err = protobuf.Dynamic(open(t, address)).Append(nil, topic+"-imports", m); err != nil {
		t.Fatal(err)
	}
	if back, err = protobuf.Dynamic(open(t, address)).Decode(topic, b); err != nil || back.Descriptor().FullName() != "a.Outer.Deep" {
		t.Error(back, err)
	}
}

func TestJSON(t *testing.T) {
	topic := t.Name()
	type Order struct {
		ID int64 `json:"id"`
	}
	b, err := jsonschema.Of[Order](open(t, address, "json.fail.invalid.schema", "true"), nil).Append(nil, topic, Order{5})
	if err != nil {
		t.Fatal(err)
	}
	if back, err := jsonschema.Of[Order](open(t, address, "json.fail.invalid.schema", "true"), nil).Decode(topic, b); err != nil || back.ID != 5 {
		t.Error(back, err)
	}
}

// python runs Confluent's serializers.
func python(t *testing.T, stdin string, args ...string) map[string]string {
	t.Helper()
	interpreter, err := exec.Command(filepath.Join("..", "..", "..", ".ci", "kafka", "confluent-python")).Output()
	if err != nil {
		t.Fatalf("%v %s", err, err.(*exec.ExitError).Stderr)
	}
	cmd := exec.Command(strings.TrimSpace(string(interpreter)), append([]string{"confluent.py"}, args...)...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	lines := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		lines[name] = rest
	}
	return lines
}

// TestConfluentsSerializers lets Confluent's own serializers for Python write what ours read, byte for byte what ours write, and read what
// ours write.
func TestConfluentsSerializers(t *testing.T) {
	ours := httptest.NewServer(registry.NewMock("ours"))
	defer ours.Close()
	for _, c := range []struct {
		url     string
		formats []string
	}{{address, []string{"avro", "json"}}, {ours.URL, []string{"avro", "json", "protobuf"}}} {
		written := python(t, "", append([]string{"write", c.url}, c.formats...)...)
		r := open(t, c.url)
		var stdin strings.Builder
		for _, format := range c.formats {
			b, err := hex.DecodeString(written[format])
			if err != nil {
				t.Fatal(err)
			}
			again, err := rewrite(r, format, b)
			if err != nil {
				t.Errorf("%s at %s: %v", format, c.url, err)
			}
			if format == "protobuf" { // our text is another schema to a registry: the message in it is the same
				again = append(b[:5:5], again[5:]...)
			}
			if d := cmp.Diff(written[format], hex.EncodeToString(again)); d != "" {
				t.Errorf("%s at %s: %s", format, c.url, d)
			}
			fmt.Fprintf(&stdin, "%s %x\n", format, again)
		}
		read := python(t, stdin.String(), append([]string{"read", c.url}, c.formats...)...)
		want := map[string]string{
			"avro":     `{"id": 7, "lines": ["a", "b"], "note": "hé", "price": 2.5, "state": "DONE", "tags": {"x": -1}}`,
			"json":     `{"id": 7, "note": "hé"}`,
			"protobuf": `{"id": "7", "lines": ["a", "b"], "note": "hé", "price": 2.5}`,
		}
		for _, format := range c.formats {
			if d := cmp.Diff(want[format], read[format]); d != "" {
				t.Errorf("%s at %s: %s", format, c.url, d)
			}
		}
	}
}

// rewrite reads bytes with our serde, and writes what was read to the same topic.
func rewrite(r *schemaregistry.Registry, format string, b []byte) ([]byte, error) {
	topic := "python-" + format
	switch format {
	case "avro":
		s := avro.Generic(r)
		v, err := s.Decode(topic, b)
		if err != nil {
			return nil, err
		}
		return s.Append(nil, topic, v)
	case "protobuf":
		s := protobuf.Dynamic(r)
		v, err := s.Decode(topic, b)
		if err != nil {
			return nil, err
		}
		return s.Append(nil, topic, v)
	}
	type order struct {
		ID   int    `json:"id"`
		Note string `json:"note"`
	}
	schema := jsonschema.MustParse(`{"$schema":"http://json-schema.org/draft-07/schema#","title":"Order","type":"object","properties":{"id":{"type":"integer"},"note":{"type":"string"}}}`, nil)
	s := jsonschema.Of[order](r, schema)
	v, err := s.Decode(topic, b)
	if err != nil {
		return nil, err
	}
	return s.Append(nil, topic, v)
}
