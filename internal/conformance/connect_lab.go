package conformance

import (
	"context"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// The classes of the recording's own plugins: testdata/connect/README.md says what they do.
const (
	errantClass = "kstreamlab.lab.ErrantSinkConnector"
	failClass   = "kstreamlab.lab.Fail"
)

// registerLab registers the plugins that the recorded scenarios were made with.
func registerLab(p *connect.Plugins) {
	p.Register(connect.Plugin{Class: errantClass, Kind: connect.KindSink, New: func(host.Host) any { return &errantConnector{} }})
	p.RegisterTransform(failClass, func(host.Host) connect.Transform { return &failing{} })
}

var noProperties = config.NewDef()

// errantConnector is ErrantSinkConnector.
type errantConnector struct{ props map[string]string }

func (*errantConnector) Version() string     { return "1" }
func (*errantConnector) Config() *config.Def { return noProperties }
func (c *errantConnector) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	c.props = props
	return nil
}
func (c *errantConnector) TaskConfigs(int) ([]map[string]string, error) {
	return []map[string]string{c.props}, nil
}
func (*errantConnector) Stop(context.Context)      {}
func (*errantConnector) NewTask() connect.SinkTask { return &errantTask{tries: map[string]int{}} }

// errantTask does what the value's text says.
type errantTask struct {
	tc    connect.SinkTaskContext
	tries map[string]int
}

func (*errantTask) Version() string { return "1" }
func (*errantTask) Stop()           {}

func (t *errantTask) Start(_ context.Context, tc connect.SinkTaskContext, _ map[string]string) error {
	t.tc = tc
	return nil
}

func (t *errantTask) Put(ctx context.Context, records []*connect.Record) error {
	for _, r := range records {
		if err := t.put(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *errantTask) put(ctx context.Context, r *connect.Record) error {
	text, _ := r.Value.(string)
	word, rest, _ := strings.Cut(text, " ")
	report := func(r *connect.Record, err error) error {
		if e := t.tc.Errant(); e != nil {
			return e.Report(ctx, r, err)
		}
		return nil
	}
	switch word {
	case "report":
		return report(r, data.IllegalArgumentException.Errorf("%s", rest))
	case "report-null":
		return report(r, &data.Error{Class: data.IllegalArgumentException, Null: true})
	case "report-cause":
		return report(r, data.ConnectException.Wrap(data.IllegalStateException.Errorf("inner"), "outer"))
	case "report-built":
		return report(r.Copy(), data.IllegalArgumentException.Errorf("built"))
	case "throw":
		return data.ConnectException.Errorf("%s", rest)
	case "retry":
		n, err := strconv.Atoi(rest)
		if err == nil && t.tries[text] < n {
			t.tries[text]++
			t.tc.RetryAfter(10)
			return data.RetriableException.Errorf("again")
		}
	}
	return nil
}

var _ connect.Opener = (*errantTask)(nil)

// Open does nothing.
func (*errantTask) Open(context.Context, []broker.TopicPartition) error { return nil }

// failing is Fail, a transform.
type failing struct {
	last  *connect.SinkPosition
	tries int
}

func (*failing) Config() *config.Def            { return noProperties }
func (*failing) Configure(_ config.Props) error { return nil }
func (*failing) Close()                         {}

func (f *failing) Apply(r *connect.Record) (*connect.Record, error) {
	text, _ := r.Value.(string)
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "data":
		return nil, data.DataException.Wrap(data.IllegalStateException.Errorf("why"), rest)
	case "runtime":
		return nil, data.IllegalStateException.Errorf("%s", rest)
	case "null-message":
		return nil, &data.Error{Class: data.IllegalStateException, Null: true}
	case "retriable":
		if f.last != r.Sink {
			f.last, f.tries = r.Sink, 0
		}
		if n, err := strconv.Atoi(rest); err == nil && f.tries < n {
			f.tries++
			return nil, data.RetriableException.Errorf("attempt %d", f.tries)
		}
	}
	return r, nil
}
