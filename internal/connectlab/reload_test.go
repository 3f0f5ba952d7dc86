package connectlab_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// vault is a config provider whose values hold for some time. Its key n is how often it was asked.
type vault struct {
	ttl    time.Duration
	asked  int
	fail   bool
	params config.Props
}

func (v *vault) Configure(p config.Props) error { v.params = p; return nil }
func (*vault) Close()                           {}
func (v *vault) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	v.asked++
	if v.fail {
		return connect.ConfigData{}, errors.New("sealed")
	}
	out := connect.ConfigData{Values: map[string]string{"n": fmt.Sprint(v.asked), "same": "same"}, TTL: v.ttl}
	return out, nil
}

// useVault gives the worker a provider of the name vault.
func (l *lab) useVault(v *vault) {
	l.plugins.Register(connect.Plugin{Class: "test.VaultConfigProvider", Kind: connect.KindConfigProvider, Version: "1", New: func(host.Host) any { return v }})
	p, err := worker.NewProviders(worker.Environment{Host: l.p, Plugins: l.plugins}, map[string]string{
		"config.providers": "vault", "config.providers.vault.class": "Vault", "config.providers.vault.param.address": "here"})
	if err != nil {
		l.t.Error(err)
	}
	l.w.UseProviders(p)
}

// teller is a source that tells what happens to it.
type teller struct {
	mine
	calls []string
	props map[string]string
}

func (s *teller) say(format string, args ...any) {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}
func (s *teller) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	s.say("start %s", props["password"])
	s.props = props
	return nil
}
func (s *teller) Stop(context.Context) { s.say("stop") }
func (s *teller) TaskConfigs(int) ([]map[string]string, error) {
	return []map[string]string{{"password": s.props["password"]}}, nil
}
func (s *teller) NewTask() connect.SourceTask { return &tellerTask{s: s} }

type tellerTask struct{ s *teller }

func (*tellerTask) Version() string { return "" }
func (t *tellerTask) Start(_ context.Context, _ connect.SourceTaskContext, props map[string]string) error {
	t.s.say("task start %s", props["password"])
	return nil
}
func (t *tellerTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	return nil, t.s.h.Sleep(ctx, time.Hour)
}
func (t *tellerTask) Stop() { t.s.say("task stop") }

func (l *lab) teller(t *teller) map[string]string {
	t.h = l.p
	l.plugins.Register(connect.Plugin{Class: "test.Teller", Kind: connect.KindSource, Version: "1", New: func(host.Host) any { return t }})
	return map[string]string{"name": "c", "connector.class": "test.Teller", "password": "${vault:p:n}"}
}

// TestReload: a connector is started anew when values of its properties have ended; its tasks are, when anything of theirs has changed.
func TestReload(t *testing.T) {
	for _, c := range []struct {
		name, password, action string
		ttl                    time.Duration
		calls                  []string
		asked                  int
	}{
		{"other values", "${vault:p:n}", "", 10 * time.Second,
			[]string{"start 1", "task start 1", "stop", "start 2", "task stop", "task start 2", "stop", "start 3", "task stop", "task start 3"}, 3},
		{"the same values", "${vault:p:same}", "restart", 10 * time.Second, []string{"start same", "task start same", "stop", "start same", "stop", "start same"}, 3},
		{"none", "${vault:p:n}", "none", 10 * time.Second, []string{"start 1", "task start 1"}, 1},
		{"for ever", "${vault:p:n}", "restart", 0, []string{"start 1", "task start 1"}, 1},
		{"longer than the test", "${vault:p:n}", "restart", time.Hour, []string{"start 1", "task start 1"}, 1},
		{"no placeholder", "plain", "restart", 10 * time.Second, []string{"start plain", "task start plain"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab) {
				v := &vault{ttl: c.ttl}
				l.useVault(v)
				s := &teller{}
				props := l.teller(s)
				props["password"] = c.password
				if c.action != "" {
					props["config.action.reload"] = c.action
				}
				l.start(ctx, props)
				l.sleep(ctx, 25*time.Second)
				want(t, s.calls, c.calls)
				if v.asked != c.asked || v.params["address"] != "here" {
					t.Errorf("asked %d times, want %d; configured with %v", v.asked, c.asked, v.params)
				}
				if s := l.task(); s.State != worker.Running {
					t.Errorf("the task is %s", s.State)
				}
			})
		})
	}
}

