package kafka

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

// source makes a token source from properties and the options of the login.
func source(t *testing.T, props map[string]string, options string) (*tokenSource, error) {
	t.Helper()
	login, err := property.ParseJAAS(property.OAuthModule + " required " + options + ";")
	if err != nil {
		t.Fatal(err)
	}
	s := (&values{all: props}).tokenSource()
	return s, s.configure(login)
}

func mustSource(t *testing.T, props map[string]string, options string) *tokenSource {
	t.Helper()
	s, err := source(t, props, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// endpoint answers with these statuses, then with a token, and notes what it was asked.
func endpoint(t *testing.T, statuses ...int) (url string, asked *[]string) {
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		*asked = append(*asked, strings.Join([]string{r.Method, id, secret, r.PostFormValue("grant_type"), r.PostFormValue("scope")}, " "))
		if n := len(*asked); n <= len(statuses) {
			w.WriteHeader(statuses[n-1])
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"access_token": "token", "expires_in": 3600}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestTokenOfAnEndpointIsTriedForAndKept(t *testing.T) {
	url, asked := endpoint(t, http.StatusServiceUnavailable)
	s := mustSource(t, map[string]string{"sasl.oauthbearer.token.endpoint.url": url, "sasl.login.retry.backoff.ms": "1", "sasl.oauthbearer.header.urlencode": "true"},
		`clientId="me" clientSecret="a/b" scope="topics" extension_x="1"`)
	for range 3 {
		token, err := s.token(t.Context())
		if err != nil || token != "token" {
			t.Fatalf("%q, %v", token, err)
		}
	}
	want := "POST me a%2Fb client_credentials topics"
	if d := cmp.Diff([]string{want, want}, *asked); d != "" {
		t.Error(d)
	}
	if s.extensions["x"] != "1" {
		t.Errorf("extensions %v", s.extensions)
	}
	s.until = time.Now()
	if _, err := s.token(t.Context()); err != nil || len(*asked) != 3 {
		t.Errorf("a token whose time is over: %v, asked %d times", err, len(*asked))
	}
}

func TestTokenThatIsRefusedIsNotTriedForAgain(t *testing.T) {
	url, asked := endpoint(t, http.StatusUnauthorized)
	s := mustSource(t, map[string]string{"sasl.oauthbearer.token.endpoint.url": url, "sasl.oauthbearer.client.credentials.client.id": "other"}, `clientId="me" clientSecret="secret"`)
	if token, err := s.token(t.Context()); err == nil || !strings.Contains(err.Error(), "401") || len(*asked) != 1 {
		t.Errorf("%q, %v, asked %d times", token, err, len(*asked))
	}
	if got := (*asked)[0]; got != "POST other secret client_credentials " {
		t.Errorf("asked %q", got)
	}
}

func TestTokenFromAFileIsReadAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	s := mustSource(t, map[string]string{"sasl.oauthbearer.token.endpoint.url": "file://" + name}, "")
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(name, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if token, err := s.token(t.Context()); err != nil || token != want {
			t.Errorf("%q, %v", token, err)
		}
	}
}

func TestUnsecuredTokenHoldsTheClaims(t *testing.T) {
	s := mustSource(t, nil, `unsecuredLoginStringClaim_sub="joe" unsecuredLoginNumberClaim_n="1.5" unsecuredLoginListClaim_scope=",a,b" unsecuredLoginLifetimeSeconds="60" unsecuredLoginExtension_y="2"`)
	now := time.Unix(1000, 0)
	token, life, err := s.unsecured(now)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(b, &claims); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sub": "joe", "n": 1.5, "scope": []any{"a", "b"}, "iat": 1000.0, "exp": 1060.0}
	if d := cmp.Diff(want, claims); d != "" || life != time.Minute || parts[2] != "" || s.extensions["y"] != "2" {
		t.Errorf("%s, life %s, signature %q, extensions %v", d, life, parts[2], s.extensions)
	}
}

func TestTokenSourceSaysWhatItNeeds(t *testing.T) {
	for _, tt := range []struct {
		props   map[string]string
		options string
		want    string
	}{
		{nil, "", "sasl.oauthbearer.token.endpoint.url"},
		{map[string]string{"sasl.oauthbearer.token.endpoint.url": "http://x"}, `clientId="me"`, "sasl.oauthbearer.client.credentials.client.id"},
	} {
		_, err := source(t, tt.props, tt.options)
		var fault *property.Error
		if !errors.As(err, &fault) || fault.Name != tt.want {
			t.Errorf("%v %s: %v", tt.props, tt.options, err)
		}
	}
	for _, options := range []string{`unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds="x"`, `unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_n="x"`} {
		if token, err := mustSource(t, nil, options).token(t.Context()); err == nil {
			t.Errorf("%s made %s", options, token)
		}
	}
}

func TestLifeOfAToken(t *testing.T) {
	exp := func(at time.Time) string {
		b, err := json.Marshal(map[string]int64{"exp": at.Unix()})
		if err != nil {
			t.Fatal(err)
		}
		return "h." + base64.RawURLEncoding.EncodeToString(b) + ".s"
	}
	if d := lifeOf(exp(time.Now().Add(time.Hour)), 0); d < 59*time.Minute || d > time.Hour {
		t.Errorf("an hour is %s", d)
	}
	for _, token := range []string{"opaque", "a.!.c", exp(time.Now().Add(-time.Hour))} {
		if d := lifeOf(token, 0); d != 0 {
			t.Errorf("%s lives %s", token, d)
		}
	}
	if d := lifeOf("opaque", 5); d != 5*time.Second {
		t.Errorf("five seconds are %s", d)
	}
}
