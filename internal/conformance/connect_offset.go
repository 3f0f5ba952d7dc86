package conformance

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

func init() { connectKinds["offset-topic"] = runOffsetTopic }

func runOffsetTopic(c *connectCase) string {
	conv := json.New()
	must(conv.Configure(config.Props{"schemas.enable": "false"}, false))
	partition, _ := valueOf(c.object["partition"], nil).(*data.Map)
	offset, _ := valueOf(c.object["offset"], nil).(*data.Map)
	want := c.expect()
	key, err := worker.OffsetKey(conv, "c", partition)
	var value []byte
	if err == nil {
		value, err = worker.OffsetValue(conv, offset)
	}
	if !isNull(want["error"]) || err != nil {
		return diffError(want["error"], err)
	}
	if d := diffBytes(decode[object](want["key"]), key, nil); d != "" {
		return "key: " + d
	}
	if d := diffBytes(decode[object](want["value"]), value, nil); d != "" {
		return "value: " + d
	}
	return ""
}
