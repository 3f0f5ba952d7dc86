package state

import (
	"encoding/binary"

	"github.com/kstreamlab/kstreamlab/broker"
)

// Log sends a record to a store's changelog. A negative timestamp lets the producer's clock decide. The key is the caller's again when
// the call returns; the value is not.
type Log func(key, value []byte, timestamp int64, headers []broker.Header) error

// changelogging tells the changelog of every put.
type changelogging struct {
	Bytes
	log Log
	ctx *RecordContext
	// timestamped: values begin with 8 bytes of timestamp, which the changelog carries as the record's.
	timestamped bool
	// untimed: the producer's clock decides.
	untimed bool
}

func (c *changelogging) Put(key, value []byte) error {
	if err := c.Bytes.Put(key, value); err != nil {
		return err
	}
	ts := c.ctx.Timestamp
	if c.untimed {
		ts = broker.NoTimestamp
	}
	if c.timestamped && value != nil {
		ts, value = int64(binary.BigEndian.Uint64(value)), value[8:]
	}
	return c.log(key, value, ts, nil)
}
