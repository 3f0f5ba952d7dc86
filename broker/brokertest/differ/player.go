package differ

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
)

// patience is how long the player waits for what must come.
const patience = 45 * time.Second

// absent is the answer to an operation of a client that there is not.
const absent = "no such client"

// verb is how an operation is played.
type verb struct {
	args int // at least
	play func(p *player, args []string) string
}

var verbs map[string]verb

func init() { // the verbs' functions parse, and parsing looks at the verbs
	verbs = map[string]verb{
		"topic": {2, (*player).topic}, "producer": {1, (*player).producer}, "send": {3, (*player).send}, "large": {2, (*player).large},
		"begin": {1, (*player).begin}, "commit": {1, (*player).commit}, "abort": {1, (*player).abort}, "sendoffsets": {5, (*player).sendOffsets},
		"consumer": {3, (*player).consumer}, "assign": {1, (*player).assign}, "read": {1, (*player).read}, "take": {3, (*player).take},
		"seek": {3, (*player).seek}, "pause": {2, (*player).pause}, "resume": {2, (*player).resume}, "position": {2, (*player).position},
		"ends": {2, (*player).ends}, "starts": {1, (*player).starts}, "time": {2, (*player).time}, "delete": {2, (*player).delete},
		"join": {4, (*player).join}, "leave": {1, (*player).leave}, "rejoin": {1, (*player).rejoin}, "read-member": {1, (*player).readMember},
		"commit-offset": {4, (*player).commitOffset}, "committed": {2, (*player).committed}, "offsets": {1, (*player).offsets}, "group": {1, (*player).group},
	}
}

// player plays a sequence on one thread of a process.
type player struct {
	ctx       context.Context
	process   brokertest.Process
	unique    string
	at        int // the operation that is played
	topics    map[string]int32
	producers map[string]*producer
	consumers map[string]*consumer
	members   map[string]*member
	// protocolOf is the protocol that the members of each group follow.
	protocolOf map[string]string
}

type producer struct {
	broker.Producer
	id   string
	open bool
	// replaced: another one has its id now.
	replaced bool
	written  map[broker.TopicPartition]bool // in the open transaction
	groups   map[string]bool                // to which it has sent offsets in the open transaction
}

type consumer struct {
	broker.Consumer
	isolation broker.IsolationLevel
	reset     broker.ResetPolicy
	lost      bool                           // a partition has no position, and no policy says where to begin
	assigned  map[broker.TopicPartition]bool // true: paused
}

// Play plays s on a thread of p and returns an answer for each operation. Names of topics, groups and ids begin with unique.
func Play(ctx context.Context, p brokertest.Process, unique string, s Sequence, before func(i int)) []string {
	pl := &player{ctx: ctx, process: p, unique: unique, topics: map[string]int32{}, producers: map[string]*producer{},
		consumers: map[string]*consumer{}, members: map[string]*member{}}
	defer pl.close()
	answers := make([]string, len(s))
	for i, o := range s {
		if before != nil {
			before(i)
		}
		pl.at = i
		answers[i] = verbs[o.Verb].play(pl, o.Args)
		if p := pl.producers[first(o.Args)]; p != nil && answers[i] == "error fenced" {
			p.Close() // it is good for nothing else
			delete(pl.producers, first(o.Args))
		}
	}
	return answers
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (p *player) close() {
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		m := p.members[name]
		_ = m.Leave(p.ctx) // nothing more is asked of it
		m.Close()
	}
	for _, name := range slices.Sorted(maps.Keys(p.producers)) {
		p.producers[name].Close()
	}
	for _, name := range slices.Sorted(maps.Keys(p.consumers)) {
		p.consumers[name].Close()
	}
}

func (p *player) admin() broker.Admin { return p.process.Cluster().Admin() }

// tp is the partition that a text like a-0 names.
func (p *player) tp(s string) broker.TopicPartition {
	i := strings.LastIndexByte(s, '-')
	return broker.TopicPartition{Topic: p.unique + s[:i], Partition: int32(number(s[i+1:]))}
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("differ: " + err.Error())
	}
	return n
}

