package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// MessageKind says what a message is part of.
type MessageKind uint8

const (
	Request MessageKind = iota // of a call
	Reply                      // of a call
	OneWay                     // sent with Network.Send
)

func (m MessageKind) String() string { return [...]string{"request", "reply", "one-way"}[m] }

// Message is what a rule sees of a message as it is sent. From and To are names of processes or addresses.
type Message struct {
	From, To string
	Kind     MessageKind
	Body     any
	Bytes    int
	At       time.Time
}

// Verdict is what becomes of a message. The zero value lets it pass.
type Verdict struct {
	Drop      bool          // it is lost
	DropReply bool          // on a request: it is served, and the reply is lost
	Delay     time.Duration // it, and what is sent after it on the same link, arrives later
	Duplicate bool          // on a one-way message: it arrives twice
}

type namedRule struct {
	name string
	rule func(Message) Verdict
}

// SetRule installs a rule that sees every message, or replaces the rule of that name. The verdicts of several rules add up.
// A rule may kill the sender, or take it down: the message is then not sent.
func (n *Network) SetRule(name string, rule func(Message) Verdict) {
	for i := range n.rules {
		if n.rules[i].name == name {
			n.rules[i].rule = rule
			return
		}
	}
	n.rules = append(n.rules, namedRule{name, rule})
}

// RemoveRule removes the rule of that name, if there is one.
func (n *Network) RemoveRule(name string) {
	n.rules = slices.DeleteFunc(n.rules, func(r namedRule) bool { return r.name == name })
}

// judge asks all rules and names the one that drops.
func (n *Network) judge(from, to string, kind MessageKind, body any, bytes int) (v Verdict, by string) {
	if n.blocked(from, to) {
		return Verdict{Drop: true}, "partition"
	}
	for _, r := range slices.Clone(n.rules) {
		w := r.rule(Message{From: from, To: to, Kind: kind, Body: body, Bytes: bytes, At: n.k.Now()})
		if (w.Drop || w.DropReply) && by == "" {
			by = r.name
		}
		v.Drop = v.Drop || w.Drop
		v.DropReply = v.DropReply || w.DropReply
		v.Duplicate = v.Duplicate || w.Duplicate
		v.Delay += w.Delay
	}
	return v, by
}

// cut is a pair of names between which nothing passes; "*" stands for all names.
type cut struct{ a, b string }

func (c cut) blocks(from, to string) bool {
	return matches(c.a, from) && matches(c.b, to) || matches(c.a, to) && matches(c.b, from)
}

func matches(pattern, name string) bool { return pattern == "*" || pattern == name }

// Partition stops everything between a and b, in both directions; "*" stands for all others. Messages that are under way arrive. Calls
// under way whose reply could not get through time out unless the partition heals before.
func (n *Network) Partition(a, b string) {
	if slices.Contains(n.cuts, cut{a, b}) {
		return
	}
	n.cuts = append(n.cuts, cut{a, b})
	n.k.Emit("network", trace.Event{Kind: "net.partition", Fields: []trace.Field{trace.F("a", a), trace.F("b", b)}})
	for _, ep := range n.order {
		for c := ep.first; c != nil; c = c.next {
			if !c.timer.pending && n.blocked(c.ep.addr, c.p.name) {
				c.expire()
			}
		}
	}
}

// Heal ends the partition between a and b, in whichever order they were given.
func (n *Network) Heal(a, b string) {
	before := len(n.cuts)
	n.cuts = slices.DeleteFunc(n.cuts, func(c cut) bool { return c == cut{a, b} || c == cut{b, a} })
	if len(n.cuts) != before {
		n.k.Emit("network", trace.Event{Kind: "net.heal", Fields: []trace.Field{trace.F("a", a), trace.F("b", b)}})
	}
}

func (n *Network) blocked(from, to string) bool {
	if len(n.cuts) == 0 || from == to {
		return false
	}
	return slices.ContainsFunc(n.cuts, func(c cut) bool { return c.blocks(from, to) })
}

func (n *Network) dropped(from, to string, kind MessageKind, body any, by string) {
	if !n.k.Tracing() {
		return
	}
	n.k.Emit("network", trace.Event{Kind: "net.drop", Fields: []trace.Field{trace.F("from", from), trace.F("to", to),
		trace.F("what", kind.String()), trace.F("body", fmt.Sprintf("%T", body)), trace.F("by", by)}})
}
