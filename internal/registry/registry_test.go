package registry_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/sim"
)

func avro(text string) registry.Schema { return registry.Schema{Type: registry.Avro, Text: text} }

const (
	v1 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"}]}`
	v2 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"},{"name":"note","type":"string","default":""}]}`
	v3 = `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"},{"name":"must","type":"string"}]}`
)

// server runs a registry on this machine. before may answer first.
func server(t *testing.T, before func(w http.ResponseWriter, r *http.Request) bool) (*registry.Mock, string) {
	t.Helper()
	m := registry.NewMock("test")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			m.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return m, s.URL
}

func open(t *testing.T, properties ...string) *registry.Client {
	t.Helper()
	p := map[string]string{"retries.wait.ms": "1"}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i]] = properties[i+1]
	}
	c, err := registry.Open(p, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestServers plays the same calls on a registry in memory and on one behind its REST interface.
func TestServers(t *testing.T) {
	_, url := server(t, nil)
	registry.DropScope("servers")
	for _, address := range []string{"mock://servers", url} {
		t.Run(strings.SplitN(address, ":", 2)[0], func(t *testing.T) { calls(t, open(t, "schema.registry.url", address)) })
	}
}

func calls(t *testing.T, c *registry.Client) {
	ctx := t.Context()
	status := func(err error) string {
		var e *registry.Error
		if err == nil {
			return "ok"
		} else if !errors.As(err, &e) {
			return err.Error()
		}
		return fmt.Sprint(e.Status, " ", e.Code)
	}
	if _, err := c.Lookup(ctx, "s", avro(v1)); status(err) != "404 40401" || !registry.IsMissing(err) {
		t.Error(err)
	}
	for i, want := range []int{1, 1, 2} {
		id, err := c.Register(ctx, "s", avro([]string{v1, " " + v1, v2}[i]))
		if err != nil || id != want {
			t.Errorf("%d: id %d %v", i, id, err)
		}
	}
	if _, err := c.Lookup(ctx, "s", avro(v3)); status(err) != "404 40403" {
		t.Error(err)
	}
	_, err := c.Register(ctx, "s", avro(v3))
	if status(err) != "409 409" || !strings.Contains(err.Error(), "READER_FIELD_MISSING_DEFAULT_VALUE") || !strings.Contains(err.Error(), "change the schema") {
		t.Error(err)
	}
	if _, err := c.Register(ctx, "s", avro("{")); status(err) != "422 42201" {
		t.Error(err)
	}
	last, err := c.Latest(ctx, "s")
	if d := cmp.Diff(registry.Registered{Schema: avro(v2), Subject: "s", Version: 2, ID: 2}, last); d != "" || err != nil {
		t.Error(err, d)
	}
	found, err := c.Lookup(ctx, "s", avro(v1))
	if err != nil || found.Version != 1 || found.ID != 1 {
		t.Error(found, err)
	}
	s, err := c.Schema(ctx, registry.Ident{ID: 2})
	if d := cmp.Diff(avro(v2), s); d != "" || err != nil {
		t.Error(err, d)
	}
	if _, err := c.Schema(ctx, registry.Ident{ID: 77}); status(err) != "404 40403" {
		t.Error(err)
	}
	if _, err := c.Version(ctx, "s", 3); status(err) != "404 40402" {
		t.Error(err)
	}
	s, err = c.Schema(ctx, registry.Ident{GUID: registry.NewMock("").GUID(avro(v2))})
	if err != nil || s.Text != v2 {
		t.Error(s, err)
	}
	other := registry.Schema{Type: registry.Protobuf, Text: "syntax = \"proto3\";\nmessage A {\n  int32 a = 1;\n}\n"}
	if id, err := c.Register(ctx, "p", other); err != nil || id != 3 {
		t.Error(id, err)
	}
	if s, err = c.Schema(ctx, registry.Ident{ID: 3}); err != nil || s.Type != registry.Protobuf {
		t.Error(s, err)
	}
	if _, err := c.Register(ctx, "s", other); status(err) != "409 409" {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	registry.DropScope("refs")
	c := open(t, "schema.registry.url", "mock://refs")
	a := avro(`{"type":"record","name":"A","fields":[]}`)
	b := registry.Schema{Type: registry.Avro, Text: `{"type":"record","name":"B","fields":[{"name":"a","type":"A"}]}`, References: []registry.Reference{{Name: "A", Subject: "a", Version: 1}}}
	top := registry.Schema{Type: registry.Avro, Text: `{"type":"record","name":"C","fields":[{"name":"b","type":"B"},{"name":"a","type":"A"}]}`,
		References: []registry.Reference{{Name: "B", Subject: "b", Version: 1}, {Name: "A", Subject: "a", Version: 1}}}
	ctx := t.Context()
	if _, err := c.Register(ctx, "c", top); err == nil || !strings.Contains(err.Error(), "'b' not found") {
		t.Error("a schema without its references is taken: ", err)
	}
	for name, s := range map[string]registry.Schema{"a": a, "b": b} {
		if name == "a" {
			if _, err := c.Register(ctx, name, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, s := range []struct {
		name string
		registry.Schema
	}{{"b", b}, {"c", top}} {
		if _, err := c.Register(ctx, s.name, s.Schema); err != nil {
			t.Fatal(err)
		}
	}
	deps, err := c.References(ctx, top)
	var names []string
	for _, d := range deps {
		names = append(names, d.Name)
	}
	if d := cmp.Diff([]string{"A", "B"}, names); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestProperties(t *testing.T) {
	for _, c := range []struct {
		properties string // name=value,...
		want       []string
	}{
		{"", []string{"schema.registry.url", "an address is needed"}},
		{"schema.registry.url=ftp://x", []string{"http://, https:// or mock://"}},
		{"schema.registry.url=nonsense", []string{"http://HOST:PORT"}},
		{"schema.registry.url=http://x;auto.register.schemas=perhaps;max.retries=-1", []string{"auto.register.schemas", "max.retries"}},
		{"schema.registry.url=http://x;key.subject.name.strategy=Mine", []string{"key.subject.name.strategy", "TopicRecordNameStrategy"}},
		{"schema.registry.url=http://x;basic.auth.credentials.source=USER_INFO", []string{"basic.auth.user.info", "it is needed with"}},
		{"schema.registry.url=http://x;basic.auth.credentials.source=USER_INFO;basic.auth.user.info=secret", []string{"user:password is expected"}},
		{"schema.registry.url=http://x;schema.registry.basic.auth.credentials.source=USER_INFO;bearer.auth.credentials.source=STATIC_TOKEN;bearer.auth.token=secret", []string{"only one of"}},
		{"schema.registry.url=http://x;bearer.auth.credentials.source=OAUTHBEARER", []string{"bearer.auth.client.id", "bearer.auth.client.secret"}},
		{"schema.registry.url=http://x;schema.registry.ssl.truststore.location=/none", []string{"ssl.truststore.location /none"}},
		{"schema.registry.url=http://secret:secret@", []string{"http://HOST:PORT"}},
		{"schema.registry.url=http://x;schema.registry.ssl.keystore.type=DER", []string{"JKS, PKCS12, PEM"}},
	} {
		p := map[string]string{"application.id": "not ours"}
		for pair := range strings.SplitSeq(c.properties, ";") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				p[name] = value
			}
		}
		_, err := registry.Open(p, registry.Options{})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q in it", c.properties, err, want)
			}
		}
		if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), "client.secret", ""), "secret") {
			t.Errorf("a password is shown: %v", err)
		}
	}
}