// short is a partition without the prefix.
func (p *player) short(tp broker.TopicPartition) string {
	return strings.TrimPrefix(tp.String(), p.unique)
}

func isolation(s string) broker.IsolationLevel {
	if s == "rc" {
		return broker.ReadCommitted
	}
	return broker.ReadUncommitted
}

// eventually waits until done, for as long as patience lasts.
func (p *player) eventually(done func() bool) bool {
	until := p.process.Host().Now().Add(patience)
	for !done() {
		if p.process.Host().Now().After(until) || p.process.Host().Sleep(p.ctx, 2*time.Millisecond) != nil {
			return false
		}
	}
	return true
}

func (p *player) topic(args []string) string {
	n := int32(number(args[1]))
	err := p.admin().CreateTopics(p.ctx, broker.NewTopic{Name: p.unique + args[0], Partitions: n, ReplicationFactor: -1})
	if err != nil {
		return class(err)
	}
	p.topics[args[0]] = n
	ready := p.eventually(func() bool {
		_, err := p.admin().EndOffsets(p.ctx, broker.ReadUncommitted, p.partitions(args[0])...)
		return err == nil
	})
	if a, ok := p.process.(brokertest.Announcer); ok && ready {
		ready = a.Announced(p.ctx, p.unique+args[0], int(n)) == nil
	}
	return fmt.Sprintf("ready %v", ready)
}

// partitions are those of a topic.
func (p *player) partitions(topic string) []broker.TopicPartition {
	var out []broker.TopicPartition
	for i := range p.topics[topic] {
		out = append(out, broker.TopicPartition{Topic: p.unique + topic, Partition: i})
	}
	return out
}

func (p *player) producer(args []string) string {
	cfg := broker.ProducerConfig{TransactionTimeout: 15 * time.Minute} // no time-out may come in between
	if len(args) > 1 {
		cfg.TransactionalID = p.unique + args[1]
	}
	made, err := p.process.Cluster().NewProducer(p.ctx, cfg)
	if err != nil {
		return class(err)
	}
	pr := &producer{Producer: made, id: cfg.TransactionalID}
	for _, other := range p.producers {
		if other.id == pr.id {
			other.groups, other.replaced = nil, true // its transaction is aborted
		}
	}
	p.producers[args[0]] = pr
	return "ok"
}

// records makes records whose values tell the operation.
func (p *player) records(n int64) []broker.Record {
	out := make([]broker.Record, n)
	for i := range out {
		out[i] = broker.Record{Key: fmt.Appendf(nil, "k%d", i%3), Value: fmt.Appendf(nil, "%d.%d", p.at, i), Timestamp: int64(1000 + 10*p.at + i)}
	}
	return out
}

func (p *player) send(args []string) string {
	return p.write(args[0], p.tp(args[1]), p.records(number(args[2])))
}

func (p *player) large(args []string) string {
	return p.write(args[0], p.tp(args[1]), []broker.Record{{Value: bytes.Repeat([]byte("x"), 1_200_000), Timestamp: 1}})
}

// write sends, and waits for the outcome.
func (p *player) write(name string, to broker.TopicPartition, records []broker.Record) string {
	pr := p.producers[name]
	if pr == nil {
		return absent
	}
	base, failed := broker.NoOffset, error(nil)
	if err := pr.Send(p.ctx, to, records, func(b int64, err error) { base, failed = b, err }); err != nil {
		return class(err)
	}
	if err := pr.Flush(p.ctx); err != nil && failed == nil {
		failed = err
	}
	if failed != nil {
		return class(failed)
	}
	if pr.open {
		pr.written[to] = true
	}
	return fmt.Sprintf("base %d", base)
}

func (p *player) begin(args []string) string {
	pr := p.producers[args[0]]
	if pr == nil {
		return absent
	}
	err := pr.Begin()
	if err != nil && pr.open {
		return "refused" // for which of several reasons is no promise
	}
	if err == nil {
		pr.open, pr.written, pr.groups = true, map[broker.TopicPartition]bool{}, map[string]bool{}
	}
	return class(err)
}

func (p *player) commit(args []string) string {
	return p.end(args[0], func(pr *producer) error { return pr.Commit(p.ctx) })
}

