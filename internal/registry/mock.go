package registry

import (
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// Mock is a registry in memory: Confluent's MockSchemaRegistryClient, and more of a registry, since it checks compatibility and speaks the REST
// interface (ServeHTTP). Ids are numbered from 1 in the order of registration, so that they are the same in every run.
type Mock struct {
	address string

	mu       sync.Mutex // never held across a blocking call
	byID     []Schema   // of id 1, 2, ...
	ids      map[string]int
	subjects map[string]*subject
	level    string
}

type subject struct {
	versions []int // ids; 0: deleted
	level    string
}

// Compatibility levels.
var levels = []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}

// NewMock makes an empty registry whose compatibility level is BACKWARD, as Confluent's.
func NewMock(address string) *Mock {
	return &Mock{address: address, ids: map[string]int{}, subjects: map[string]*subject{}, level: "BACKWARD"}
}

var scopes struct {
	mu    sync.Mutex
	mocks map[string]*Mock
}

// MockScope is the registry of mock://scope in this process: Confluent's MockSchemaRegistry.getClientForScope. Runs that must not see each
// other use different scopes.
func MockScope(scope string) *Mock {
	scopes.mu.Lock()
	defer scopes.mu.Unlock()
	m := scopes.mocks[scope]
	if m == nil {
		if scopes.mocks == nil {
			scopes.mocks = map[string]*Mock{}
		}
		m = NewMock(mockScheme + scope)
		scopes.mocks[scope] = m
	}
	return m
}

// DropScope forgets the registry of a scope.
func DropScope(scope string) {
	scopes.mu.Lock()
	defer scopes.mu.Unlock()
	delete(scopes.mocks, scope)
}

// Address implements Server.
func (m *Mock) Address() string { return m.address }

