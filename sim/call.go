package sim

import "fmt"

// conn is what a process keeps of an address that it calls: the way there and the way back.
type conn struct {
	ep      *endpoint
	out, in *link
}

// call is one call under way. It is its own timer: at any time there is one thing that can happen to it next.
type call struct {
	timer     Timer
	n         *Network
	p         *Process
	ep        *endpoint
	conn      *conn
	epoch     uint32 // the endpoint's when the request was sent
	state     callState
	answered  bool
	loseReply string // the rule that wants the reply lost
	req       any
	resp      any
	err       error

	done func(resp any, err error) // of CallAsync
	th   *Thread                   // of Call
	gen  uint32                    // the park in which th waits

	prev, next *call // among the endpoint's
}

type callState uint8

const (
	callSent     callState = iota // the request is on its way
	callServed                    // the server has it; its timer runs only while a partition is in the way
	callReplying                  // the reply, or the failure, is on its way
	callLost                      // its timer will fail it
	callOver                      // nothing will happen any more
)

// start sends the request.
func (n *Network) start(p *Process, to string, req any, bytes int) *call {
	cn := p.conns[to]
	if cn == nil {
		cn = &conn{ep: n.endpoint(to), out: n.link(p.name, to), in: n.link(to, p.name)}
		p.conns[to] = cn
		p.connList = append(p.connList, cn)
	}
	c := &call{n: n, p: p, ep: cn.ep, conn: cn, epoch: cn.ep.epoch, req: req}
	c.timer = Timer{k: n.k, h: c}
	var v Verdict
	if len(n.rules)+len(n.cuts) > 0 {
		var by string
		v, by = n.judge(p.name, to, Request, req, bytes)
		if p.dead.Load() {
			return c // the rule killed the caller: nothing is sent
		}
		if v.Drop {
			n.dropped(p.name, to, Request, req, by)
			c.lose()
			return c
		} else if v.DropReply {
			c.loseReply = by
		}
	}
	c.timer.p = cn.ep.p
	c.timer.set(cn.out.arrival(n.k.now, bytes, v.Delay))
	return c
}

// fire is the call's next step.
func (c *call) fire() {
	switch c.state {
	case callSent:
		c.arrive()
	case callServed: // a partition came in between
		if c.n.blocked(c.ep.addr, c.p.name) {
			c.leave()
			c.finish(nil, ErrTimeout)
		}
	case callReplying:
		c.finish(c.resp, c.err)
	case callLost:
		c.finish(nil, ErrTimeout)
	}
}

// arrive hands the request to the server.
func (c *call) arrive() {
	ep := c.ep
	switch {
	case !ep.up:
		c.fail(ErrConnectionRefused)
		return
	case ep.epoch != c.epoch:
		c.fail(ErrConnectionReset)
		return
	}
	c.state = callServed
	c.prev = ep.last
	if c.prev != nil {
		c.prev.next = c
	} else {
		ep.first = c
	}
	ep.last = c
	if c.n.blocked(ep.addr, c.p.name) {
		c.expire()
	}
	ep.handler(c.p.name, c.req, c.reply)
}

// leave takes the call off the endpoint's list.
func (c *call) leave() {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		c.ep.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		c.ep.last = c.prev
	}
	c.prev, c.next = nil, nil
	c.timer.Stop()
}

// reply is what the handler answers with.
func (c *call) reply(resp any, bytes int) {
	if c.answered {
		panic(fmt.Sprintf("sim: %s answers %T of %s twice", c.ep.addr, c.req, c.p.name))
	}
	c.answered = true
	if c.state != callServed {
		return // the server went down, or the call timed out
	}
	c.leave()
	var v Verdict
	if len(c.n.rules)+len(c.n.cuts) > 0 || c.loseReply != "" {
		by := c.loseReply
		if by == "" {
			v, by = c.n.judge(c.ep.addr, c.p.name, Reply, resp, bytes)
		}
		if c.ep.epoch != c.epoch { // the rule took the server down
			c.fail(ErrConnectionReset)
			return
		}
		if v.Drop || v.DropReply || c.loseReply != "" {
			c.n.dropped(c.ep.addr, c.p.name, Reply, resp, by)
			c.lose()
			return
		}
	}
	c.resp = resp
	c.travel(c.conn.in.arrival(c.n.k.now, bytes, v.Delay))
}

// fail sends an error the way back.
func (c *call) fail(err error) {
	if c.n.blocked(c.ep.addr, c.p.name) {
		c.lose()
		return
	}
	c.err = err
	c.travel(c.conn.in.arrival(c.n.k.now, 0, 0))
}

func (c *call) travel(at int64) {
	c.state = callReplying
	c.timer.p = c.p
	c.timer.set(at)
}

// lose makes the call time out.
func (c *call) lose() {
	c.state = callLost
	c.expire()
}

// expire sets the time-out.
func (c *call) expire() {
	c.timer.p = c.p
	c.timer.set(c.n.k.now + int64(c.n.timeout))
}

// finish hands the outcome to the caller, if it still waits.
func (c *call) finish(resp any, err error) {
	c.state, c.resp, c.err = callOver, resp, err
	if c.done != nil {
		c.done(resp, err)
	}
	if t := c.th; t != nil && t.wake.gen == c.gen && t.state == threadParked {
		t.wake.gen++
		t.reason = wokenByEvent
		c.n.k.resume(t)
	}
}

// disconnect tells the endpoints that a dead process had called.
func (n *Network) disconnect(p *Process) {
	for _, cn := range p.connList {
		if cn.ep.onDisconnect == nil || !cn.ep.up || n.blocked(p.name, cn.ep.addr) {
			continue
		}
		ep, epoch := cn.ep, cn.ep.epoch
		tm := &Timer{k: n.k, p: ep.p, h: callback(func() {
			if ep.epoch == epoch && ep.onDisconnect != nil {
				ep.onDisconnect(p.name)
			}
		})}
		tm.set(cn.out.arrival(n.k.now, 0, 0))
	}
}