func (p *player) abort(args []string) string {
	return p.end(args[0], func(pr *producer) error { return pr.Abort(p.ctx) })
}

// end ends a transaction, and waits for its markers.
func (p *player) end(name string, how func(*producer) error) string {
	pr := p.producers[name]
	if pr == nil {
		return absent
	}
	if pr.replaced && len(pr.written) == 0 {
		return "not now" // whether it learns that it is fenced although nothing was written is no promise
	}
	written := slices.SortedFunc(maps.Keys(pr.written), broker.TopicPartition.Compare)
	before, err := p.admin().EndOffsets(p.ctx, broker.ReadUncommitted, written...)
	if err != nil {
		return "before: " + class(err)
	}
	err = how(pr)
	if err != nil && !pr.open {
		return "refused"
	}
	if err != nil {
		return class(err)
	}
	pr.open, pr.written, pr.groups = false, nil, nil
	marked := p.eventually(func() bool {
		now, err := p.admin().EndOffsets(p.ctx, broker.ReadUncommitted, written...)
		return err == nil && !slices.ContainsFunc(written, func(tp broker.TopicPartition) bool { return now[tp] <= before[tp] })
	})
	return fmt.Sprintf("marked %v", marked)
}

// pending says whether an open transaction may hold back a group's positions.
func (p *player) pending(group string) bool {
	for _, pr := range p.producers {
		if pr.groups[group] {
			return true
		}
	}
	return false
}

func (p *player) ends(args []string) string {
	found, err := p.admin().EndOffsets(p.ctx, isolation(args[1]), p.partitions(args[0])...)
	if err != nil {
		return class(err)
	}
	starts, err := p.admin().EarliestOffsets(p.ctx, p.partitions(args[0])...)
	for tp := range found { // Kafka's last stable offset may be below the start, at that of a batch that was deleted in part
		found[tp] = max(found[tp], starts[tp])
	}
	return p.told(found, err)
}

func (p *player) starts(args []string) string {
	found, err := p.admin().EarliestOffsets(p.ctx, p.partitions(args[0])...)
	return p.told(found, err)
}

// time is not compared once records are deleted: Kafka 4.2 finds nothing when a marker lies below the start.
func (p *player) time(args []string) string {
	if starts, err := p.admin().EarliestOffsets(p.ctx, p.tp(args[0])); err != nil || starts[p.tp(args[0])] > 0 {
		return "not compared"
	}
	found, err := p.admin().OffsetsForTime(p.ctx, number(args[1]), p.tp(args[0]))
	return p.told(found, err)
}

// delete first moves the readers of what is deleted on: whether they have fetched it is no promise.
func (p *player) delete(args []string) string {
	tp, before := p.tp(args[0]), number(args[1])
	ends, err := p.admin().EndOffsets(p.ctx, broker.ReadUncommitted, tp)
	if err != nil {
		return class(err)
	}
	if before <= ends[tp] {
		for _, name := range slices.Sorted(maps.Keys(p.consumers)) {
			moveOn(p.consumers[name].Consumer, tp, before)
		}
		for _, name := range slices.Sorted(maps.Keys(p.members)) {
			moveOn(p.members[name].Member, tp, before)
		}
	}
	starts, err := p.admin().EarliestOffsets(p.ctx, tp)
	if err != nil {
		return class(err)
	}
	answer := class(p.admin().DeleteRecords(p.ctx, map[broker.TopicPartition]int64{tp: before}))
	if before < starts[tp] {
		answer += " below the start"
	}
	return answer
}

func moveOn(c broker.Consumer, tp broker.TopicPartition, start int64) {
	if at := c.Position(tp); at != broker.NoOffset && at < start {
		c.Seek(tp, start)
	}
}

func (p *player) told(found map[broker.TopicPartition]int64, err error) string {
	if err != nil {
		return class(err)
	}
	var out []string
	for _, tp := range slices.SortedFunc(maps.Keys(found), broker.TopicPartition.Compare) {
		out = append(out, fmt.Sprintf("%s=%d", p.short(tp), found[tp]))
	}
	return strings.Join(out, " ")
}
