package diagram

import (
	"bytes"
	"context"
	"fmt"

	"github.com/goccy/go-graphviz"

	"github.com/kstreamlab/kstreamlab/streams"
)

// SVG is the topology as a picture: DOT laid out by Graphviz, which is in the library and need not be installed.
func SVG(ctx context.Context, d streams.TopologyDescription) ([]byte, error) {
	g, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("diagram: cannot start graphviz: %w", err)
	}
	defer g.Close()
	parsed, err := graphviz.ParseBytes([]byte(DOT(d)))
	if err != nil {
		return nil, fmt.Errorf("diagram: %w", err)
	}
	defer parsed.Close()
	var out bytes.Buffer
	if err := g.Render(ctx, parsed, graphviz.SVG, &out); err != nil {
		return nil, fmt.Errorf("diagram: %w", err)
	}
	return out.Bytes(), nil
}
