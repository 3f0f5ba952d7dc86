package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// orderV1 and orderV2 are two schemas of orders: the second has a field more.
var (
	orderV1 = avro.MustParse(`{"type":"record","name":"Order","namespace":"com.example","fields":[
		{"name":"orderId","type":"string"},{"name":"userId","type":"string"},{"name":"amount","type":"double"}]}`)
	orderV2 = avro.MustParse(`{"type":"record","name":"Order","namespace":"com.example","fields":[
		{"name":"orderId","type":"string"},{"name":"userId","type":"string"},{"name":"amount","type":"double"},{"name":"coupon","type":["null","string"],"default":null}]}`)
)

func open(t *testing.T, url, user string) *schemaregistry.Registry {
	t.Helper()
	r, err := schemaregistry.Open(properties([]string{"none:1"}, "/state", url, user))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSchemasEvolve sends orders of two schemas: both are read, and what comes out has a schema of its own.
func TestSchemasEvolve(t *testing.T) {
	registry := open(t, "mock://"+t.Name(), "")
	topology, err := highValueOrders(registry)
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, nil)
	in := streamstest.Input(d, "order-events", serde.String(), avro.Generic(registry))
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMilli()
	in.Pipe(t, "ada", avro.NewRecord(orderV1, "orderId", "o1", "userId", "ada", "amount", 1500.5), at)
	in.Pipe(t, "ada", avro.NewRecord(orderV1, "orderId", "o2", "userId", "ada", "amount", 10.0), at+1000)
	in.Pipe(t, "ada", avro.NewRecord(orderV2, "orderId", "o3", "userId", "ada", "amount", 2000.0, "coupon", "SPRING"), at+2000)

	high := streamstest.Output(d, "high-value-orders", serde.String(), avro.Generic(registry)).ReadAll(t)
	if len(high) != 2 {
		t.Fatalf("%d high-value orders, want 2", len(high))
	}
	for i, id := range []string{"o1", "o3"} {
		if o := high[i].Value; o.Get("orderId") != id || o.Get("verified") != false {
			t.Errorf("%v: want order %s, not verified", o, id)
		}
	}
	counts := streamstest.Output(d, "order-counts", serde.TimeWindowed(serde.String(), time.Hour.Milliseconds()), serde.Long()).ReadAll(t)
	if n := len(counts); n != 3 || counts[2].Value != 3 {
		t.Errorf("%v: want three updates up to 3", counts)
	}
}

// TestAnOldReaderReadsTheEvolvedSchema reads what came out with a Go type that lacks a field, and has one that the writer lacked.
func TestAnOldReaderReadsTheEvolvedSchema(t *testing.T) {
	registry := open(t, "mock://"+t.Name(), "")
	b, err := avro.Generic(registry).Append(nil, "high-value-orders", avro.NewRecord(highValueOrder, "orderId", "o1", "userId", "ada", "amount", 1500.5, "verified", true))
	if err != nil {
		t.Fatal(err)
	}
	type view struct {
		OrderID string  `avro:"orderId"`
		Amount  float64 `avro:"amount"`
	}
	got, err := avro.Of[view](registry, avro.Named("com.example.HighValueOrder")).Decode("high-value-orders", b)
	if err != nil || got != (view{"o1", 1500.5}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestThePasswordIsSentAndNotShown asks a registry that wants a password, with a wrong one.
func TestThePasswordIsSentAndNotShown(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		asked = user + ":" + password
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	registry := open(t, server.URL, "admin:secret")
	_, err := avro.Generic(registry).Append(nil, "order-events", avro.NewRecord(orderV1, "orderId", "o1", "userId", "ada", "amount", 1.0))
	if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v: want the status and no password", err)
	}
	if asked != "admin:secret" {
		t.Errorf("the registry was asked by %q", asked)
	}
}
