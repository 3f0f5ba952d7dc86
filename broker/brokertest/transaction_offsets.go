package brokertest

import (
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var transactionOffsetCases = []testcase{
	{"transaction offsets/are visible after the commit only", txnOffsetsCommit},
	{"transaction offsets/of an aborted one are never visible", txnOffsetsAbort},
	{"transaction offsets/Committed waits while they are pending", txnOffsetsPending},
	{"transaction offsets/alone are committed too", txnOffsetsAlone},
	{"transaction offsets/before the first record are committed too", txnOffsetsFirst},
	{"transaction offsets/of an unknown member are refused", txnOffsetsUnknown},
	{"transaction offsets/metadata are kept", txnOffsetsMetadata},
	{"transaction offsets/a successor aborts pending ones", txnOffsetsSuccessor},
	{"transaction offsets/pending ones of one partition do not block another", txnOffsetsPartitions},
	{"transaction offsets/copy exactly once through twenty commits and aborts", txnOffsetsCopy},
	{"transaction offsets/of two groups in one", txnOffsetsGroups},
	{"transaction offsets/the last of one partition counts", txnOffsetsLast},
	{"transaction offsets/none are nothing", txnOffsetsNone},
	{"transaction offsets/a time-out drops them", txnOffsetsTimeout},
	{"transaction offsets/a plain commit meanwhile is the later one", txnOffsetsPlain},
	{"transaction offsets/of a fenced static member are refused", txnOffsetsInstance},
}

type offsets = map[broker.TopicPartition]broker.OffsetAndMetadata

// withMember runs f on the thread of a member that owns the one partition of a topic, in its process.
func (e *Env) withMember(partitions int32, f func(e *Env, m broker.Member, topic string)) {
	e.T.Helper()
	topic := e.Topic("t", partitions)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(int(partitions))
	a.Do(func(e *Env, m broker.Member) { f(e, m, topic) })
	a.Leave()
}

func txnOffsetsCommit(e *Env) { e.endedWith((*Env).commit, 2) }

func txnOffsetsAbort(e *Env) { e.endedWith((*Env).abort, 1) }

// endedWith sends offset 2 in a transaction, after a plain commit of 1, and looks for what is committed when it has ended.
func (e *Env) endedWith(end func(*Env, broker.Producer), want int64) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		p := e.Transactional("x")
		defer p.Close()
		e.Must(m.Commit(e.Ctx, offsets{at0: at(1, "")}), "commit")
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(2, "")}), "send offsets")
		end(e, p)
		e.committed(m, offsets{at0: at(want, "")})
	})
}

func txnOffsetsPending(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	topic := e.Topic("t", 1)
	at0 := tp(topic, 0)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(1)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, to, keyed(0, 1)...)
	e.Eventually("the member has polled in its generation", func() bool { return a.Metadata().Generation > 0 })
	e.Must(p.SendOffsets(e.Ctx, a.Metadata(), offsets{at0: at(7, "")}), "send offsets")
	answered := a.Order(func(e *Env, m broker.Member) {
		e.committed(m, offsets{at0: at(7, "")})
	})
	e.Sleep(500 * time.Millisecond)
	if answered() {
		e.Fatalf("Committed did not wait")
	}
	e.commit(p)
	e.Eventually("Committed answers", answered)
	a.Leave()
}

func txnOffsetsAlone(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		p := e.Transactional("x")
		defer p.Close()
		for i := range int64(4) {
			e.begin(p)
			e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(i, "")}), "send offsets")
			e.commit(p)
			e.committed(m, offsets{at0: at(i, "")})
			if i%2 == 0 { // and the producer goes on
				e.begin(p)
				e.Send(p, to, keyed(int(i), 1)...)
				e.commit(p)
			}
		}
	})
}

func txnOffsetsFirst(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		p := e.Transactional("x")
		defer p.Close()
		for i := range int64(3) {
			e.begin(p)
			e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(i, "")}), "send offsets")
			e.Send(p, to, keyed(int(i), 1)...)
			if i == 1 {
				e.abort(p)
				continue
			}
			e.commit(p)
			e.committed(m, offsets{at0: at(i, "")})
		}
		c := e.Consumer(broker.ReadCommitted, to)
		defer c.Close()
		e.Values(e.Read(c, 2), "v0", "v2")
	})
}

