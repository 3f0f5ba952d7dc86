package sim

import (
	"context"
	"log/slog"
)

// logHandler stamps records with virtual time and silences the dead.
type logHandler struct {
	p     *Process
	inner slog.Handler
}

func (h logHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return !h.p.dead.Load() && h.inner.Enabled(ctx, l)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = h.p.k.Now()
	return h.inner.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.p, h.inner.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.p, h.inner.WithGroup(name)}
}
