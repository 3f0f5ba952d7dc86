package sim

import (
	"context"
	"errors"
	"time"
)

// The errors of calls.
var (
	ErrTimeout           = errors.New("sim: the call timed out")         // the request or the reply was lost
	ErrConnectionReset   = errors.New("sim: connection reset by peer")   // the server died with the call under way
	ErrConnectionRefused = errors.New("sim: connection refused by peer") // nobody listens
)

// Handler serves an endpoint. It runs as an event: it must not block. reply answers the call, now or in a later event, once; bytes
// is the size of the answer. For a message of Send reply does nothing. reply after the endpoint went down does nothing either.
type Handler func(from string, req any, reply func(resp any, bytes int))

// Network carries messages between processes (which call) and endpoints (which serve, and send to each other).
type Network struct {
	k         *Kernel
	endpoints map[string]*endpoint
	order     []*endpoint // in order of first mention
	links     map[linkKey]*link
	common    LatencyConfig
	latency   map[linkKey]*LatencyConfig
	timeout   time.Duration
	rules     []namedRule
	cuts      []cut
}

// endpoint is an address. It exists from its first mention; nobody listens until Listen.
type endpoint struct {
	addr         string
	up           bool
	epoch        uint32   // counts Listen and Down: a message of another epoch came over a connection that is no more
	p            *Process // whose events its arrivals are; nil: the kernel's
	handler      Handler
	onDisconnect func(process string)
	first, last  *call // being served
}

func newNetwork(k *Kernel) *Network {
	n := &Network{k: k, endpoints: map[string]*endpoint{}, links: map[linkKey]*link{}, latency: map[linkKey]*LatencyConfig{},
		common: k.cfg.Latency, timeout: k.cfg.CallTimeout}
	if n.common == (LatencyConfig{}) {
		n.common = defaultLatency
	}
	return n
}

func (n *Network) endpoint(addr string) *endpoint {
	ep := n.endpoints[addr]
	if ep == nil {
		ep = &endpoint{addr: addr}
		n.endpoints[addr] = ep
		n.order = append(n.order, ep)
	}
	return ep
}

// SetCallTimeout sets how long after its loss a call fails with ErrTimeout, for losses from now on.
func (n *Network) SetCallTimeout(d time.Duration) { n.timeout = d }

// Listen makes h serve addr. It panics when somebody listens there.
func (n *Network) Listen(addr string, h Handler) { n.listen(nil, addr, h) }

// ListenAs is Listen for a server that is a process: the handler runs as the process's event (put off while it is paused), and the
// address goes Down when the process dies. Link names are the address, not the process's name.
func (n *Network) ListenAs(p *Process, addr string, h Handler) {
	if p.refused() {
		return
	}
	ep := n.listen(p, addr, h)
	epoch := ep.epoch
	p.OnKill(func() {
		if ep.epoch == epoch {
			n.Down(addr)
		}
	})
}

func (n *Network) listen(p *Process, addr string, h Handler) *endpoint {
	ep := n.endpoint(addr)
	if ep.up {
		panic("sim: two servers at " + addr)
	}
	ep.up, ep.p, ep.handler = true, p, h
	ep.epoch++
	return ep
}

// Down says that the server at addr died: calls that it has not answered fail with ErrConnectionReset, later ones with ErrConnectionRefused, each
// after the link's latency. What it sent before still arrives.
func (n *Network) Down(addr string) {
	ep := n.endpoint(addr)
	if !ep.up {
		return
	}
	ep.up, ep.handler, ep.p = false, nil, nil
	ep.epoch++
	for ep.first != nil {
		c := ep.first
		c.leave()
		c.fail(ErrConnectionReset)
	}
}

// OnDisconnect has f called at addr, as an event there, when a process died that had called it: the way a server learns of a closed
// connection. A partition prevents it. f stays through Down and Listen; nil removes it.
func (n *Network) OnDisconnect(addr string, f func(process string)) {
	n.endpoint(addr).onDisconnect = f
}

// Call sends req to the endpoint and blocks the calling thread, which must be one of p, until the reply, an error of this package, or
// the end of ctx (its error; the server may still serve the call). bytes is the size of the request. A call that the server keeps waiting
// never times out by itself.
func (n *Network) Call(ctx context.Context, p *Process, to string, req any, bytes int) (any, error) {
	if p.refused() {
		return nil, errKilled
	}
	t := n.k.running(p, "call to "+to)
	if c := n.k.find(ctx); c != nil && c.err != nil {
		return nil, c.err
	}
	c := n.start(p, to, req, bytes)
	c.th, c.gen = t, t.wake.gen
	if t.park(ctx, wait{what: "the reply to", call: c}) == wokenByContext {
		c.th = nil
		return nil, ctx.Err()
	}
	return c.resp, c.err
}

// CallAsync sends req to the endpoint; done runs as an event of p, once, with the reply or an error of this package: never when p was
// killed, at Resume while it is paused. done may be nil.
func (n *Network) CallAsync(p *Process, to string, req any, bytes int, done func(resp any, err error)) {
	if !p.refused() {
		n.start(p, to, req, bytes).done = done
	}
}

// Send sends msg from one endpoint to another, without an answer. It is lost without notice when nobody listens at either end.
func (n *Network) Send(from, to string, msg any, bytes int) {
	if n.isDown(from) {
		return
	}
	v, by := n.judge(from, to, OneWay, msg, bytes)
	if n.isDown(from) {
		return // a rule took it down
	}
	if v.Drop {
		n.dropped(from, to, OneWay, msg, by)
		return
	}
	ep, l := n.endpoint(to), n.link(from, to)
	copies := 1
	if v.Duplicate {
		copies = 2
	}
	for range copies {
		m := &parcel{ep: ep, epoch: ep.epoch, from: from, body: msg}
		m.timer = Timer{k: n.k, p: ep.p, h: m}
		m.timer.set(l.arrival(n.k.now, bytes, v.Delay))
	}
}

// isDown says that somebody listened at addr and nobody does.
func (n *Network) isDown(addr string) bool {
	ep := n.endpoints[addr]
	return ep != nil && !ep.up && ep.epoch > 0
}

// parcel is a one-way message under way.
type parcel struct {
	timer Timer
	ep    *endpoint
	epoch uint32
	from  string
	body  any
}

func (m *parcel) fire() {
	if m.ep.epoch == m.epoch && m.ep.up {
		m.ep.handler(m.from, m.body, noReply)
	}
}

func noReply(any, int) {}
