package differ

import (
	"fmt"
	"math/rand/v2"
)

// Generate makes a sequence of about steps operations. The same seed makes the same sequence.
func Generate(seed uint64, steps int) Sequence {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0xd1ff))}
	g.add(op("topic", "a", 2))
	g.add(op("topic", "b", 1))
	for range steps {
		g.step()
	}
	for _, o := range []Op{op("ends", "a", "ru"), op("ends", "a", "rc"), op("ends", "b", "rc"), op("offsets", "g1"), op("offsets", "g2"),
		op("consumer", "last", "ru", "earliest"), op("assign", "last", "a-0@start", "a-1@start", "b-0@start"), op("read", "last")} {
		g.add(o)
	}
	return g.out
}

type generator struct {
	rng       *rand.Rand
	out       Sequence
	producers []string // open, or thought to be
	consumers []string
	members   []string
	made      int
}

func (g *generator) add(o Op) { g.out = append(g.out, o) }

func (g *generator) one(from ...string) string { return from[g.rng.IntN(len(from))] }

func (g *generator) partition() string { return g.one("a-0", "a-1", "b-0") }

func (g *generator) name(kind string) string {
	g.made++
	return fmt.Sprintf("%s%d", kind, g.made)
}

// step adds an operation or a few that belong together.
func (g *generator) step() {
	switch n := g.rng.IntN(100); {
	case n < 10 || len(g.producers) == 0:
		g.producer()
	case n < 50:
		g.produce(g.one(g.producers...))
	case n < 55 || len(g.consumers) == 0:
		g.consumer()
	case n < 72:
		g.consume(g.one(g.consumers...))
	case n < 84:
		g.group()
	default:
		g.ask()
	}
}

func (g *generator) producer() {
	p := g.name("p")
	g.producers = append(g.producers, p)
	if g.rng.IntN(3) == 0 {
		g.add(op("producer", p))
		return
	}
	id := g.one("x", "y")
	g.add(op("producer", p, id)) // often fences an earlier one
	g.add(op("begin", p))
}

func (g *generator) produce(p string) {
	switch n := g.rng.IntN(21); {
	case n < 11:
		g.add(op("send", p, g.partition(), 1+g.rng.IntN(4)))
	case n < 14:
		g.add(op("commit", p))
		g.add(op("begin", p))
	case n < 16:
		g.add(op("abort", p))
		g.add(op("begin", p))
	case n < 17:
		g.add(op(g.one("begin", "commit", "abort"), p))
	case n < 18:
		g.add(op("send", p, g.one("a-7", "none-0"), 1))
	case n < 20 && len(g.members) > 0:
		g.add(op("send", p, g.partition(), 1))
		g.add(op("sendoffsets", p, g.one(g.members...), g.partition(), g.rng.IntN(9), g.one("now", "stale")))
	default:
		g.add(op("large", p, g.partition()))
	}
}

func (g *generator) consumer() {
	c := g.name("c")
	g.consumers = append(g.consumers, c)
	g.add(op("consumer", c, g.one("rc", "rc", "ru"), g.one("earliest", "latest", "none")))
	args := []any{c}
	for _, tp := range []string{"a-0", "a-1", "b-0"} {
		if g.rng.IntN(4) > 0 {
			args = append(args, tp+"@"+g.one("start", "start", "reset", "2"))
		}
	}
	g.add(op("assign", args...))
}

func (g *generator) consume(c string) {
	switch g.rng.IntN(6) {
	case 0:
		g.add(op("take", c, g.partition(), 1+g.rng.IntN(4)))
	case 1:
		g.add(op("seek", c, g.partition(), g.rng.IntN(8)))
	case 2:
		g.add(op(g.one("pause", "resume"), c, g.partition()))
	case 3:
		g.add(op("position", c, g.partition()))
	default:
		g.add(op("read", c))
	}
}

func (g *generator) group() {
	if len(g.members) == 0 || g.rng.IntN(4) == 0 {
		m := g.name("m")
		g.members = append(g.members, m)
		g.add(op("join", m, g.one("g1", "g1", "g2"), g.one("a", "a,b"), g.one("cooperative", "cooperative", "eager")))
		return
	}
	m := g.one(g.members...)
	switch g.rng.IntN(6) {
	case 0:
		g.add(op("leave", m))
	case 1:
		g.add(op("commit-offset", m, g.partition(), g.rng.IntN(9), g.name("meta")))
	case 2:
		g.add(op("committed", m, g.partition()))
	case 3:
		g.add(op("rejoin", m))
	default:
		g.add(op("read-member", m))
	}
}

func (g *generator) ask() {
	switch g.rng.IntN(7) {
	case 0:
		g.add(op("starts", g.one("a", "b")))
	case 1:
		g.add(op("time", g.partition(), 1000+10*g.rng.IntN(len(g.out)+1)))
	case 2:
		g.add(op("delete", g.partition(), g.rng.IntN(8)))
	case 3:
		g.add(op("offsets", g.one("g1", "g2")))
	case 4:
		g.add(op("group", g.one("g1", "g2", "g3")))
	case 5:
		g.add(op("topic", g.one("a", "b"), 1))
	default:
		g.add(op("ends", g.one("a", "b"), g.one("rc", "ru")))
	}
}