func txnOffsetsUnknown(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		p := e.Transactional("x")
		defer p.Close()
		for _, records := range []int{1, 0} {
			who := m.Metadata()
			who.MemberID += "-not"
			e.begin(p)
			if records > 0 {
				e.Send(p, to, keyed(0, records)...)
			}
			// without a record the request may be put off until Commit
			err := p.SendOffsets(e.Ctx, who, offsets{at0: at(9, "")})
			if err == nil && records == 0 {
				err = p.Commit(e.Ctx)
			}
			e.Is(err, "offsets of an unknown member", broker.ErrUnknownMember)
			e.abort(p)
		}
		found, err := m.Committed(e.Ctx, at0)
		e.Must(err, "committed")
		if len(found) != 0 {
			e.Fatalf("committed: %v", found)
		}
		c := e.Consumer(broker.ReadCommitted, to)
		defer c.Close()
		if came := e.ReadTo(c, map[broker.TopicPartition]int64{to: e.Stable(to)}); len(came) != 0 {
			e.Fatalf("%v came", came)
		}
	})
}

func txnOffsetsMetadata(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(2, func(e *Env, m broker.Member, topic string) {
		p := e.Transactional("x")
		defer p.Close()
		want := offsets{tp(topic, 0): {Offset: 4, LeaderEpoch: 0, Metadata: "AgAAAX\x00é"}, tp(topic, 1): at(0, "")}
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), want), "send offsets")
		e.commit(p)
		e.committed(m, want)
	})
}

func txnOffsetsSuccessor(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		old := e.Transactional("x")
		defer old.Close()
		e.begin(old)
		e.Send(old, to, keyed(0, 1)...)
		e.Must(old.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(5, "")}), "send offsets")
		young := e.Transactional("x")
		defer young.Close()
		found, err := m.Committed(e.Ctx, at0)
		e.Must(err, "committed")
		if len(found) != 0 {
			e.Fatalf("committed: %v", found)
		}
		err = old.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(6, "")})
		e.Is(err, "the predecessor's offsets", broker.ErrFenced)
	})
}

func txnOffsetsPartitions(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(2, func(e *Env, m broker.Member, topic string) {
		p := e.Transactional("x")
		defer p.Close()
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 1): at(3, "")}), "commit")
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{tp(topic, 0): at(5, "")}), "send offsets")
		ctx, cancel := e.Main().Host().WithTimeout(e.Ctx, 5*time.Second)
		defer cancel()
		found, err := m.Committed(ctx, tp(topic, 1))
		e.Must(err, "committed of the other partition")
		if found[tp(topic, 1)] != at(3, "") {
			e.Fatalf("committed: %v", found)
		}
		e.abort(p)
	})
}

func txnOffsetsCopy(e *Env) {
	const n = 200
	out := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		in := tp(topic, 0)
		e.Fill(in, 0, n)
		p := e.Transactional("x")
		defer p.Close()
		done := int64(0)
		for round := 0; done < n; round++ {
			batches, err := m.Poll(e.Ctx, 10, 20*time.Second)
			e.Must(err, "poll")
			if len(e.gotten(batches)) == 0 {
				continue
			}
			e.begin(p)
			next := done
			for _, b := range batches {
				e.Must(p.Send(e.Ctx, out, append([]broker.Record(nil), b.Records...), nil), "send")
				next = b.Next
			}
			e.Must(p.Flush(e.Ctx), "flush")
			e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{in: at(next, "")}), "send offsets")
			if round%3 == 1 {
				e.abort(p)
				found, err := m.Committed(e.Ctx, in)
				e.Must(err, "committed")
				if found[in].Offset != done {
					e.Fatalf("committed %v instead of %d", found, done)
				}
				m.Seek(in, done)
				continue
			}
			e.commit(p)
			done = next
		}
		c := e.Consumer(broker.ReadCommitted, out)
		defer c.Close()
		for i, g := range e.Read(c, n) {
			if g.value != string(keyed(i, 1)[0].Value) {
				e.Fatalf("record %d came as %s", i, g.value)
			}
		}
	})
}

