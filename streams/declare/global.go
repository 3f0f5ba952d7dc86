package declare

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams"
)

// kglobal is a global table of an app.
type kglobal = streams.GlobalKTable[any, any]

// consumed is how a step reads its topic.
func (b *builder) consumed(s *step) (streams.Consumed[any, any], error) {
	name, err := s.name()
	sd := get[serdes](s, "serde")
	c := streams.Consumed[any, any]{Key: sd.key, Value: sd.value, Name: string(name), Timestamp: b.timestamp, Reset: get[string](s, "reset")}
	if s.has("timestamp") {
		c.Timestamp = extractor(get[timestamp](s, "timestamp"))
	}
	topic := get[string](s, "topic")
	b.inputs = append(b.inputs, topic)
	b.learn(topic, sd.key, sd.value)
	return c, err
}

func buildGlobalTable(b *builder, s *step) error {
	c, err := b.consumed(s)
	if err != nil {
		return err
	}
	opts, err := materializedOption(s)
	if err != nil {
		return err
	}
	for i := range opts {
		opts[i].StepName = "" // the name is the source's
	}
	return s.done(streams.GlobalTable(b.b, get[string](s, "topic"), c, opts...))
}

func buildGlobalStore(b *builder, s *step) error {
	c, err := b.consumed(s)
	if err != nil {
		return err
	}
	st := get[*store](s, "store")
	streams.AddGlobalStore(b.b, storeBuilder(st), get[string](s, "topic"), c, func(c *streams.ProcessorContext[any, any]) (streams.Processor[any, any], error) {
		put, err := globalPut(c, st)
		return streams.ProcessorFunc[any, any](keyed(put)), err
	})
	return nil
}

// globalPut puts each record into the store; a null deletes.
func globalPut(c *streams.ProcessorContext[any, any], st *store) (handler, error) {
	switch st.kind {
	case "timestamped":
		s, err := streams.TimestampedStoreOf[any, any](c, st.name)
		return func(r *message) error {
			_, err := s.PutVersion(r.Key, r.Value, r.NullValue, r.Timestamp)
			return err
		}, err
	case "", "key-value", "lru":
		s, err := streams.KeyValueStoreOf[any, any](c, st.name)
		return func(r *message) error {
			if r.NullValue {
				_, _, err := s.Delete(r.Key)
				return err
			}
			return s.Put(r.Key, r.Value)
		}, err
	}
	return nil, fmt.Errorf("a global store of type %s cannot be filled: key-value, timestamped and lru can", st.kind)
}

func buildGlobalJoin(s *step, kind streams.JoinKind, join *expression) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	return s.done(streams.JoinGlobal(streamOf(s), kind, s.inputs[1].node.(*kglobal), mapper(get[*expression](s, "lookup")), func(k, v, g any, _ bool) (any, error) {
		return join.value(&pair{k, v, g})
	}, name...))
}
