package fake

import (
	"fmt"
	"net"
	"sync"
)

// network are the brokers' listeners, and the connections that came in through each: kfake itself keeps answering on those of a broker
// that it has removed (K8).
type network struct {
	mu    sync.Mutex
	conns map[string]map[*conn]struct{} // by the listener's address
	nodes map[int32]string              // address by broker
}

// conn is a TCP connection itself, so that writing stays as fast.
type conn struct {
	*net.TCPConn
	network *network
	at      string
}

type listener struct {
	net.Listener
	network *network
}

func newNetwork() *network {
	return &network{conns: make(map[string]map[*conn]struct{}), nodes: make(map[int32]string)}
}

// listen is kfake's way to a listener.
func (n *network) listen(net_, address string) (net.Listener, error) {
	ln, err := net.Listen(net_, address)
	if err != nil {
		return nil, err
	}
	return &listener{ln, n}, nil
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil // listen makes TCP listeners only
	}
	out := &conn{TCPConn: tcp, network: l.network, at: l.Addr().String()}
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if l.network.conns[out.at] == nil {
		l.network.conns[out.at] = make(map[*conn]struct{})
	}
	l.network.conns[out.at][out] = struct{}{}
	return out, nil
}

func (c *conn) Close() error {
	c.network.mu.Lock()
	delete(c.network.conns[c.at], c)
	c.network.mu.Unlock()
	return c.TCPConn.Close()
}

// cut closes every connection that came in at an address.
func (n *network) cut(at string) {
	n.mu.Lock()
	conns := n.conns[at]
	delete(n.conns, at)
	n.mu.Unlock()
	for c := range conns {
		_ = c.TCPConn.Close() // the client learns of it
	}
}

// CrashBroker kills a broker: its connections break, nobody answers at its address, and its partitions and groups go to the others. Data
// is never lost: there is one log a partition (K9). The last broker cannot be killed.
func (c *Cluster) CrashBroker(id int32) error {
	c.net.mu.Lock()
	at, ok := c.net.nodes[id]
	c.net.mu.Unlock()
	if !ok {
		return fmt.Errorf("fake: there is no broker %d", id)
	}
	if err := c.fake.RemoveNode(id); err != nil {
		return fmt.Errorf("fake: %w", err)
	}
	c.net.cut(at)
	return nil
}

// StartBroker brings a broker that was killed back at its old address.
func (c *Cluster) StartBroker(id int32) error {
	c.net.mu.Lock()
	at, ok := c.net.nodes[id]
	c.net.mu.Unlock()
	if !ok {
		return fmt.Errorf("fake: there was no broker %d", id)
	}
	addr, err := net.ResolveTCPAddr("tcp", at)
	if err != nil {
		return err
	}
	if _, _, err := c.fake.AddNode(id, addr.Port); err != nil {
		return fmt.Errorf("fake: %w", err)
	}
	return nil
}
