package declare

import (
	"github.com/kstreamlab/kstreamlab/streams"
)

func buildStateStore(b *builder, s *step) error {
	b.b.AddStateStore(storeBuilder(get[*store](s, "store")))
	return nil
}

// storeBuilder is the store of state-store and global-store.
func storeBuilder(st *store) *streams.StoreBuilder {
	o := streams.StoreOptions{InMemory: st.memory, Caching: st.caching, NoLogging: st.noLogging, Duplicates: st.duplicates}
	key, value := st.serdes.key, st.serdes.value
	switch st.kind {
	case "timestamped":
		return streams.NewTimestampedStore(st.name, key, value, o)
	case "lru":
		return streams.NewLRUStore(st.name, int(st.entries), key, value, o)
	case "window":
		return streams.NewWindowStore(st.name, ms(st.retention), ms(st.size), key, value, o)
	case "timestamped-window":
		return streams.NewTimestampedWindowStore(st.name, ms(st.retention), ms(st.size), key, value, o)
	case "session":
		return streams.NewSessionStore(st.name, ms(st.retention), key, value, o)
	case "versioned":
		return streams.NewVersionedStore(st.name, ms(st.history), key, value, o)
	}
	return streams.NewKeyValueStore(st.name, key, value, o)
}
