package registry

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP speaks the registry's REST interface (v1): register, look up, get by id, GUID and version, subjects, versions, compatibility checks
// and levels, delete. So a registry can run in the simulator, behind its network and its faults, or on a port of this machine.
func (m *Mock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var path []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		p, err := url.PathUnescape(part)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		path = append(path, p)
	}
	answer, err := m.route(r, path)
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	var e *Error
	if errors.As(err, &e) {
		w.WriteHeader(e.Status)
		answer = map[string]any{"error_code": e.Code, "message": e.Message}
	}
	b, err := json.Marshal(answer)
	if err == nil {
		_, _ = w.Write(b) // nobody is there to be told
	}
}

func (m *Mock) route(r *http.Request, path []string) (any, error) {
	call := request{Mock: m, Request: r}
	n := len(path)
	at := func(i int, names ...string) bool { return i < n && slices.Contains(names, path[i]) }
	switch {
	case at(0, "subjects") && n == 1:
		return m.Subjects(), nil
	case at(0, "subjects") && n == 2:
		return call.subject(path[1])
	case at(0, "subjects") && at(2, "versions") && n == 3:
		return call.versions(path[1])
	case at(0, "subjects") && at(2, "versions") && n <= 5:
		return call.version(path[1], path[3], n == 5)
	case at(0, "schemas") && at(1, "types"):
		return []string{JSON, Protobuf, Avro}, nil
	case at(0, "schemas") && at(1, "ids", "guids") && n >= 3 && n <= 4:
		return call.schema(path[1], path[2], n == 4)
	case at(0, "compatibility") && at(1, "subjects") && at(3, "versions") && n >= 4:
		number := "latest"
		if n > 4 {
			number = path[4]
		}
		return call.compatible(path[2], number)
	case at(0, "config") && n <= 2:
		return call.config(strings.Join(path[1:], "/"))
	case at(0, "mode") && r.Method == http.MethodGet:
		return map[string]string{"mode": "READWRITE"}, nil
	case n == 1 && path[0] == "":
		return map[string]string{}, nil
	}
	return nil, m.fault("", "", http.StatusNotFound, http.StatusNotFound, "HTTP 404 Not Found")
}

// request is one call.
type request struct {
	*Mock
	*http.Request
}

// body is what a schema comes in.
type body struct {
	Schema     string      `json:"schema"`
	SchemaType string      `json:"schemaType,omitempty"`
	References []reference `json:"references,omitempty"`
}

type reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func (q request) read() (Schema, error) {
	b, err := io.ReadAll(io.LimitReader(q.Body, 16<<20))
	if err != nil {
		return Schema{}, q.fault("", "", http.StatusBadRequest, http.StatusBadRequest, "%v", err)
	}
	var in body
	if err := json.Unmarshal(b, &in); err != nil {
		return Schema{}, q.fault("", "", http.StatusBadRequest, http.StatusBadRequest, "Unable to process JSON: %v", err)
	}
	s := Schema{Type: in.SchemaType, Text: in.Schema}
	if s.Type == "" {
		s.Type = Avro
	}
	for _, r := range in.References {
		s.References = append(s.References, Reference(r))
	}
	return s, nil
}

func out(s Schema) body {
	b := body{Schema: s.Text}
	if s.Type != Avro {
		b.SchemaType = s.Type
	}
	for _, r := range s.References {
		b.References = append(b.References, reference(r))
	}
	return b
}

// found is a registered schema as an answer.
type found struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
	ID      int    `json:"id"`
	body
}

func answer(r Registered) found { return found{r.Subject, r.Version, r.ID, out(r.Schema)} }

func (q request) notAllowed() error {
	return q.fault("", "", http.StatusMethodNotAllowed, http.StatusMethodNotAllowed, "HTTP 405 Method Not Allowed")
}

func (q request) subject(name string) (any, error) {
	switch q.Method {
	case http.MethodPost:
		s, err := q.read()
		if err != nil {
			return nil, err
		}
		r, err := q.Lookup(q.Context(), name, s, q.URL.Query().Get("normalize") == "true")
		return answer(r), err
	case http.MethodDelete:
		return q.delete(name, 0)
	}
	return nil, q.notAllowed()
}

