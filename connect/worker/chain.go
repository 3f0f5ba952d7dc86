package worker

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Stage is a transform with the predicate that decides whether it is applied: Kafka's TransformationStage.
type Stage struct {
	Class     string // of the transform
	Transform connect.Transform
	Predicate connect.Predicate // may be nil
	Negate    bool
}

// Apply applies the stage to one record; nil drops it. own is whether nobody else knows r, so that it may be changed, and whether nobody else knows what
// comes out. A panic of the plugin is an error.
func (s *Stage) Apply(r *connect.Record, own bool) (out *connect.Record, _ bool, err error) {
	defer caught(s.Class, &err)
	if s.Predicate != nil {
		holds, err := s.Predicate.Holds(r)
		if err != nil {
			return nil, false, err
		}
		if holds == s.Negate {
			return r, own, nil
		}
	}
	t, ok := s.Transform.(connect.InPlaceTransform)
	switch {
	case !ok:
		out, err = s.Transform.Apply(r)
		return out, false, err // it may have kept either
	case own:
		out, err = t.ApplyInPlace(r)
		return out, true, err
	}
	out, err = t.Apply(r)
	return out, out != r, err
}

// Chain is the transforms of one task, in order.
type Chain []*Stage

// Apply applies all stages; a record that is dropped ends it. r is not changed.
func (c Chain) Apply(r *connect.Record) (*connect.Record, error) { return c.apply(r, false) }

// ApplyInPlace is Apply, and may change r.
func (c Chain) ApplyInPlace(r *connect.Record) (*connect.Record, error) { return c.apply(r, true) }

func (c Chain) apply(r *connect.Record, own bool) (*connect.Record, error) {
	for _, s := range c {
		var err error
		if r, own, err = s.Apply(r, own); err != nil || r == nil {
			return nil, err
		}
	}
	return r, nil
}

// Close closes all plugins. The error is the first panic.
func (c Chain) Close() (err error) {
	for _, s := range c {
		cleanUp(s.Class+".close", &err, s.Transform.Close)
		if s.Predicate != nil {
			cleanUp(s.Class+".predicate.close", &err, s.Predicate.Close)
		}
	}
	return err
}

// Chain makes and configures the transforms and predicates that the connector names. An error is a ConnectException caused by that of the
// plugin.
func (c *ConnectorConfig) Chain(h host.Host) (Chain, error) {
	var out Chain
	for _, alias := range c.Values.List(transformsKey) {
		s, err := c.stage(h, alias)
		if err != nil {
			_ = out.Close() // there is an error already
			return nil, data.ConnectException.Because(err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *ConnectorConfig) stage(h host.Host, alias string) (*Stage, error) {
	prefix := transformsKey + "." + alias + "."
	class := c.Values.String(prefix + "type")
	t, err := connect.Make[connect.Transform](c.plugins, h, connect.KindTransform, class, c.version(prefix))
	if err != nil {
		return nil, err
	}
	s := &Stage{Class: c.plugins.FullName(connect.KindTransform, class), Transform: t}
	props := config.PropsOf(c.Props).WithPrefix(prefix)
	predicate, has := props[predicateProperty]
	s.Negate = strings.EqualFold(props.Text(negateProperty), "true")
	delete(props, predicateProperty)
	delete(props, negateProperty)
	if err := guarded(s.Class+".configure", func() error { return t.Configure(props) }); err != nil {
		cleanUp(s.Class+".close", &err, t.Close)
		return nil, err
	}
	if !has {
		return s, nil
	}
	return s, c.addPredicate(h, s, data.Text(predicate))
}

// version is the wanted version of a transform or predicate.
func (c *ConnectorConfig) version(prefix string) string {
	if !c.Values.Has(prefix + versionProperty) {
		return connect.AnyVersion
	}
	return c.Values.String(prefix + versionProperty)
}

func (c *ConnectorConfig) addPredicate(h host.Host, s *Stage, alias string) error {
	prefix := predicatesKey + "." + alias + "."
	class := c.Values.String(prefix + "type")
	if class == "" {
		// A predicate that is not declared: Kafka looks for the version of its plugin first.
		return data.ConnectException.Because(data.ConfigException.Errorf("Unknown configuration '%s'", prefix+versionProperty))
	}
	p, err := connect.Make[connect.Predicate](c.plugins, h, connect.KindPredicate, class, c.version(prefix))
	if err != nil {
		return err
	}
	if err := guarded(class+".configure", func() error { return p.Configure(config.PropsOf(c.Props).WithPrefix(prefix)) }); err != nil {
		cleanUp(class+".close", &err, p.Close)
		return err
	}
	s.Predicate = p
	return nil
}
