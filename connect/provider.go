package connect

import (
	"context"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/config"
)

// ConfigProvider looks up values for placeholders, ${provider:path:key}, in properties: Kafka's ConfigProvider. Get is called from
// several threads, also at the same time.
type ConfigProvider interface {
	// Configure is called once, first, with the worker's properties config.providers.<name>.param.*, without that prefix.
	Configure(params config.Props) error
	// Get returns the values of these keys at a path, which is empty where the placeholder has none. A key that is not there is left out, and its
	// placeholder stays as it is.
	Get(ctx context.Context, path string, keys []string) (ConfigData, error)
	// Close is called once at the end.
	Close()
}

// ConfigData are values that a ConfigProvider has found.
type ConfigData struct {
	Values map[string]string
	// TTL is how long they hold. A connector that uses them is started anew then, with new ones, unless its config.action.reload is none. Zero: for ever.
	TTL time.Duration
}
