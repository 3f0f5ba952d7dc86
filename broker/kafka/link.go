package kafka

import (
	"context"
	"errors"
	"net"
	"sync"
)

// errCut is what a cut link answers.
var errCut = errors.New("kafka: the link is cut")

// Link is a process's way onto the network, to be given to Config.Dialer, that can be cut: then every connection made through it
// is closed and no new one is made, as when the process is killed. A pause of the network is a Cut and a Restore. The zero value
// is ready; all methods may be called from any goroutine.
type Link struct {
	mu    sync.Mutex
	cut   bool
	conns map[*linkConn]struct{}
}

type linkConn struct {
	net.Conn
	link *Link
}

// Dial is net.Dialer's DialContext while the link is whole.
func (l *Link) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.IsCut() {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &linkConn{Conn: conn, link: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		_ = conn.Close() // nothing was written yet
		return nil, errCut
	}
	if l.conns == nil {
		l.conns = make(map[*linkConn]struct{})
	}
	l.conns[c] = struct{}{}
	return c, nil
}

// Cut closes every connection and refuses new ones.
func (l *Link) Cut() {
	l.mu.Lock()
	conns := l.conns
	l.cut, l.conns = true, nil
	l.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close() // the other side learns of it; there is nobody here to tell
	}
}

// Restore lets connections be made again.
func (l *Link) Restore() {
	l.mu.Lock()
	l.cut = false
	l.mu.Unlock()
}

// IsCut says whether the link is cut.
func (l *Link) IsCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (c *linkConn) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c)
	c.link.mu.Unlock()
	return c.Conn.Close()
}
