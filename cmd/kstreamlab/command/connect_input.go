package command

import (
	"os"
	"sync"
)

// standardInput reads standard input beside a connector, which must not block.
type standardInput struct {
	start sync.Once
	mu    sync.Mutex
	buf   []byte
	err   error
}

func newStandardInput() *standardInput { return &standardInput{} }

// read returns what is there by now; 0 when nothing is. The first call begins to read.
func (s *standardInput) read(p []byte) (int, error) {
	s.start.Do(func() { go s.fill() })
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(p, s.buf)
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// fill reads until the end. What a connector has not taken yet waits in memory.
func (s *standardInput) fill() {
	p := make([]byte, 64<<10)
	for {
		n, err := os.Stdin.Read(p)
		s.mu.Lock()
		s.buf = append(s.buf, p[:n]...)
		s.err = err
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}
