package sim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// httpTransport carries HTTP over the simulated network to the handlers that Kernel.HandleHTTP registered.
type httpTransport struct{ p *Process }

// RoundTrip blocks the calling thread. The request's context must be a thread's.
func (t httpTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	n := t.p.k.net
	if ep := n.endpoints[req.URL.Host]; ep == nil || ep.epoch == 0 {
		return nil, fmt.Errorf("sim: no server is simulated for %s: register one with Kernel.HandleHTTP (real sockets are refused)", req.URL.Host)
	}
	served, err := copyRequest(req)
	if err != nil {
		return nil, err
	}
	resp, err := n.Call(req.Context(), t.p, req.URL.Host, served, int(served.ContentLength))
	if err != nil {
		return nil, err
	}
	r, ok := resp.(*http.Response)
	if !ok {
		return nil, fmt.Errorf("sim: %s does not speak HTTP", req.URL.Host)
	}
	r.Request = req
	return r, nil
}

// copyRequest makes the server's request of the client's, and reads the body.
func copyRequest(req *http.Request) (*http.Request, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		if cerr := req.Body.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return nil, err
		}
	}
	served := req.Clone(req.Context())
	served.Body = io.NopCloser(bytes.NewReader(body))
	served.ContentLength = int64(len(body))
	served.RequestURI = req.URL.RequestURI()
	if served.Host == "" {
		served.Host = req.URL.Host
	}
	return served, nil
}

// serveHTTP makes a network handler of an HTTP handler.
func serveHTTP(h http.Handler) Handler {
	return func(from string, req any, reply func(resp any, bytes int)) {
		r, ok := req.(*http.Request)
		if !ok {
			reply(fmt.Errorf("sim: an HTTP server got %T", req), 0)
			return
		}
		r.RemoteAddr = from
		w := &responseWriter{header: http.Header{}}
		h.ServeHTTP(w, r)
		resp := w.response()
		reply(resp, int(resp.ContentLength))
	}
}

// responseWriter collects a handler's answer.
type responseWriter struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
}

func (w *responseWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *responseWriter) response() *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.code, http.StatusText(w.code)), StatusCode: w.code,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header.Clone(),
		Body: io.NopCloser(bytes.NewReader(w.body.Bytes())), ContentLength: int64(w.body.Len()),
	}
}
