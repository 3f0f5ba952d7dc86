package processor

import (
	"errors"
	"fmt"
	"slices"
)

// Processor takes records of one type.
type Processor[K, V any] interface {
	Process(r *Record[K, V]) error
}

// Instance is a node of a task. The task connects all nodes, then calls Init on each in the order of the topology.
type Instance interface {
	// Connect gives the node its children, in the order of the topology. A child whose record type differs is an error.
	Connect(children []Child) error
	Init(t Task) error
	// Close is called once, after the last record.
	Close()
}

// Child is a node as its parent sees it.
type Child struct {
	Name string
	Node Instance
	// Sink: an error out of a sink is its parent's; it has no processing handler of its own.
	Sink bool
}

// Output is the forwarding half of a node; embed it.
type Output[K, V any] struct {
	first Processor[K, V] // the only child in most nodes
	all   []Processor[K, V]
	kids  []Child
	t     Task
	ctx   *RecordContext
}

// Connect implements Instance.
func (o *Output[K, V]) Connect(children []Child) error {
	o.all = o.all[:0]
	for _, c := range children {
		p, ok := c.Node.(Processor[K, V])
		if !ok {
			return fmt.Errorf("streams: node %s (%T) cannot take records of its parent (%T)", c.Name, c.Node, o)
		}
		o.all = append(o.all, p)
	}
	o.kids = children
	if len(o.all) == 1 {
		o.first = o.all[0]
	}
	return nil
}

// Init implements Instance.
func (o *Output[K, V]) Init(t Task) error {
	o.t, o.ctx = t, t.Context()
	return nil
}

// Close implements Instance.
func (o *Output[K, V]) Close() {}

// Task is the node's task, after Init.
func (o *Output[K, V]) Task() Task { return o.t }

// Forward gives r to all children in order, each with its whole subtree before the next. It is a new record: Kafka makes a record context
// for it, of which a sink below lets go for those who get the same one, and not for others.
func (o *Output[K, V]) Forward(r *Record[K, V]) error {
	if c := o.ctx; c != nil && (c.RawKey != nil || c.RawValue != nil) {
		key, value := c.RawKey, c.RawValue
		err := o.Pass(r)
		c.RawKey, c.RawValue = key, value
		return err
	}
	return o.Pass(r)
}

// Pass is Forward of the very record that the node was given. The nodes of Kafka that do so are few: its filters, for one, make a new one.
func (o *Output[K, V]) Pass(r *Record[K, V]) error {
	if o.first != nil {
		if err := o.first.Process(r); err != nil {
			return o.failed(0, err)
		}
		return nil
	}
	for i, p := range o.all {
		if err := p.Process(r); err != nil {
			if err := o.failed(i, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// ForwardAt is Forward for a record whose timestamp or headers may differ from those of the record in hand: for the nodes below, the
// record context has the record's. Kafka's ProcessorContext.forward does so always.
func (o *Output[K, V]) ForwardAt(r *Record[K, V]) error {
	ctx := o.t.Context()
	ts, headers := ctx.Timestamp, ctx.Headers
	ctx.Timestamp, ctx.Headers = r.Timestamp, r.Headers
	err := o.Forward(r)
	ctx.Timestamp, ctx.Headers = ts, headers
	return err
}

// ForwardTo gives r to the i-th child alone.
func (o *Output[K, V]) ForwardTo(i int, r *Record[K, V]) error {
	if err := o.all[i].Process(r); err != nil {
		return o.failed(i, err)
	}
	return nil
}

// Child returns the number of a child, or -1.
func (o *Output[K, V]) Child(name string) int {
	return slices.IndexFunc(o.kids, func(c Child) bool { return c.Name == name })
}

// failed asks the processing exception handler about an error out of a child, once: the nearest processor around it is asked, and
// what it answered stands for the nodes above. nil means that the record is skipped below that child.
func (o *Output[K, V]) failed(i int, err error) error {
	if o.kids[i].Sink || errors.As(err, new(*Failed)) || IsTaskError(err) {
		return err
	}
	if o.t.Handle(o.kids[i].Name, err) {
		return nil
	}
	return &Failed{Node: o.kids[i].Name, Err: err}
}

// Failed is an error of user code or of a serde inside a node, after the processing exception handler answered FAIL.
type Failed struct {
	Node string
	Err  error
}

func (e *Failed) Error() string { return fmt.Sprintf("processor %s: %v", e.Node, e.Err) }
func (e *Failed) Unwrap() error { return e.Err }

// TaskError marks errors that concern the task or the thread and never reach a processing handler: fencing, migration, a lost
// connection, the end of the process.
type TaskError struct{ Err error }

func (e *TaskError) Error() string { return e.Err.Error() }
func (e *TaskError) Unwrap() error { return e.Err }

// IsTaskError tells whether err is a TaskError somewhere in its chain.
func IsTaskError(err error) bool { return errors.As(err, new(*TaskError)) }
