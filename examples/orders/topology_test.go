package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

const minute = int64(time.Minute / time.Millisecond)

// bench is the topology with its topics.
type bench struct {
	*streamstest.Driver
	orders *streamstest.InputTopic[string, string]
	users  *streamstest.InputTopic[string, User]
}

func newBench(t *testing.T) bench {
	t.Helper()
	topology, err := orderProcessing(Options{EventTime: true})
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, nil)
	return bench{d, streamstest.Input(d, "raw-orders", serde.String(), serde.String()), streamstest.Input(d, "user-data", serde.String(), serde.JSON[User]())}
}

func TestOrdersAreEnrichedAndSplitByType(t *testing.T) {
	b := newBench(t)
	b.users.Pipe(t, "u1", User{Name: "Ada"}, 0)
	for _, text := range []string{
		`{"orderId":"o1","userId":"u1","type":"PREMIUM","amount":100.10}`,
		`{"orderId":"o2","userId":"u1","type":"STANDARD","amount":50}`,
		`{"orderId":"o3","userId":"u1","type":"GIFT","amount":5}`,
		`{"orderId":"o4","userId":"u1","type":"PREMIUM","amount":-1}`,
		``,
		`not an order`,
	} {
		b.orders.Pipe(t, "u1", text, minute)
	}
	b.orders.Pipe(t, "u2", `{"orderId":"o5","userId":"u2","type":"PREMIUM","amount":1}`, minute) // nobody knows u2

	read := func(topic string) (list []Order) {
		for _, e := range streamstest.Output(b.Driver, topic, serde.String(), serde.JSON[Order]()).ReadAll(t) {
			list = append(list, e.Value)
		}
		return list
	}
	ada := &User{Name: "Ada"}
	want := []Order{{OrderID: "o1", UserID: "u1", Type: "PREMIUM", Amount: 100.10, User: ada, Discount: 0.1, Total: 90.09}}
	if diff := cmp.Diff(want, read("premium-orders")); diff != "" {
		t.Error("premium:", diff)
	}
	want = []Order{{OrderID: "o2", UserID: "u1", Type: "STANDARD", Amount: 50, User: ada, Total: 50}}
	if diff := cmp.Diff(want, read("standard-orders")); diff != "" {
		t.Error("standard:", diff)
	}
	if all := read("enriched-orders"); len(all) != 3 || all[2].Type != "GIFT" {
		t.Errorf("enriched: %v, want three, the gift last", all)
	}
}

// TestWindows sends four orders: two in the first minutes, one 20 minutes and one two hours later.
func TestWindows(t *testing.T) {
	b := newBench(t)
	b.users.Pipe(t, "u1", User{Name: "Ada"}, 0)
	for _, at := range []int64{1, 3, 23, 120} {
		b.orders.Pipe(t, "u1", `{"orderId":"o","userId":"u1","type":"STANDARD","amount":2.5}`, at*minute)
	}

	type window struct {
		Start, End int64
		Value      any
	}
	last := func(rows []streamstest.Event[serde.Windowed[string], int64]) []window {
		seen := map[serde.Window]int{}
		var out []window
		for _, e := range rows {
			if e.NullValue {
				continue
			}
			w := window{e.Key.Window.Start / minute, e.Key.Window.End / minute, e.Value}
			if i, ok := seen[e.Key.Window]; ok {
				out[i] = w
				continue
			}
			seen[e.Key.Window] = len(out)
			out = append(out, w)
		}
		return out
	}
	hours := streamstest.Output(b.Driver, "orders-per-hour", serde.TimeWindowed(serde.String(), 60*minute), serde.Long()).ReadAll(t)
	if diff := cmp.Diff([]window{{0, 60, int64(3)}, {120, 180, int64(1)}}, last(hours)); diff != "" {
		t.Error("hours:", diff)
	}
	sessions := streamstest.Output(b.Driver, "sessions-by-user", serde.SessionWindowed(serde.String()), serde.Long()).ReadAll(t)
	if diff := cmp.Diff([]window{{1, 1, int64(1)}, {1, 3, int64(2)}, {1, 23, int64(3)}, {120, 120, int64(1)}}, last(sessions)); diff != "" {
		t.Error("sessions:", diff)
	}
	sums := map[int64]float64{}
	for _, e := range streamstest.Output(b.Driver, "revenue-by-user", serde.TimeWindowed(serde.String(), 5*minute), serde.Double()).ReadAll(t) {
		sums[e.Key.Window.Start/minute] = e.Value
	}
	if sums[0] != 5 || sums[1] != 5 || sums[2] != 2.5 || sums[3] != 2.5 || sums[23] != 2.5 || len(sums) != 4+5+5 {
		t.Errorf("revenue by the minute at which the window starts: %v", sums)
	}
}