// TestReloadFails: the connector fails then, and its tasks run on with what they have.
func TestReloadFails(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		v := &vault{ttl: 10 * time.Second}
		l.useVault(v)
		l.start(ctx, l.teller(&teller{}))
		l.sleep(ctx, 5*time.Second)
		v.fail = true
		l.sleep(ctx, 10*time.Second)
		s := l.w.Status()[0]
		if s.State != worker.Failed || !strings.Contains(s.Trace, "Could not resolve the value of password") || !strings.Contains(s.Trace, "sealed") {
			t.Errorf("the connector is %s: %s", s.State, s.Trace)
		}
		if s.Tasks[0].State != worker.Running {
			t.Errorf("the task is %s", s.Tasks[0].State)
		}
	})
}

// TestPausedConnector: a paused connector is stopped, and started again when it is resumed; its tasks stay.
func TestPausedConnector(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		v := &vault{ttl: 10 * time.Second}
		l.useVault(v)
		s := &teller{}
		if err := l.w.StartConnectorAs(ctx, l.teller(s), worker.Paused); err != nil {
			t.Error(err)
		}
		pause := func(paused bool) {
			if err := l.w.SetPaused("c", paused); err != nil {
				t.Error(err)
			}
			l.sleep(ctx, time.Second)
		}
		l.sleep(ctx, time.Minute)
		if got := l.w.Status()[0]; got.State != worker.Paused || len(got.Tasks) != 0 {
			t.Errorf("before it is resumed: %+v", got)
		}
		pause(false)
		want(t, s.calls, []string{"start 2", "task start 2"}) // what was there at first has ended meanwhile
		pause(true)
		if got := l.w.Status()[0]; got.State != worker.Paused || got.Tasks[0].State != worker.Paused {
			t.Errorf("paused: %+v", got)
		}
		pause(false)
		want(t, s.calls, []string{"start 2", "task start 2", "stop", "start 2"})
	})
}

// TestRaisedError: a connector that fails leaves its tasks running.
func TestRaisedError(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		s := &source{h: l.p}
		l.start(ctx, l.source(s))
		l.sleep(ctx, time.Second)
		s.cc.RaiseError(errors.New("first"))
		s.cc.RaiseError(errors.New("second"))
		l.sleep(ctx, time.Second)
		got := l.w.Status()[0]
		if got.State != worker.Failed || !strings.Contains(got.Trace, "first") || got.Tasks[0].State != worker.Running {
			t.Errorf("%+v", got)
		}
	})
}

// TestTextMetrics: what tasks and connectors are, and what they are made of.
func TestTextMetrics(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "mined")
		l.start(ctx, l.lay(&mine{at: "none"}, true))
		l.sleep(ctx, 5*time.Second)
		s := l.w.Status()[0]
		var got []string
		for _, m := range slices.Concat(s.Metrics, s.Tasks[0].Metrics) {
			if m.IsText {
				got = append(got, strings.TrimSuffix(m.Group, "-metrics")+"/"+m.Alias+" "+m.Name+"="+m.Text)
				if m.Value != 1 {
					t.Errorf("%s is %v", m.Name, m.Value)
				}
			}
		}
		want(t, got, []string{"connector/ connector-class=m.Sink", "connector/ connector-type=sink", "connector/ connector-version=1", "connector/ status=running",
			"connector-task/ status=running", "connector-task/ connector-class=m.Sink", "connector-task/ connector-type=sink", "connector-task/ connector-version=1",
			"connector-task/ task-class=m.SinkTask", "connector-task/ task-version=1",
			"connector-transform/t transform-class=m.Transform", "connector-transform/t transform-version=1",
			"connector-predicate/p predicate-class=m.Predicate", "connector-predicate/p predicate-version=1",
			"connector-task/ key-converter-class=m.Converter", "connector-task/ key-converter-version=1",
			"connector-task/ value-converter-class=m.Converter", "connector-task/ value-converter-version=1",
			"connector-task/ header-converter-class=m.Converter", "connector-task/ header-converter-version=1"})
		if err := l.w.SetPaused("mine", true); err != nil {
			t.Error(err)
		}
		l.sleep(ctx, 5*time.Second)
		if m := l.w.Status()[0].Tasks[0].Metrics[0]; m.Name != "status" || m.Text != "paused" {
			t.Errorf("%+v", m)
		}
	})
}
