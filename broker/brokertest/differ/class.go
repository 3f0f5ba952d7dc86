package differ

import (
	"errors"

	"github.com/kstreamlab/kstreamlab/broker"
)

// classes are the kinds of error that an engine tells apart, the particular ones first.
var classes = []struct {
	kind error
	name string
}{
	{broker.ErrFenced, "fenced"},
	{broker.ErrAbortable, "abortable"},
	{broker.ErrUnknownMember, "unknown-member"},
	{broker.ErrRebalancing, "rebalancing"},
	{broker.ErrNoOffset, "no-offset"},
	{broker.ErrUnknownTopic, "unknown-topic"},
	{broker.ErrTopicExists, "topic-exists"},
	{broker.ErrRecordTooLarge, "record-too-large"},
	{broker.ErrClosed, "closed"},
	{broker.ErrOffsetOutOfRange, "offset-out-of-range"},
	{broker.ErrTimeout, "timeout"},
	{broker.ErrRetriable, "retriable"},
	{broker.ErrFatal, "fatal"},
}

// class is an error as it is compared: "error " and its class; "ok" for nil.
func class(err error) string {
	if err == nil {
		return "ok"
	}
	for _, c := range classes {
		if errors.Is(err, c.kind) {
			return "error " + c.name
		}
	}
	return "error " + err.Error()
}