func txnOffsetsGroups(e *Env) {
	topic := e.Topic("t", 1)
	to := tp(e.Topic("out", 1), 0)
	a := e.Join("a", memberOptions{group: "g1", topics: []string{topic}})
	b := e.Join("b", memberOptions{group: "g2", topics: []string{topic}})
	a.Owns(1)
	b.Owns(1)
	e.Eventually("both have polled", func() bool { return a.Metadata().Generation > 0 && b.Metadata().Generation > 0 })
	p := e.Transactional("x")
	defer p.Close()
	for i, end := range []func(){func() { e.commit(p) }, func() { e.abort(p) }} {
		e.begin(p)
		e.Send(p, to, keyed(i, 1)...)
		e.Must(p.SendOffsets(e.Ctx, a.Metadata(), offsets{tp(topic, 0): at(int64(10+i), "")}), "send offsets")
		e.Must(p.SendOffsets(e.Ctx, b.Metadata(), offsets{tp(topic, 0): at(int64(20+i), "")}), "send offsets")
		end()
	}
	for i, m := range []*Member{a, b} {
		m.Do(func(e *Env, bm broker.Member) {
			found, err := bm.Committed(e.Ctx, tp(topic, 0))
			e.Must(err, "committed")
			if found[tp(topic, 0)].Offset != int64(10+10*i) {
				e.Fatalf("committed: %v", found)
			}
		})
		m.Leave()
	}
}

func txnOffsetsLast(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(2, func(e *Env, m broker.Member, topic string) {
		p := e.Transactional("x")
		defer p.Close()
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{tp(topic, 0): at(5, "a"), tp(topic, 1): at(1, "")}), "send offsets")
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{tp(topic, 0): at(3, "b")}), "send offsets")
		e.commit(p)
		e.committed(m, offsets{tp(topic, 0): at(3, "b"), tp(topic, 1): at(1, "")})
	})
}

func txnOffsetsNone(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		p := e.Transactional("x")
		defer p.Close()
		e.begin(p)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), nil), "send no offsets")
		e.commit(p)
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{}), "send no offsets")
		e.commit(p)
		found, err := m.Committed(e.Ctx, tp(topic, 0))
		e.Must(err, "committed")
		if len(found) != 0 || e.Stable(to) != 2 {
			e.Fatalf("committed %v, end %d", found, e.Stable(to))
		}
	})
}

func txnOffsetsTimeout(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		e.Must(m.Commit(e.Ctx, offsets{at0: at(1, "")}), "commit")
		p := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: time.Second})
		defer p.Close()
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(2, "")}), "send offsets")
		e.committed(m, offsets{at0: at(1, "")}) // waits for the time-out
	})
}

func txnOffsetsPlain(e *Env) {
	to := tp(e.Topic("out", 1), 0)
	e.withMember(1, func(e *Env, m broker.Member, topic string) {
		at0 := tp(topic, 0)
		p := e.Transactional("x")
		defer p.Close()
		e.begin(p)
		e.Send(p, to, keyed(0, 1)...)
		e.Must(p.SendOffsets(e.Ctx, m.Metadata(), offsets{at0: at(5, "")}), "send offsets")
		e.Must(m.Commit(e.Ctx, offsets{at0: at(3, "plain")}), "commit")
		e.commit(p)
		e.committed(m, offsets{at0: at(3, "plain")})
	})
}

func txnOffsetsInstance(e *Env) {
	topic := e.Topic("t", 1)
	to := tp(e.Topic("out", 1), 0)
	a := e.Join("a", memberOptions{topics: []string{topic}, instance: "i1"})
	a.Owns(1)
	e.Eventually("it has polled", func() bool { return a.Metadata().Generation > 0 })
	old := a.Metadata()
	b := e.Join("b", memberOptions{topics: []string{topic}, instance: "i1"})
	b.Owns(1)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, to, keyed(0, 1)...)
	err := p.SendOffsets(e.Ctx, old, offsets{tp(topic, 0): at(9, "")})
	e.Is(err, "offsets of the member that was replaced", broker.ErrFenced)
	b.Leave()
}