// delete takes out a version, or all of them where number is 0.
func (q request) delete(name string, number int) (any, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.Mock.versions(name)
	if len(all) == 0 {
		return nil, q.fault("", name, http.StatusNotFound, SubjectNotFound, "Subject '%s' not found.", name)
	}
	if number != 0 && !slices.Contains(all, number) {
		return nil, q.fault("", name, http.StatusNotFound, VersionNotFound, "Version %d not found.", number)
	}
	for i := range q.subjects[name].versions {
		if number == 0 || number == i+1 {
			q.subjects[name].versions[i] = 0
		}
	}
	if number != 0 {
		return number, nil
	}
	return all, nil
}

func (q request) versions(name string) (any, error) {
	switch q.Method {
	case http.MethodPost:
		s, err := q.read()
		if err != nil {
			return nil, err
		}
		id, err := q.Register(q.Context(), name, s, q.URL.Query().Get("normalize") == "true")
		return map[string]int{"id": id}, err
	case http.MethodGet:
		q.mu.Lock()
		defer q.mu.Unlock()
		all := q.Mock.versions(name)
		if len(all) == 0 {
			return nil, q.fault("", name, http.StatusNotFound, SubjectNotFound, "Subject '%s' not found.", name)
		}
		return all, nil
	}
	return nil, q.notAllowed()
}

func (q request) number(text string) (int, error) {
	if text == "latest" || text == "-1" {
		return Latest, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, q.fault("", "", http.StatusUnprocessableEntity, InvalidVersion, "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"", text)
	}
	return n, nil
}

func (q request) version(name, text string, bare bool) (any, error) {
	n, err := q.number(text)
	if err != nil {
		return nil, err
	}
	r, err := q.ByVersion(q.Context(), name, n)
	switch {
	case err != nil:
		return nil, err
	case q.Method == http.MethodDelete:
		return q.delete(name, r.Version)
	case bare:
		return json.RawMessage(r.Text), nil
	}
	return answer(r), nil
}

func (q request) schema(by, text string, bare bool) (any, error) {
	var s Schema
	var err error
	if by == "guids" {
		s, err = q.ByGUID(q.Context(), text)
	} else {
		id, bad := strconv.Atoi(text)
		if bad != nil {
			return nil, q.fault("", "", http.StatusNotFound, http.StatusNotFound, "HTTP 404 Not Found")
		}
		s, err = q.ByID(q.Context(), id)
	}
	if err == nil && bare && s.Type != Protobuf {
		return json.RawMessage(s.Text), nil
	}
	return out(s), err
}

func (q request) compatible(name, text string) (any, error) {
	s, err := q.read()
	if err != nil {
		return nil, err
	}
	n, err := q.number(text)
	if err != nil {
		return nil, err
	}
	if _, err := q.ByVersion(q.Context(), name, n); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	p, err := q.parse("check a schema", name, s)
	if err != nil {
		return nil, err
	}
	reasons := q.incompatible(name, p, n)
	result := map[string]any{"is_compatible": len(reasons) == 0}
	if q.URL.Query().Get("verbose") == "true" && len(reasons) > 0 {
		result["messages"] = reasons
	}
	return result, nil
}

func (q request) config(name string) (any, error) {
	switch q.Method {
	case http.MethodPut:
		var in struct {
			Compatibility string `json:"compatibility"`
		}
		if err := json.NewDecoder(io.LimitReader(q.Body, 1<<16)).Decode(&in); err != nil {
			return nil, q.fault("", name, http.StatusBadRequest, http.StatusBadRequest, "Unable to process JSON: %v", err)
		}
		return in, q.SetCompatibility(name, strings.ToUpper(in.Compatibility))
	case http.MethodGet:
		q.mu.Lock()
		defer q.mu.Unlock()
		level := q.level
		if sub := q.subjects[name]; sub != nil && sub.level != "" {
			level = sub.level
		} else if name != "" && q.URL.Query().Get("defaultToGlobal") != "true" {
			return nil, q.fault("", name, http.StatusNotFound, 40408, "Subject '%s' does not have subject-level compatibility configured", name)
		}
		return map[string]string{"compatibilityLevel": level}, nil
	}
	return nil, q.notAllowed()
}
