package declare

import (
	"errors"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// The built-in processors that have a store. A store of another kind is found out with the first record, as in Kafka, where the processor
// is made first and a cast fails later.

// later puts off the error of a store that is of the wrong kind until there is a record.
func later(f handler, err error) (handler, error) {
	if wrong := new(streams.StoreKindError); errors.As(err, &wrong) {
		return func(*message) error { return wrong }, nil
	}
	return f, err
}

func newCount(o *outlet) (handler, error) {
	s, err := streams.KeyValueStoreOf[any, any](o, o.store())
	return later(func(r *message) error {
		if r.NullKey {
			return nil
		}
		have, _, err := s.Get(r.Key)
		if err != nil {
			return err
		}
		n, _ := have.(int64)
		if err := s.Put(r.Key, n+1); err != nil {
			return err
		}
		return o.forward(set(r, n+1))
	}, err)
}

func newSweep(o *outlet) (handler, error) {
	s, err := streams.KeyValueStoreOf[any, any](o, o.store())
	if err != nil {
		return later(nil, err)
	}
	_, err = o.schedule(func(now int64) error {
		rows, err := s.Range(streams.Bounds[any]{})
		if err != nil {
			return err
		}
		all, err := rows.All()
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := o.forward(message{Key: e.Key, Value: e.Value, Timestamp: now}); err != nil {
				return err
			}
			if o.args.clear {
				if _, _, err := s.Delete(e.Key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return func(r *message) error {
		if r.NullValue {
			_, _, err := s.Delete(r.Key)
			return err
		}
		return s.Put(r.Key, r.Value)
	}, err
}

func newWindowRange(o *outlet) (handler, error) {
	s, err := streams.WindowStoreOf[any, any](o, o.store())
	return later(func(r *message) error {
		var err error
		if r.NullValue {
			err = s.Delete(r.Key, r.Timestamp)
		} else {
			err = s.Put(r.Key, r.Timestamp, r.Value)
		}
		if err != nil {
			return err
		}
		rows, err := s.Windows(r.Key, max(0, r.Timestamp-o.args.ms["back"]), r.Timestamp+o.args.ms["ahead"], false)
		if err != nil {
			return err
		}
		found := []any{}
		for rows.Next() {
			found = append(found, []any{rows.Row().Window.Start, rows.Value()})
		}
		if err := rows.Close(); err != nil {
			return err
		}
		return o.forward(set(r, found))
	}, err)
}

func newSessionTrack(o *outlet) (handler, error) {
	s, err := streams.SessionStoreOf[any, any](o, o.store())
	return later(func(r *message) error {
		gap := o.args.ms["gap"]
		found, err := s.Find(r.Key, r.Timestamp-gap, r.Timestamp+gap)
		if err != nil {
			return err
		}
		all, count := serde.Window{Start: r.Timestamp, End: r.Timestamp}, int64(1)
		for _, f := range found {
			if err := s.Remove(r.Key, f.Window); err != nil {
				return err
			}
			n, _ := f.Value.(int64)
			all.Start, all.End, count = min(all.Start, f.Window.Start), max(all.End, f.Window.End), count+n
		}
		if err := s.Put(r.Key, all, count); err != nil {
			return err
		}
		return o.forward(set(r, map[string]any{"start": all.Start, "end": all.End, "count": count}))
	}, err)
}

func newDedup(o *outlet) (handler, error) {
	s, err := streams.WindowStoreOf[any, any](o, o.store())
	return later(func(r *message) error {
		id, err := o.args.exprs["id"].value(o.vars(r))
		if err != nil || id == nil {
			if err == nil {
				err = o.forward(*r)
			}
			return err
		}
		within := o.args.ms["within"]
		rows, err := s.Windows(id, max(0, r.Timestamp-within), r.Timestamp+within, false)
		if err != nil {
			return err
		}
		seen := rows.Next()
		if err := rows.Close(); err != nil {
			return err
		}
		if err := s.Put(id, r.Timestamp, r.Timestamp); err != nil || seen {
			return err
		}
		return o.forward(*r)
	}, err)
}

func newExpire(o *outlet) (handler, error) {
	s, err := streams.TimestampedStoreOf[any, any](o, o.store())
	if err != nil {
		return later(nil, err)
	}
	_, err = o.schedule(func(now int64) error {
		rows, err := s.Range(streams.Bounds[any]{})
		if err != nil {
			return err
		}
		all, err := rows.All()
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.Time > now-o.args.ms["ttl"] {
				continue
			}
			if err := s.Delete(e.Key); err != nil {
				return err
			}
			if err := o.forward(message{Key: e.Key, NullValue: true, Timestamp: now}); err != nil {
				return err
			}
		}
		return nil
	})
	return func(r *message) error {
		if _, err := s.PutVersion(r.Key, r.Value, r.NullValue, r.Timestamp); err != nil {
			return err
		}
		return o.forward(*r)
	}, err
}

func newVersions(o *outlet) (handler, error) {
	s, err := streams.VersionedStoreOf[any, any](o, o.store())
	return later(func(r *message) error {
		answer, err := versionAnswer(s, r)
		if err != nil {
			return err
		}
		return o.forward(set(r, answer))
	}, err)
}

// versionAnswer asks a versioned store what a record asks for.
func versionAnswer(s *streams.VersionedStore[any, any], r *message) (any, error) {
	if question, ok := r.Value.(map[string]any); ok {
		if at, ok := question["as_of"].(int64); ok {
			return shownVersion(s.GetAsOf(r.Key, at))
		}
		if at, ok := question["delete_at"].(int64); ok {
			return shownVersion(s.Delete(r.Key, at))
		}
		if _, ok := question["latest"]; ok {
			return shownVersion(s.Get(r.Key))
		}
	}
	var validTo int64
	var err error
	if r.NullValue {
		validTo, err = s.PutNull(r.Key, r.Timestamp)
	} else {
		validTo, err = s.Put(r.Key, r.Value, r.Timestamp)
	}
	return map[string]any{"put": validTo}, err
}

// shownVersion is a version as the processor forwards it. The time until which it is valid is always null: Kafka's store does not tell.
func shownVersion(v *streams.VersionOf[any], err error) (any, error) {
	if err != nil || v == nil {
		return nil, err
	}
	return map[string]any{"value": v.Value, "timestamp": v.Timestamp, "valid_to": nil}, nil
}
