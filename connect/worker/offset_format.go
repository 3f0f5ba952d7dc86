package worker

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// newOffsetConverter is the converter of the offsets topic and file: JSON without schemas.
func newOffsetConverter() (*json.Converter, error) {
	c := json.New()
	return c, c.Configure(config.Props{"schemas.enable": "false"}, false)
}

// checkOffset wants a source partition or offset to be a map of strings to primitive values: Kafka's OffsetUtils. Nil is fine.
func checkOffset(m *data.Map) error {
	for _, e := range m.Entries() {
		if _, ok := e.Key.(string); !ok {
			return data.DataException.Errorf("Offsets may only use String keys")
		}
		if e.Value != nil && !data.TypeOf(e.Value).Primitive() {
			return data.DataException.Errorf("Offsets may only contain primitive types as values, but field %s contains class %s",
				data.Text(e.Key), data.ClassOf(e.Value))
		}
	}
	return nil
}

// OffsetKey is the key under which a source partition's offset is stored: the JSON of a list of connector and partition. A wrong partition is
// a DataException.
func OffsetKey(c *json.Converter, connector string, partition *data.Map) ([]byte, error) {
	if err := checkOffset(partition); err != nil {
		return nil, err
	}
	var p any
	if partition != nil {
		p = partition
	}
	return c.FromConnect("", nil, nil, []any{connector, p})
}

// OffsetValue is what is stored; nil for none.
func OffsetValue(c *json.Converter, offset *data.Map) ([]byte, error) {
	if err := checkOffset(offset); err != nil || offset == nil {
		return nil, err
	}
	return c.FromConnect("", nil, nil, offset)
}

// offsetOf reads a stored offset.
func offsetOf(c *json.Converter, b []byte) (*data.Map, error) {
	v, err := c.ToConnect("", nil, b)
	if err != nil {
		return nil, err
	}
	m, ok := v.Value.(*data.Map)
	if !ok && v.Value != nil {
		return nil, data.DataException.Errorf("Offsets must be specified as a Map")
	}
	return m, checkOffset(m)
}
