package worker

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// converterSet are the converters of a task. Panics of them are errors.
type converterSet struct {
	key, value                      connect.Converter
	header                          connect.HeaderConverter
	keyClass, valueClass, headClass string
	described                       []Metric
}

// converters makes them: the connector's where it names one, then with the connector's properties only; else the worker's.
func (t *taskSetup) converters() (c converterSet, err error) {
	if c.key, c.keyClass, err = t.converter(&c, keyConverterKey, true); err != nil {
		return c, err
	}
	if c.value, c.valueClass, err = t.converter(&c, valueConverterKey, false); err != nil {
		return c, err
	}
	header, class, props, err := makeConverter[connect.HeaderConverter](t, &c, connect.KindHeaderConverter, headerConverterKey)
	if err != nil {
		return c, err
	}
	props["converter.type"] = "header"
	if err := guarded(class+".configure", func() error { return header.ConfigureHeaders(props) }); err != nil {
		return c, err
	}
	c.header, c.headClass = header, class
	return c, nil
}

func (t *taskSetup) converter(set *converterSet, name string, key bool) (connect.Converter, string, error) {
	c, class, props, err := makeConverter[connect.Converter](t, set, connect.KindConverter, name)
	if err != nil {
		return nil, "", err
	}
	return c, class, guarded(class+".configure", func() error { return c.Configure(props, key) })
}

// makeConverter makes one converter, and returns its class and properties.
func makeConverter[T any](t *taskSetup, set *converterSet, k connect.Kind, name string) (c T, class string, _ config.Props, err error) {
	from := t.config.Props
	if class = strings.TrimSpace(from[name]); class == "" {
		class, from = t.worker.Values.String(name), t.worker.Props
	}
	version := wantedVersion(from, name+"."+versionProperty)
	if err := connect.CheckVersion(version); err != nil {
		return c, "", nil, data.ConnectException.Wrap(err, "Invalid version range for "+name+": "+version)
	}
	p, err := t.worker.plugins.FindVersion(k, class, version)
	if err == nil {
		defer caught(class, &err)
		c, err = connect.Instance[T](p, t.h, class)
	}
	if err != nil {
		return c, "", nil, err
	}
	word := strings.ReplaceAll(name, ".", "-")
	set.described = append(set.described, text(taskGroup, word+"-class", p.Class), text(taskGroup, word+"-version", p.Version))
	return c, p.Class, config.PropsOf(from).WithPrefix(name + "."), nil
}

// side is the converter of keys or values.
func (c *converterSet) side(key bool) (connect.Converter, string) {
	if key {
		return c.key, c.keyClass
	}
	return c.value, c.valueClass
}

func (c *converterSet) fromConnect(r *connect.Record, key bool, headers *[]broker.Header) (b []byte, err error) {
	conv, class := c.side(key)
	defer caught(class, &err)
	if key {
		return conv.FromConnect(r.Topic, headers, r.KeySchema, r.Key)
	}
	return conv.FromConnect(r.Topic, headers, r.ValueSchema, r.Value)
}

func (c *converterSet) toConnect(in *consumedRecord, key bool) (v data.SchemaAndValue, err error) {
	conv, class := c.side(key)
	defer caught(class, &err)
	if key {
		return conv.ToConnect(in.Topic, in.Headers, in.Key)
	}
	return conv.ToConnect(in.Topic, in.Headers, in.Value)
}

func (c *converterSet) fromHeader(topic string, h *data.Header) (b []byte, err error) {
	defer caught(c.headClass, &err)
	return c.header.FromHeader(topic, h.Key, h.Schema, h.Value)
}

func (c *converterSet) toHeader(topic string, h *broker.Header) (v data.SchemaAndValue, err error) {
	defer caught(c.headClass, &err)
	return c.header.ToHeader(topic, h.Key, h.Value)
}