func TestSubjects(t *testing.T) {
	record := registry.Named{Topic: "t", Record: "a.B"}
	for strategy, want := range map[string][2]string{
		registry.TopicNameStrategy: {"t-value", "t-key"}, registry.RecordNameStrategy: {"a.B", "a.B"}, registry.TopicRecordNameStrategy: {"t-a.B", "t-a.B"},
		registry.AssociatedNameStrategy: {"t-value", "t-key"},
	} {
		c := open(t, "schema.registry.url", "mock://x", "key.subject.name.strategy", strategy, "value.subject.name.strategy", strategy)
		for i, key := range []bool{false, true} {
			n := record
			n.Key = key
			if got, err := c.Subject(n); err != nil || got != want[i] {
				t.Errorf("%s: %s %v", strategy, got, err)
			}
		}
		_, err := c.Subject(registry.Named{Topic: "t", Key: true})
		if uses := strings.Contains(strategy, "Record"); (err != nil) != uses || c.UsesRecord(true) != uses {
			t.Errorf("%s without a record: %v", strategy, err)
		} else if uses && err.Error() != "In configuration key.subject.name.strategy = "+strategy+", the message key must only be a record schema" {
			t.Error(err)
		}
	}
	c := open(t, "schema.registry.url", "mock://x", "reference.subject.name.strategy", registry.QualifiedReferenceStrategy)
	if got := c.ReferenceSubject("a/b/c.proto"); got != "a.b.c" {
		t.Error(got)
	}
}

