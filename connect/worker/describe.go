package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
)

// versionOf is the version that a plugin tells of itself.
func versionOf(x connect.Versioned) string {
	if v := x.Version(); v != "" {
		return v
	}
	return connect.UndefinedVersion
}

// taskClass is the Java class of a connector's tasks.
func (l *launch) taskClass() string {
	if x, ok := l.instance.(connect.TaskClass); ok {
		return x.TaskClass()
	}
	class := l.config.plugins.FullName(l.config.Kind, l.config.Values.String(classKey))
	return strings.TrimSuffix(class, "Connector") + "Task"
}

// describe notes what a task is made of, for its metrics. It calls the task.
func (t *taskSetup) describe(c *control, connector []Metric, task connect.Task) {
	about := slices.Clone(connector)
	for i := range about {
		about[i].Group = taskGroup
	}
	about = append(about, text(taskGroup, "task-class", t.props["task.class"]), text(taskGroup, "task-version", versionOf(task)))
	for _, k := range []struct {
		key, group, word string
		kind             connect.Kind
	}{{transformsKey, transformGroup, "transform", connect.KindTransform}, {predicatesKey, predicateGroup, "predicate", connect.KindPredicate}} {
		for _, alias := range t.config.Values.List(k.key) {
			prefix := k.key + "." + alias + "."
			p, err := t.config.plugins.FindVersion(k.kind, t.config.Values.String(prefix+"type"), t.config.version(prefix))
			if err != nil {
				continue // the task fails for it
			}
			class, version := text(k.group, k.word+"-class", p.Class), text(k.group, k.word+"-version", p.Version)
			class.Alias, version.Alias = alias, alias
			about = append(about, class, version)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics.about = append(about, c.metrics.about...)
}

// describeConverters notes the classes and versions of the task's converters.
func (c *control) describeConverters(set *converterSet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics.about = append(c.metrics.about, set.described...)
}
