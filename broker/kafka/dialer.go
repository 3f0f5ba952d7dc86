package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// dialer makes a client's connections: with the time allowed for it and the pauses after failures that Kafka's properties say, and TLS.
type dialer struct {
	set  settings
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	host host.Host

	mu     sync.Mutex
	failed map[string]failures // by address
}

// failures are those since the last success.
type failures struct {
	count int
	until time.Time // not before
}

func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	before := d.failed[addr]
	d.mu.Unlock()
	if wait := time.Until(before.until); wait > 0 {
		if err := d.host.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	conn, err := d.try(ctx, network, addr, before.count)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.failed, addr)
		return conn, nil
	}
	if d.failed == nil {
		d.failed = make(map[string]failures)
	}
	pause := doubled(d.set.reconnect, d.set.reconnectMax, before.count+1)
	pause += time.Duration((rand.Float64() - 0.5) * 0.4 * float64(pause)) // 20 % either way, so that clients do not come all at once
	d.failed[addr] = failures{before.count + 1, time.Now().Add(pause)}
	return nil, err
}

// try connects once.
func (d *dialer) try(ctx context.Context, network, addr string, failed int) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, doubled(d.set.setup, max(d.set.setup, d.set.setupMax), failed+1))
	defer cancel()
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if b, ok := conn.(interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}); ok {
		if d.set.receiveBuffer > 0 {
			_ = b.SetReadBuffer(d.set.receiveBuffer) // a wish: the system may have limits
		}
		if d.set.sendBuffer > 0 {
			_ = b.SetWriteBuffer(d.set.sendBuffer)
		}
	}
	if d.set.tls == nil {
		return conn, nil
	}
	return handshake(ctx, conn, addr, d.set.tls)
}

func handshake(ctx context.Context, conn net.Conn, addr string, config *tls.Config) (net.Conn, error) {
	name, _, err := net.SplitHostPort(addr)
	if err != nil {
		name = addr
	}
	config = config.Clone()
	config.ServerName = name
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // it is of no use
		return nil, fmt.Errorf("TLS with %s: %w", addr, err)
	}
	return secure, nil
}