func TestAuthentication(t *testing.T) {
	var seen string
	_, url := server(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			fmt.Fprintf(w, `{"access_token":"%s-%s-%s","expires_in":1000}`, id, secret, r.PostFormValue("scope"))
			return true
		}
		seen = r.Header.Get("Authorization") + r.Header.Get("target-sr-cluster")
		if seen == "" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error_code":401,"message":"Unauthorized"}`)
		}
		return seen == ""
	})
	inURL := strings.Replace(url, "://", "://u:p@", 1)
	for _, c := range []struct{ want, properties string }{
		{"Basic dTpw", "schema.registry.url=" + inURL},
		{"Basic dTpw", "basic.auth.credentials.source=USER_INFO;basic.auth.user.info=u:p"},
		{"Basic dTpwOnA=", "schema.registry.basic.auth.credentials.source=USER_INFO;schema.registry.basic.auth.user.info=u:p:p"},
		{"Basic dTpw", `basic.auth.credentials.source=SASL_INHERIT;sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`},
		{"Bearer tok", "bearer.auth.credentials.source=STATIC_TOKEN;bearer.auth.token=tok"},
		{"Bearer c-s-xlsrc", "bearer.auth.credentials.source=OAUTHBEARER;bearer.auth.issuer.endpoint.url=" + url + "/token;bearer.auth.client.id=c;bearer.auth.client.secret=s;bearer.auth.scope=x;bearer.auth.logical.cluster=lsrc"},
	} {
		p := map[string]string{"schema.registry.url": url}
		for pair := range strings.SplitSeq(c.properties, ";") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				p[name] = value
				if name == "sasl.jaas.config" {
					p[name] += ";"
				}
			}
		}
		client, err := registry.Open(p, registry.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.properties, err)
			continue
		}
		if strings.Contains(client.Address(), "@") {
			t.Error("credentials in ", client.Address())
		}
		if _, err := client.Register(t.Context(), "s", avro(v1)); err != nil || seen != c.want {
			t.Errorf("%s: %q %v, want %q", c.properties, seen, err, c.want)
		}
	}
	_, err := open(t, "schema.registry.url", url).Register(t.Context(), "s", avro(v1))
	var e *registry.Error
	if !errors.As(err, &e) || e.Status != 401 || e.Class() != "org.apache.kafka.common.errors.AuthenticationException" || !strings.Contains(err.Error(), "basic.auth.user.info") {
		t.Error(err)
	}
}