func (m *Mock) fault(op, subject string, status, code int, format string, args ...any) *Error {
	return &Error{Address: m.address, Op: op, Subject: subject, Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// SetCompatibility sets the level of a subject, or of all that have none of their own where subject is empty.
func (m *Mock) SetCompatibility(name, level string) error {
	if !slices.Contains(levels, level) {
		return m.fault("set the compatibility level", name, http.StatusUnprocessableEntity, 42203, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if name == "" {
		m.level = level
	} else {
		m.subject(name).level = level
	}
	return nil
}

// subject finds or makes a subject. The caller holds mu.
func (m *Mock) subject(name string) *subject {
	s := m.subjects[name]
	if s == nil {
		s = &subject{}
		m.subjects[name] = s
	}
	return s
}

func (m *Mock) parse(op, subject string, s Schema) (parsed, error) {
	p, err := parse(s, m.needed)
	if err != nil {
		return parsed{}, m.fault(op, subject, http.StatusUnprocessableEntity, InvalidSchema, "Invalid schema of type %s, details: %v", s.Type, err)
	}
	return p, nil
}

// needed finds the schemas that references name. The caller holds mu.
func (m *Mock) needed(r Reference) (Schema, error) {
	found, err := m.version("find a referenced schema", r.Subject, r.Version)
	return found.Schema, err
}

// Register implements Server.
func (m *Mock) Register(_ context.Context, name string, s Schema, normalize bool) (int, error) {
	op := "register a schema under " + name
	m.mu.Lock()
	defer m.mu.Unlock()
	p, err := m.parse(op, name, s)
	if err != nil {
		return 0, err
	}
	if normalize {
		s.Text = p.text
	}
	if found, ok := m.find(name, p); ok {
		return found.ID, nil
	}
	if list := m.incompatible(name, p, Latest); len(list) > 0 {
		return 0, m.fault(op, name, http.StatusConflict, IncompatibleSchema, "Schema being registered is incompatible with an earlier schema for subject %q, details: %v", name, list)
	}
	id := m.ids[p.key]
	if id == 0 {
		m.byID = append(m.byID, s)
		id = len(m.byID)
		m.ids[p.key] = id
	}
	sub := m.subject(name)
	sub.versions = append(sub.versions, id)
	return id, nil
}

// find looks for an equal schema in a subject.
func (m *Mock) find(name string, p parsed) (Registered, bool) {
	id := m.ids[p.key]
	sub := m.subjects[name]
	if id == 0 || sub == nil {
		return Registered{}, false
	}
	i := slices.Index(sub.versions, id)
	if i < 0 {
		return Registered{}, false
	}
	return Registered{m.byID[id-1], name, i + 1, id}, true
}

// incompatible says why p does not go with a version of the subject, or with those that its level asks for where number is Latest.
func (m *Mock) incompatible(name string, p parsed, number int) (reasons []string) {
	sub := m.subjects[name]
	if sub == nil {
		return nil
	}
	level := sub.level
	if level == "" {
		level = m.level
	}
	for i, id := range slices.Backward(sub.versions) {
		if id == 0 || number != Latest && number != i+1 {
			continue
		}
		old, err := parse(m.byID[id-1], m.needed)
		if err != nil {
			reasons = append(reasons, err.Error())
		} else {
			reasons = append(reasons, misfits(level, p, old)...)
		}
		if number == Latest && !slices.Contains([]string{"BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"}, level) {
			break
		}
	}
	if len(reasons) > 0 {
		reasons = append(reasons, fmt.Sprintf("{compatibility: '%s'}", level))
	}
	return reasons
}

func misfits(level string, p, old parsed) (reasons []string) {
	if level == "NONE" {
		return nil
	}
	if level[0] == 'B' || level[:2] == "FU" {
		if err := p.reads(old); err != nil {
			reasons = append(reasons, err.Error())
		}
	}
	if level[0] == 'F' {
		if err := old.reads(p); err != nil {
			reasons = append(reasons, err.Error())
		}
	}
	return reasons
}

// Lookup implements Server.
func (m *Mock) Lookup(_ context.Context, name string, s Schema, _ bool) (Registered, error) {
	op := "look up a schema under " + name
	m.mu.Lock()
	defer m.mu.Unlock()
	p, err := m.parse(op, name, s)
	if err != nil {
		return Registered{}, err
	}
	if found, ok := m.find(name, p); ok {
		return found, nil
	}
	if m.subjects[name] == nil || len(m.subjects[name].versions) == 0 {
		return Registered{}, m.fault(op, name, http.StatusNotFound, SubjectNotFound, "Subject '%s' not found.", name)
	}
	return Registered{}, m.fault(op, name, http.StatusNotFound, SchemaNotFound, "Schema not found")
}

// ByID implements Server.
func (m *Mock) ByID(_ context.Context, id int) (Schema, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id < 1 || id > len(m.byID) {
		return Schema{}, m.fault(fmt.Sprintf("get the schema of id %d", id), "", http.StatusNotFound, SchemaNotFound, "Schema %d not found", id)
	}
	return m.byID[id-1], nil
}

// GUID is the globally unique id that this registry gives a schema.
func (m *Mock) GUID(s Schema) string {
	g := md5.Sum([]byte(s.key()))
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:])
}

// ByGUID implements Server.
func (m *Mock) ByGUID(_ context.Context, guid string) (Schema, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.byID {
		if m.GUID(s) == guid {
			return s, nil
		}
	}
	return Schema{}, m.fault("get the schema of GUID "+guid, "", http.StatusNotFound, SchemaNotFound, "Schema %s not found", guid)
}

// ByVersion implements Server.
func (m *Mock) ByVersion(_ context.Context, name string, number int) (Registered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version(fmt.Sprintf("get version %d of %s", number, name), name, number)
}

func (m *Mock) version(op, name string, number int) (Registered, error) {
	sub := m.subjects[name]
	if sub == nil || len(sub.versions) == 0 {
		return Registered{}, m.fault(op, name, http.StatusNotFound, SubjectNotFound, "Subject '%s' not found.", name)
	}
	if number == Latest {
		number = len(sub.versions)
		for number > 1 && sub.versions[number-1] == 0 {
			number--
		}
	}
	if number < 1 || number > len(sub.versions) || sub.versions[number-1] == 0 {
		return Registered{}, m.fault(op, name, http.StatusNotFound, VersionNotFound, "Version %d not found.", number)
	}
	id := sub.versions[number-1]
	return Registered{m.byID[id-1], name, number, id}, nil
}

// Subjects are the names of all subjects that have a version, sorted.
func (m *Mock) Subjects() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []string{}
	for _, name := range slices.Sorted(maps.Keys(m.subjects)) {
		if len(m.versions(name)) > 0 {
			out = append(out, name)
		}
	}
	return out
}

// versions are the numbers of a subject's versions. The caller holds mu.
func (m *Mock) versions(name string) []int {
	var out []int
	if sub := m.subjects[name]; sub != nil {
		for i, id := range sub.versions {
			if id != 0 {
				out = append(out, i+1)
			}
		}
	}
	return out
}
