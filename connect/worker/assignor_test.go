package worker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

func TestRangeAssignor(t *testing.T) {
	member := func(id, instance string, topics ...string) broker.Subscription {
		return broker.Subscription{MemberID: id, InstanceID: instance, Topics: topics}
	}
	for _, c := range []struct {
		name    string
		members []broker.Subscription
		want    string
	}{
		{"one", []broker.Subscription{member("a", "", "t")}, "map[a:[t-0 t-1 t-2 t-3 t-4]]"},
		{"two, and more for the first", []broker.Subscription{member("b", "", "t"), member("a", "", "t")}, "map[a:[t-0 t-1 t-2] b:[t-3 t-4]]"},
		{"a static member first", []broker.Subscription{member("a", "", "t"), member("z", "i", "t")}, "map[a:[t-3 t-4] z:[t-0 t-1 t-2]]"},
		{"several topics", []broker.Subscription{member("a", "", "t", "u"), member("b", "", "u", "nowhere")}, "map[a:[t-0 t-1 t-2 t-3 t-4 u-0] b:[u-1]]"},
		{"more members than partitions", []broker.Subscription{member("a", "", "u"), member("b", "", "u"), member("c", "", "u")}, "map[a:[u-0] b:[u-1] c:[]]"},
	} {
		got, err := worker.RangeAssignor{}.Assign(context.Background(), broker.GroupSubscription{Members: c.members, Partitions: map[string]int32{"t": 5, "u": 2}})
		if err != nil {
			t.Fatal(err)
		}
		show := map[string][]broker.TopicPartition{}
		for id, a := range got {
			show[id] = a.Partitions
		}
		if s := fmt.Sprint(show); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}