// TestFailover has one address that nobody listens at and one that is overloaded for a while.
func TestFailover(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	var calls atomic.Int32
	_, url := server(t, func(w http.ResponseWriter, r *http.Request) bool {
		if calls.Add(1) > 2 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	c := open(t, "schema.registry.url", closed.URL+" , "+url, "retries.wait.ms", "0")
	if id, err := c.Register(t.Context(), "s", avro(v1)); err != nil || id != 1 || calls.Load() != 3 {
		t.Error(id, err, calls.Load())
	}
	if c.Address() != url {
		t.Errorf("the next request goes to %s", c.Address())
	}
	c = open(t, "schema.registry.url", closed.URL, "max.retries", "1", "retries.wait.ms", "0")
	_, err := c.Register(t.Context(), "s", avro(v1))
	var e *registry.Error
	if !errors.As(err, &e) || e.Status != 0 || !strings.Contains(err.Error(), "refused") || strings.Count(err.Error(), closed.URL) != 1 {
		t.Error(err)
	}
}

func TestWireFormat(t *testing.T) {
	if got := hex.EncodeToString(registry.AppendHeader([]byte{7}, 258)); got != "070000000102" {
		t.Error(got)
	}
	for want, indexes := range map[string][]int{"00": {0}, "0202": {1}, "040002": {0, 1}, "069602c80100": {150 + 1, 100, 0}} {
		b := registry.AppendIndexes(nil, indexes)
		if want == "069602c80100" {
			want = "06ae02c80100"
		}
		if got := hex.EncodeToString(b); got != want {
			t.Errorf("%v: %s, want %s", indexes, got, want)
		}
		back, rest, err := registry.ReadIndexes(append(b, 1))
		if d := cmp.Diff(indexes, back); d != "" || err != nil || len(rest) != 1 {
			t.Error(d, err, rest)
		}
	}
	for _, bad := range []string{"", "01", "feffffff0f", "02", "0280", "ffffffffffffffffffff01"} {
		b, _ := hex.DecodeString(bad)
		if got, _, err := registry.ReadIndexes(b); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
	guid := "000102030405060708090a0b0c0d0e0f"
	b, _ := hex.DecodeString("01" + guid + "ff")
	id, rest, err := registry.ReadHeader(b)
	if err != nil || id.String() != "00010203-0405-0607-0809-0a0b0c0d0e0f" || len(rest) != 1 {
		t.Error(id, rest, err)
	}
	for bad, want := range map[string]string{"": "end within", "00000000": "end within", "02": "Unknown magic byte!", "0100": "end within"} {
		b, _ := hex.DecodeString(bad)
		if id, _, err := registry.ReadHeader(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %v", bad, id, err)
		}
	}
}

func TestChoose(t *testing.T) {
	registry.DropScope("choose")
	ctx := t.Context()
	first := open(t, "schema.registry.url", "mock://choose")
	for _, s := range []string{v1, v2} {
		if _, err := first.Register(ctx, "t-value", avro(s)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		properties, own string
		id              int
		text, err       string
	}{
		{"", v1, 1, v1, ""},
		{"auto.register.schemas=false", v2, 2, v2, ""},
		{"auto.register.schemas=false", v3, 0, "", "Error retrieving Avro schema" + v3},
		{"auto.register.schemas=false;use.latest.version=true", v1, 2, v2, ""},
		{"auto.register.schemas=false;use.latest.version=true", v3, 2, v2, ""},
		{"auto.register.schemas=false;use.schema.id=1", v2, 1, v1, ""},
		{"auto.register.schemas=false;use.schema.id=9", v2, 0, "", "Error retrieving schema ID"},
		{"auto.register.schemas=false;use.latest.version=true", `"string"`, 0, "", "Set latest.compatibility.strict=false to disable this check"},
		{"auto.register.schemas=false;use.latest.version=true;latest.compatibility.strict=false", `"string"`, 2, v2, ""},
		{"", v3, 0, "", "Error registering Avro schema" + v3},
	} {
		p := []string{"schema.registry.url", "mock://choose"}
		for pair := range strings.SplitSeq(c.properties, ";") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				p = append(p, name, value)
			}
		}
		got, err := open(t, p...).Pick(registry.Named{Topic: "t"}, avro(c.own))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", c.properties, err, c.err)
			}
			continue
		}
		if err != nil || got.ID != c.id || got.Schema.Text != c.text || got.Own != (c.own == c.text) {
			t.Errorf("%s: %+v %v", c.properties, got, err)
		}
	}
}

