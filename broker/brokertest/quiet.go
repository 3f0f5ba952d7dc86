package brokertest

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
)

// quiet is a listener that does nothing.
type quiet struct{}

func (quiet) Revoked(context.Context, []broker.TopicPartition)                     {}
func (quiet) Assigned(context.Context, broker.Assignment, []broker.TopicPartition) {}
func (quiet) Lost(context.Context, []broker.TopicPartition)                        {}
