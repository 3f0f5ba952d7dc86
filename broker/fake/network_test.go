package fake_test

import (
	"net"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

func TestK8CrashedBrokerAnswersNobody(t *testing.T) {
	w := connect(t, fake.Config{Brokers: 3, Topics: map[string]int{"t": 6}})
	all := make([]broker.TopicPartition, 6)
	p := w.producer("", 0)
	write := func() {
		t.Helper()
		for i := range all {
			all[i] = broker.TopicPartition{Topic: "t", Partition: int32(i)}
			w.must(w.send(p, all[i], "k", "v"))
		}
	}
	write()
	dead := w.fake.Fake().LeaderFor("t", 0)
	at := w.fake.Bootstrap()[dead]
	conn, err := net.Dial("tcp", at)
	w.must(err)
	defer conn.Close()
	w.must(w.fake.CrashBroker(dead))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived its broker")
	}
	if c, err := net.Dial("tcp", at); err == nil {
		c.Close()
		t.Error("a dead broker listens")
	}
	for _, tp := range all {
		if w.fake.Fake().LeaderFor("t", tp.Partition) == dead {
			t.Errorf("the dead broker leads %v", tp)
		}
	}
	write()
	ends, err := w.port.Admin().EndOffsets(w.ctx, broker.ReadUncommitted, all...)
	w.must(err)
	for tp, end := range ends {
		if end != 2 {
			t.Errorf("%v ends at %d", tp, end)
		}
	}
	w.must(w.fake.StartBroker(dead))
	again, err := net.Dial("tcp", at)
	w.must(err)
	w.must(again.Close())
	write()
}

func TestCrashBrokerSaysWhyNot(t *testing.T) {
	w := connect(t, fake.Config{})
	for _, id := range []int32{0, 7} { // the last one, and one that is not there
		if err := w.fake.CrashBroker(id); err == nil {
			t.Errorf("broker %d was killed", id)
		}
	}
	for _, id := range []int32{0, 7} { // one that runs, and one that never was
		if err := w.fake.StartBroker(id); err == nil {
			t.Errorf("broker %d was started", id)
		}
	}
}