func TestCompatibilityLevels(t *testing.T) {
	add, remove := v2, v1
	require := v3
	for level, want := range map[string]string{ // from v1: add a field with a default, and one without; from v2: remove
		"NONE": "ok ok ok", "BACKWARD": "ok no ok", "FORWARD": "ok ok ok", "FULL": "ok no ok", "FULL_TRANSITIVE": "ok no ok",
	} {
		m := registry.NewMock("x")
		if err := m.SetCompatibility("", level); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, change := range [][2]string{{v1, add}, {v1, require}, {v2, remove}} {
			subject := fmt.Sprint(i)
			if _, err := m.Register(t.Context(), subject, avro(change[0]), false); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Register(t.Context(), subject, avro(change[1]), false); err != nil {
				got = append(got, "no")
			} else {
				got = append(got, "ok")
			}
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s: %s", level, d)
		}
	}
	if err := registry.NewMock("x").SetCompatibility("", "SOME"); err == nil {
		t.Error("an unknown level is taken")
	}
}

// TestSingleFlight lets many threads miss the same key while it is being loaded.
func TestSingleFlight(t *testing.T) {
	c := registry.NewCache[string, int](host.NewMachine(), 10, 0)
	var loads atomic.Int32
	entered, release := make(chan struct{}), make(chan struct{})
	load := func() (int, error) {
		loads.Add(1)
		close(entered)
		<-release
		return 7, nil
	}
	var wg sync.WaitGroup
	get := func() {
		wg.Go(func() {
			if v, err := c.Get(context.Background(), "k", load); v != 7 || err != nil {
				t.Error(v, err)
			}
		})
	}
	get()
	<-entered
	for range 20 {
		get()
	}
	close(release)
	wg.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("loaded %d times", n)
	}
}

func TestCacheLimits(t *testing.T) {
	c := registry.NewCache[int, int](host.NewMachine(), 3, 0)
	loads := 0
	get := func(k int) {
		if v, err := c.Get(t.Context(), k, func() (int, error) { loads++; return k * 2, nil }); err != nil || v != k*2 {
			t.Fatal(v, err)
		}
	}
	for k := range 100 {
		get(k)
		get(k)
	}
	if c.Len() != 3 || loads != 100 {
		t.Errorf("%d kept, %d loaded", c.Len(), loads)
	}
	failing := errors.New("no")
	if _, err := c.Get(t.Context(), -1, func() (int, error) { return 0, failing }); !errors.Is(err, failing) {
		t.Error(err)
	}
	if _, ok := c.Peek(-1); ok {
		t.Error("a failure is remembered")
	}
}

// TestSimulated reaches a registry over the simulated network, from two threads of a process, with the registry away for a while. Nothing real
// is waited for: the back-off passes in virtual time.
func TestSimulated(t *testing.T) {
	k := sim.New(sim.Config{Seed: 1})
	defer k.Close()
	m := registry.NewMock("sim")
	asked := 0
	k.HandleHTTP("registry:8081", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked <= 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		m.ServeHTTP(w, r)
	}))
	p := k.NewProcess("app", nil)
	c, err := registry.Open(map[string]string{"schema.registry.url": "http://registry:8081"}, registry.Options{Host: p})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[int]int{}
	for range 2 {
		p.Go("worker", func(ctx context.Context) {
			id, err := c.Register(ctx, "s", avro(v1))
			if err != nil {
				t.Error(err)
			}
			ids[id]++
		})
	}
	start := p.Now()
	if err := k.Run(nil); err != nil {
		t.Fatal(err)
	}
	if asked != 3 || ids[1] != 2 {
		t.Errorf("asked %d times, ids %v", asked, ids)
	}
	if took := p.Now().Sub(start); took <= 0 || took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}
