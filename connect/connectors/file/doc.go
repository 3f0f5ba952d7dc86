// Package file is for lines of text: the connectors FileStreamSource and FileStreamSink under Kafka's class names. A source sends each line
// of a file, and waits for more at its end; a sink appends the text of each value as a line.
package file

import (
	"io"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// The Java classes.
const (
	SourceClass = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	SinkClass   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// Standard is what connectors without a file read and write.
type Standard struct {
	// In reads what is there without blocking: 0 and no error when nothing is. Nil: nothing ever is.
	In func(p []byte) (int, error)
	// Out is written to. Nil: it goes nowhere.
	Out io.Writer
}

// Register registers both connectors.
func Register(p *connect.Plugins, std Standard) {
	p.Register(
		connect.Plugin{Class: SourceClass, Kind: connect.KindSource, New: func(h host.Host) any { return &Source{h: h, std: std} }},
		connect.Plugin{Class: SinkClass, Kind: connect.KindSink, New: func(h host.Host) any { return &Sink{h: h, std: std} }})
}
